// SPDX-License-Identifier: MIT
#include "tools/exchange.h"

#include <stdio.h>
#include <stdlib.h>

#include "rig/status.h"
#include "tools/hex.h"

struct exchange {
    const struct command *command;
    nt_file *file;
    uint32_t protocol;
    uint8_t reply[RIG_REPLY_MAX];
    char text[3 * RIG_REPLY_MAX];
    cJSON *replies; // NULL: print
};

static void show(struct exchange *exchange, size_t length)
{
    hex_print(exchange->reply, length, exchange->text);
    if (exchange->replies != NULL) {
        cJSON_AddItemToArray(exchange->replies, cJSON_CreateString(exchange->text));
    } else {
        (void)puts(exchange->text);
    }
}

static nt_status power_up(struct exchange *exchange, uint32_t mask, cJSON *object)
{
    size_t length;
    nt_status status = rig_slot_power(exchange->file, RIG_COLD_RESET, exchange->reply, &length);
    if (!rig_status_ok(status) || length == 0) {
        (void)complain_status(exchange->command, "the card does not answer", status);
        return rig_status_ok(status) ? RIG_STATUS_NO_MEDIA : status;
    }
    hex_print(exchange->reply, length, exchange->text);
    if (object != NULL) {
        cJSON_AddStringToObject(object, "atr", exchange->text);
    } else {
        (void)printf("ATR: %s\n", exchange->text);
    }
    status = rig_slot_set_protocol(exchange->file, mask, &exchange->protocol);
    if (!rig_status_ok(status)) {
        (void)complain_status(exchange->command, "no protocol could be negotiated", status);
        return status;
    }
    const char *name = exchange->protocol == RIG_PROTOCOL_T1 ? "T=1" : "T=0";
    if (object != NULL) {
        cJSON_AddStringToObject(object, "protocol", name);
    } else {
        (void)printf("Protocol: %s\n", name);
    }
    return RIG_STATUS_SUCCESS;
}

static nt_status send_all(struct exchange *exchange, const struct apdu *apdus, int count)
{
    for (int i = 0; i < count; i++) {
        size_t length = sizeof exchange->reply;
        nt_status status = rig_slot_transmit(exchange->file, exchange->protocol, apdus[i].bytes,
                                             apdus[i].length, exchange->reply, &length);
        if (!rig_status_ok(status)) {
            char what[32];
            (void)snprintf(what, sizeof what, "APDU %d failed", i + 1);
            (void)complain_status(exchange->command, what, status);
            return status;
        }
        show(exchange, length);
    }
    return RIG_STATUS_SUCCESS;
}

int exchange_apdus(const struct command *command, nt_file *file, uint32_t mask, cJSON *object,
                   const struct apdu *apdus, int count)
{
    struct exchange *exchange = calloc(1, sizeof *exchange);
    if (exchange == NULL) {
        return complain(command, EXIT_FAILED, "out of memory");
    }
    exchange->command = command;
    exchange->file = file;
    nt_status status = power_up(exchange, mask, object);
    exchange->replies = object != NULL ? cJSON_AddArrayToObject(object, "replies") : NULL;
    if (rig_status_ok(status)) {
        status = send_all(exchange, apdus, count);
    }
    if (object != NULL && !rig_status_ok(status)) {
        char buffer[16];
        cJSON_AddStringToObject(object, "error", rig_status_name(status, buffer));
    }
    free(exchange);
    return rig_status_ok(status) ? EXIT_DONE : EXIT_FAILED;
}

int parse_apdus(const struct command *command, int count, char **words, struct apdu *apdus)
{
    for (int i = 0; i < count; i++) {
        const char *wrong;
        int length = hex_parse(words[i], apdus[i].bytes, sizeof apdus[i].bytes, &wrong);
        if (length < 0) {
            return complain(command, EXIT_USAGE, "'%.40s': %s", words[i], wrong);
        }
        if (length < 4) {
            return complain(command, EXIT_USAGE, "'%.40s': an APDU has at least 4 bytes", words[i]);
        }
        apdus[i].length = (size_t)length;
    }
    return EXIT_DONE;
}
