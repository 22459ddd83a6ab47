// SPDX-License-Identifier: MIT
// The control channel's requests, see rig/control.h and plug.h.
#include "rig/control.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emulator/libusb/bus.h"
#include "emulator/libusb/plug.h"

enum { WORDS_MAX = 7, LINE_BYTES = 256 };

static const char *const fault_names[] = {
    "none",     "drop",     "late",      "extend", "type", "slot", "sequence", "error",       "length",
    "truncate", "stall_in", "stall_out", "deaf",   "hold", "lose", "repeat",   "overcurrent", "busy",
};

static cJSON *conclude(const char *wrong)
{
    cJSON *reply = cJSON_CreateObject();
    cJSON_AddBoolToObject(reply, "ok", wrong == NULL);
    if (wrong != NULL) {
        cJSON_AddStringToObject(reply, "error", wrong);
    }
    return reply;
}

static cJSON *describe(const struct reader *device)
{
    cJSON *object = cJSON_CreateObject();
    char name[2 * EMU_NAME_MAX + 1], place[32];
    (void)snprintf(name, sizeof name, "%s%s%s", device->model.manufacturer,
                   device->model.manufacturer[0] != '\0' ? " " : "", device->model.product);
    (void)snprintf(place, sizeof place, "%d:%u", USB_BUS_NUMBER, device->number);
    cJSON_AddNumberToObject(object, "reader", device->number);
    cJSON_AddStringToObject(object, "model", device->model.name);
    cJSON_AddStringToObject(object, "name", name);
    cJSON_AddStringToObject(object, "device", place);
    cJSON_AddStringToObject(object, "driver", "libusb");
    cJSON_AddStringToObject(object, "state", device->claimed != 0 ? "claimed" : "free");
    cJSON *slots = cJSON_AddArrayToObject(object, "slots");
    for (unsigned i = 0; i < emu_slots(device->emulated); i++) {
        cJSON *slot = cJSON_CreateObject();
        cJSON_AddNumberToObject(slot, "slot", i);
        cJSON_AddStringToObject(slot, "card", device->cards[i]);
        cJSON_AddItemToArray(slots, slot);
    }
    return object;
}

static cJSON *report(const struct reader *device)
{
    struct emu_statistics statistics;
    cJSON *object = cJSON_CreateObject();
    emu_reader_statistics(device->emulated, &statistics);
    cJSON_AddNumberToObject(object, "reader", device->number);
    cJSON_AddNumberToObject(object, "commands", (double)statistics.commands);
    cJSON_AddNumberToObject(object, "responses", (double)statistics.responses);
    cJSON_AddNumberToObject(object, "bytesOut", (double)statistics.bytes_out);
    cJSON_AddNumberToObject(object, "bytesIn", (double)statistics.bytes_in);
    cJSON_AddNumberToObject(object, "notifications", (double)statistics.notifications);
    cJSON_AddNumberToObject(object, "controls", (double)statistics.controls);
    cJSON_AddNumberToObject(object, "timeExtensions", (double)statistics.time_extensions);
    cJSON_AddNumberToObject(object, "cardCommands", (double)statistics.card_commands);
    return object;
}

static cJSON *all(cJSON *(*make)(const struct reader *))
{
    cJSON *reply = conclude(NULL), *list = cJSON_AddArrayToObject(reply, "readers");
    for (const struct reader *device = bus_devices(); device != NULL; device = device->next) {
        cJSON_AddItemToArray(list, make(device));
    }
    return reply;
}

static const char *move_card(struct reader *device, const char *slot_word, const char *card)
{
    unsigned slot = (unsigned)strtoul(slot_word, NULL, 10);
    if (slot >= emu_slots(device->emulated)) {
        return "no such slot";
    }
    int result = card != NULL ? emu_insert(device->emulated, bus_now(), slot, card)
                              : emu_remove(device->emulated, bus_now(), slot);
    if (result != 0) {
        return result == -2   ? "no such card, see `lectern cards`"
               : card != NULL ? "the slot holds a card already"
                              : "the slot is empty";
    }
    (void)snprintf(device->cards[slot], EMU_NAME_MAX, "%s", card != NULL ? card : "");
    return NULL;
}

static const char *insert(struct reader *device, char **words)
{
    return move_card(device, words[2], words[3]);
}

