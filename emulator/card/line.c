// SPDX-License-Identifier: MIT
#include "emulator/card/line.h"

// ISO 7816-3:2006 tables 7 and 8; 0 is reserved.
static const uint16_t factor_f[16] = {372, 372, 558, 744,  1116, 1488, 1860, 0,
                                      0,   512, 768, 1024, 1536, 2048, 0,    0};
static const uint8_t factor_d[16] = {0, 1, 2, 4, 8, 16, 32, 64, 12, 20, 0, 0, 0, 0, 0, 0};

uint32_t card_line_rate(uint32_t clock_khz, uint8_t fidi)
{
    uint32_t f = factor_f[fidi >> 4], d = factor_d[fidi & 0x0F];
    return f == 0 ? 0 : (uint32_t)((uint64_t)clock_khz * 1000 * d / f);
}

uint64_t card_line_work_waiting_us(uint32_t clock_khz, uint8_t fidi, uint8_t wi)
{
    return (uint64_t)960 * wi * factor_f[fidi >> 4] * 1000 / clock_khz;
}

uint64_t card_line_block_waiting_us(uint32_t clock_khz, uint8_t fidi, uint8_t bwi)
{
    uint32_t rate = card_line_rate(clock_khz, fidi);
    uint64_t etus = rate == 0 ? 0 : (uint64_t)11 * 1000000 / rate;
    return etus + ((uint64_t)960 * 372 * 1000 << bwi) / clock_khz;
}
