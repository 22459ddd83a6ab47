// SPDX-License-Identifier: MIT
#include "emulator/libusb/plug.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emulator/libusb/bus.h"
#include "rig/models.h"

static bool known_card(const char *name)
{
    for (size_t i = 0; emu_card_name(i) != NULL; i++) {
        if (strcmp(emu_card_name(i), name) == 0) {
            return true;
        }
    }
    return false;
}

static const char *take_cards(char *text, char cards[EMU_SLOTS_MAX][EMU_NAME_MAX])
{
    char *card;
    for (size_t slot = 0; (card = strsep(&text, "/")) != NULL; slot++) {
        bool empty = *card == '\0' || strcmp(card, "-") == 0;
        if (slot == EMU_SLOTS_MAX) {
            return "more cards than slots";
        }
        if (!empty && !known_card(card)) {
            return "no such card, see `lectern cards`";
        }
        (void)snprintf(cards[slot], EMU_NAME_MAX, "%s", empty ? "" : card);
    }
    return NULL;
}

const char *plug_word(char *word, unsigned *number)
{
    static char error[256];
    char cards[EMU_SLOTS_MAX][EMU_NAME_MAX] = {""};
    struct emu_model model;
    char *rest = word, *name = strsep(&rest, ":");
    const char *wrong = rest != NULL ? take_cards(rest, cards) : NULL;
    if (wrong != NULL) {
        return wrong;
    }
    (void)snprintf(error, sizeof error, "no such model, see `lectern models`");
    if (rig_model_find(NULL, name, &model, error, sizeof error) != 0) {
        return error;
    }
    size_t count = 0;
    for (const struct reader *device = bus_devices(); device != NULL; device = device->next) {
        count++;
    }
    return count == USB_READERS_MAX                                            ? "the bus is full"
           : bus_plug(&model, (const char(*)[EMU_NAME_MAX])cards, number) != 0 ? "out of memory"
                                                                               : NULL;
}

void plug_list(const char *text)
{
    char *copy = strdup(text), *rest = copy, *word;
    while ((word = strsep(&rest, " ")) != NULL) {
        unsigned number;
        const char *wrong = *word != '\0' ? plug_word(word, &number) : NULL;
        if (wrong != NULL) {
            (void)fprintf(stderr, "libusb (emulated): %s: %s\n", word, wrong);
        }
    }
    free(copy);
}