static const char *eject(struct reader *device, char **words)
{
    return move_card(device, words[2], NULL);
}

static const char *unplug(struct reader *device, char **words)
{
    (void)words;
    bus_unplug(device);
    return NULL;
}

static const char *deny(struct reader *device, char **words)
{
    device->denied |= words[0][0] == 'd';
    device->busy |= words[0][0] == 'b';
    device->kernel |= words[0][0] == 'k';
    return NULL;
}

static const char *permit(struct reader *device, char **words)
{
    (void)words;
    device->denied = device->busy = device->kernel = false;
    return NULL;
}

static const char *damage(struct reader *device, char **words)
{
    if (device->patch_count == USB_PATCHES_MAX) {
        return "too many changes";
    }
    device->patches[device->patch_count++] =
        (struct patch){(uint8_t)strtoul(words[2], NULL, 0), (uint16_t)strtoul(words[3], NULL, 0),
                       (uint8_t)strtoul(words[4], NULL, 0)};
    return NULL;
}

static const char *set_fault(struct reader *device, char **words)
{
    struct emu_fault fault = {0};
    while (fault.kind < sizeof fault_names / sizeof fault_names[0] &&
           strcmp(fault_names[fault.kind], words[2]) != 0) {
        fault.kind++;
    }
    if (fault.kind == sizeof fault_names / sizeof fault_names[0]) {
        return "no such fault";
    }
    uint32_t numbers[4] = {0};
    for (size_t i = 0; i < 4 && words[3 + i] != NULL; i++) {
        numbers[i] = (uint32_t)strtoul(words[3 + i], NULL, 0);
    }
    fault.command = (uint8_t)numbers[0];
    fault.skip = numbers[1];
    fault.count = numbers[2];
    fault.argument = numbers[3];
    emu_fault(device->emulated, &fault);
    return NULL;
}

static const struct {
    const char *name;
    size_t least, most;
    const char *(*run)(struct reader *device, char **words);
} requests[] = {
    {"insert", 4, 4, insert}, {"eject", 3, 3, eject},     {"unplug", 2, 2, unplug},
    {"deny", 2, 2, deny},     {"busy", 2, 2, deny},       {"kernel", 2, 2, deny},
    {"permit", 2, 2, permit}, {"describe", 5, 5, damage}, {"fault", 3, 7, set_fault},
};

static struct reader *named(const char *word)
{
    struct reader *first = bus_devices();
    if (strcmp(word, "any") == 0) {
        return first != NULL && first->next == NULL ? first : NULL;
    }
    return bus_find((unsigned)strtoul(word, NULL, 10));
}

static cJSON *to_reader(char **words, size_t count)
{
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        if (strcmp(words[0], requests[i].name) != 0 || count < requests[i].least ||
            count > requests[i].most) {
            continue;
        }
        struct reader *device = named(words[1]);
        if (device == NULL) {
            return conclude("no such reader");
        }
        bus_ref(device);
        const char *wrong = requests[i].run(device, words);
        bus_pump(device);
        bus_unref(device);
        bus_changed(NULL);
        return conclude(wrong);
    }
    return conclude("not a request");
}

static cJSON *answer(char **words, size_t count)
{
    if (count == 1 && strcmp(words[0], "list") == 0) {
        return all(describe);
    }
    if (count == 1 && strcmp(words[0], "report") == 0) {
        return all(report);
    }
    if (count != 2 || strcmp(words[0], "plug") != 0) {
        return count > 1 ? to_reader(words, count) : conclude("not a request");
    }
    unsigned number = 0;
    cJSON *reply = conclude(plug_word(words[1], &number));
    cJSON_AddNumberToObject(reply, "reader", number);
    return reply;
}

cJSON *rig_control_answer(const char *request)
{
    char line[LINE_BYTES], *rest = line, *word, *words[WORDS_MAX + 1] = {NULL};
    size_t count = 0;
    (void)snprintf(line, sizeof line, "%s", request);
    while (count < WORDS_MAX && (word = strsep(&rest, " ")) != NULL) {
        words[count] = word;
        count += *word != '\0';
    }
    words[count] = NULL;
    pthread_mutex_lock(&bus_lock);
    cJSON *reply = answer(words, count);
    pthread_mutex_unlock(&bus_lock);
    return reply;
}
