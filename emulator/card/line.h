// SPDX-License-Identifier: MIT
// The character line between an interface device and a card: transmission factors and waiting times.
#pragma once
#include <stdint.h>

enum { LINE_DEFAULT_FIDI = 0x11 }; // F = 372, D = 1, ISO 7816-3:2006 8.3

// Bits per second at `clock_khz`; 0: Fi or Di is reserved.
uint32_t card_line_rate(uint32_t clock_khz, uint8_t fidi);
// Work waiting time of T=0, ISO 7816-3:2006 10.2.
uint64_t card_line_work_waiting_us(uint32_t clock_khz, uint8_t fidi, uint8_t wi);
// Block waiting time of T=1, ISO 7816-3:2006 11.4.3.
uint64_t card_line_block_waiting_us(uint32_t clock_khz, uint8_t fidi, uint8_t bwi);
