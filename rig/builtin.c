// SPDX-License-Identifier: MIT
// The reader that needs no table, and the cards; also for scenarios on other kernels, so nothing of this
// host's.
#include <string.h>

#include "rig/models.h"
#include "rig/rig.h"

// A reader at the extended APDU level that does everything itself: automatic voltage, clock, rate, parameters
// and PPS, messages long enough for a whole 65,544-byte APDU.
static const struct emu_model default_model = {
    .name = RIG_DEFAULT_MODEL,
    .manufacturer = "Lectern",
    .product = "Emulated Reader",
    .serial = "0001",
    .vendor_id = 0x1D50,
    .product_id = 0xCCD2,
    .release = 0x0100,
    .interface_class = 0x0B,
    .endpoints = 3,
    .ccid = {0x36, 0x21, 0x10, 0x01, 0x00, 0x07, 0x03, 0x00, 0x00, 0x00, 0xA0, 0x0F, 0x00, 0x00,
             0xA0, 0x0F, 0x00, 0x00, 0x00, 0x00, 0x2A, 0x00, 0x00, 0x16, 0x40, 0x05, 0x00, 0x00,
             0xFE, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xBA, 0x04,
             0x04, 0x00, 0x12, 0x00, 0x01, 0x00, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x01},
};

const struct emu_model *rig_default_model(void)
{
    return &default_model;
}

bool rig_card_known(const char *card)
{
    for (size_t i = 0; emu_card_name(i) != NULL; i++) {
        if (strcmp(emu_card_name(i), card) == 0) {
            return true;
        }
    }
    return false;
}
