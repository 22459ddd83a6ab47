// SPDX-License-Identifier: MIT
#include "pcsc/devicename.h"

#include <errno.h>
#include <string.h>

#include "rig/models.h"
#include "rig/usb.h"

static const char prefix[] = "emulated";

static int copy_part(char *target, size_t size, const char *text, size_t length)
{
    if (length >= size) {
        return -EINVAL;
    }
    memcpy(target, text, length);
    target[length] = '\0';
    return 0;
}

static int parse_cards(const char *text, size_t length, struct device_name *name)
{
    for (size_t slot = 0;; slot++) {
        const char *end = memchr(text, '/', length);
        size_t part = end != NULL ? (size_t)(end - text) : length;
        if (slot == EMU_SLOTS_MAX) {
            return -EINVAL;
        }
        int error = part == 1 && text[0] == '-' ? 0 : copy_part(name->cards[slot], EMU_NAME_MAX, text, part);
        if (error != 0 || end == NULL) {
            return error;
        }
        text = end + 1;
        length -= part + 1;
    }
}

static int parse_part(const char *text, size_t length, struct device_name *name)
{
    const char *equals = memchr(text, '=', length);
    if (equals == NULL) {
        return 0;
    }
    size_t key = (size_t)(equals - text), rest = length - key - 1;
    if (key == strlen("model") && memcmp(text, "model", key) == 0) {
        return copy_part(name->model, sizeof name->model, equals + 1, rest);
    }
    if (key == strlen("models") && memcmp(text, "models", key) == 0) {
        return copy_part(name->models, sizeof name->models, equals + 1, rest);
    }
    if (key == strlen("driver") && memcmp(text, "driver", key) == 0) {
        return copy_part(name->driver, sizeof name->driver, equals + 1, rest);
    }
    if (key == strlen("card") && memcmp(text, "card", key) == 0) {
        return parse_cards(equals + 1, rest, name);
    }
    return 0;
}

int device_name_parse(const char *text, struct device_name *name)
{
    *name = (struct device_name){.model = RIG_DEFAULT_MODEL};
    const char *quote = text[0] == '"' ? "\"" : ""; // pcscd hands the quotes on
    text += strlen(quote);
    if (rig_usb_named(text)) {
        return copy_part(name->usb, sizeof name->usb, text, strcspn(text, "\""));
    }
    if (strncmp(text, prefix, strlen(prefix)) != 0) {
        return -ENODEV;
    }
    text += strlen(prefix);
    if (*text != '\0' && *text != ':' && *text != *quote) {
        return -ENODEV;
    }
    int error = 0;
    while (error == 0 && *text == ':') {
        size_t length = strcspn(text + 1, quote[0] != '\0' ? ":\"" : ":");
        error = parse_part(text + 1, length, name);
        text += 1 + length;
    }
    return error;
}
