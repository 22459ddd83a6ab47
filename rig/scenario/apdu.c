// SPDX-License-Identifier: MIT
// `apdu`: a command with the follow-ups that T=0 leaves to the application, ISO 7816-3:2006 12.2.1.
#define _DEFAULT_SOURCE // explicit_bzero
#include "rig/scenario/internal.h"

#include <stdlib.h>
#include <string.h>

enum { SW_MORE = 0x61, SW_EXACT_LE = 0x6C, FOLLOW_UPS_MAX = 300, HEADER = 5, ROOM = 2 * RIG_REPLY_MAX };

struct exchange {
    const struct scn_slot *slot;
    uint8_t *reply; // ROOM bytes
    size_t length;
};

// Appends the reply; its status word stays the last two bytes.
static nt_status send(struct exchange *exchange, const uint8_t *command, size_t length)
{
    size_t room = ROOM - exchange->length;
    nt_status status = rig_slot_transmit(exchange->slot->file, exchange->slot->protocol, command, length,
                                         exchange->reply + exchange->length, &room);
    if (rig_status_ok(status) && room < 2) {
        return RIG_STATUS_UNSUCCESSFUL;
    }
    exchange->length += room;
    return status;
}

// Whether the status word asks for one more command, which is then in `next`.
static bool follow_up(struct exchange *exchange, const uint8_t *command, size_t length, uint8_t next[HEADER])
{
    if (exchange->slot->protocol != RIG_PROTOCOL_T0 || exchange->length < 2) {
        return false;
    }
    const uint8_t *sw = exchange->reply + exchange->length - 2;
    if (sw[0] == SW_MORE) {
        const uint8_t get_response[HEADER] = {command[0] & 0x0F, 0xC0, 0x00, 0x00, sw[1]};
        memcpy(next, get_response, HEADER);
    } else if (sw[0] == SW_EXACT_LE && length >= HEADER - 1) {
        memcpy(next, command, HEADER - 1);
        next[HEADER - 1] = sw[1];
    } else {
        return false;
    }
    exchange->length -= 2;
    return true;
}

static nt_status run_command(struct exchange *exchange, const uint8_t *command, size_t length)
{
    uint8_t next[HEADER];
    nt_status status = send(exchange, command, length);
    for (unsigned i = 0; rig_status_ok(status) && follow_up(exchange, command, length, next); i++) {
        status = i < FOLLOW_UPS_MAX ? send(exchange, next, HEADER) : RIG_STATUS_UNSUCCESSFUL;
    }
    return status;
}

void scn_apdu(struct scn_run *run, const struct scn_statement *statement)
{
    struct scn_reader *reader = scn_reader_of(run, statement);
    struct exchange exchange = {.slot = reader != NULL ? &reader->slots[statement->slot] : NULL};
    if (reader == NULL || (exchange.slot->file == NULL && reader->pulled)) {
        return;
    }
    exchange.reply = malloc(ROOM);
    if (exchange.slot->file == NULL || exchange.reply == NULL) {
        scn_fail(run, statement,
                 exchange.reply != NULL ? "the slot is not open, `open` comes first" : "out of memory");
        free(exchange.reply);
        return;
    }
    struct scn_result result = {.status = run_command(&exchange, statement->in, statement->in_length)};
    result.bytes = exchange.reply;
    result.length = rig_status_ok(result.status) ? exchange.length : 0;
    scn_check(run, statement, reader, &result);
    explicit_bzero(exchange.reply, ROOM);
    free(exchange.reply);
}
