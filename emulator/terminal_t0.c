// SPDX-License-Identifier: MIT
// The reader's T=0: procedure bytes (ISO 7816-3:2006 10.3.3) and, at APDU level, the mapping of 12.2.
#include "emulator/reader.h"

#include <string.h>

enum {
    STATE_PROCEDURE,
    STATE_DATA,
    STATE_SW2,
    NULL_BYTE = 0x60,
    INS_GET_RESPONSE = 0xC0,
    INS_ENVELOPE = 0xC2,
    HEADER = 5,
    ENVELOPE_MAX = 255,
};

static void start(struct slot *slot, uint64_t now)
{
    struct terminal_t0 *t0 = &slot->terminal.t0;
    t0->state = STATE_PROCEDURE;
    t0->sent = t0->received = 0;
    t0->expected = t0->length != 0 ? 0 : t0->header[4] == 0 ? 256 : t0->header[4];
    slot->terminal.patience = emu_terminal_waiting(slot, 1);
    slot->deadline = now + slot->terminal.patience;
    emu_line_send(slot, now, t0->header, HEADER);
}

static void set_header(struct terminal_t0 *t0, uint8_t cla, uint8_t ins, uint8_t p1, uint8_t p2, uint8_t p3)
{
    const uint8_t header[HEADER] = {cla, ins, p1, p2, p3};
    memcpy(t0->header, header, sizeof header);
    t0->data = NULL;
    t0->length = 0;
}

void emu_t0_tpdu(struct slot *slot, uint64_t now, const uint8_t *tpdu, size_t length)
{
    struct terminal_t0 *t0 = &slot->terminal.t0;
    slot->terminal.kind = TERMINAL_TPDU;
    slot->response_length = 0;
    set_header(t0, tpdu[0], tpdu[1], tpdu[2], tpdu[3], length > 4 ? tpdu[4] : 0);
    if (length > HEADER) {
        t0->data = tpdu + HEADER;
        t0->length = (uint16_t)(length - HEADER);
    }
    start(slot, now);
}

static enum terminal_result fail(struct slot *slot, uint8_t error)
{
    slot->terminal.error = error;
    return TERMINAL_FAILED;
}

static enum terminal_result procedure(struct slot *slot, uint64_t now, uint8_t byte)
{
    struct terminal_t0 *t0 = &slot->terminal.t0;
    if (byte == NULL_BYTE) {
        slot->terminal.extension = 1;
        return TERMINAL_EXTEND;
    }
    if ((byte & 0xF0) == 0x60 || (byte & 0xF0) == 0x90) {
        t0->sw1 = byte;
        t0->state = STATE_SW2;
        return TERMINAL_BUSY;
    }
    const uint8_t single = (uint8_t)~t0->header[1];
    bool all = byte == t0->header[1], one = byte == single;
    uint16_t left =
        t0->length != 0 ? (uint16_t)(t0->length - t0->sent) : (uint16_t)(t0->expected - t0->received);
    if ((!all && !one) || left == 0) {
        return fail(slot, ERR_PROCEDURE_BYTE);
    }
    t0->burst = all ? left : 1;
    if (t0->length != 0) {
        emu_line_send(slot, now, t0->data + t0->sent, t0->burst);
        t0->sent = (uint16_t)(t0->sent + t0->burst);
    } else {
        t0->state = STATE_DATA;
    }
    return TERMINAL_BUSY;
}

// ---- APDU level ----

static void send_envelope(struct slot *slot, uint64_t now)
{
    struct terminal_t0 *t0 = &slot->terminal.t0;
    uint32_t piece = t0->envelope_length < ENVELOPE_MAX ? t0->envelope_length : ENVELOPE_MAX;
    uint8_t cla = slot->class_envelope == 0xFF ? slot->command_data[0] : slot->class_envelope;
    set_header(t0, cla, INS_ENVELOPE, 0, 0, (uint8_t)piece);
    t0->data = t0->envelope;
    t0->length = (uint16_t)piece;
    t0->envelope += piece;
    t0->envelope_length -= piece;
    t0->enveloped = piece == ENVELOPE_MAX; // a full piece is not the last
    start(slot, now);
}

static void get_response(struct slot *slot, uint64_t now, uint8_t there)
{
    struct terminal_t0 *t0 = &slot->terminal.t0;
    uint32_t left = t0->ne - slot->response_length, length = there == 0 ? 256 : there;
    length = length < left ? length : left;
    uint8_t cla = slot->class_get_response == 0xFF ? slot->command_data[0] : slot->class_get_response;
    set_header(t0, cla, INS_GET_RESPONSE, 0, 0, (uint8_t)length);
    start(slot, now);
}

struct body {
    const uint8_t *data;
    uint32_t nc, ne;
    bool extended;
};

static uint32_t extended_le(const uint8_t *at)
{
    uint32_t le = (uint32_t)at[0] << 8 | at[1];
    return le == 0 ? 65536 : le;
}

static bool decode_extended(const uint8_t *apdu, uint32_t length, struct body *body)
{
    body->extended = true;
    if (length == 7) {
        body->ne = extended_le(apdu + 5);
        return true;
    }
    body->nc = (uint32_t)apdu[5] << 8 | apdu[6];
    body->data = apdu + 7;
    if (body->nc != 0 && length == 9 + body->nc) {
        body->ne = extended_le(apdu + length - 2);
        return true;
    }
    return body->nc != 0 && length == 7 + body->nc;
}

static bool decode(const uint8_t *apdu, uint32_t length, struct body *body)
{
    memset(body, 0, sizeof *body);
    if (length <= 4) {
        return length == 4;
    }
    if (apdu[4] == 0 && length > 5) {
        return length >= 7 && decode_extended(apdu, length, body);
    }
    uint32_t last = apdu[length - 1] == 0 ? 256 : apdu[length - 1];
    if (length == 5) {
        body->ne = last;
        return true;
    }
    body->nc = apdu[4];
    body->data = apdu + 5;
    body->ne = length == 6 + body->nc ? last : 0;
    return length == 5 + body->nc || length == 6 + body->nc;
}

bool emu_t0_apdu_begin(struct slot *slot, uint64_t now)
{
    struct terminal_t0 *t0 = &slot->terminal.t0;
    const uint8_t *apdu = slot->command_data;
    struct body body;
    if (!decode(apdu, slot->command_length, &body) ||
        (body.extended && slot->reader->level != LEVEL_EXTENDED)) {
        return false;
    }
    slot->terminal.kind = TERMINAL_APDU_T0;
    slot->response_length = 0;
    t0->ne = body.ne;
    t0->data_only = body.nc != 0;
    t0->enveloped = false;
    if (body.nc > 255) {
        t0->envelope = apdu;
        t0->envelope_length = slot->command_length;
        send_envelope(slot, now);
        return true;
    }
    uint32_t p3 = body.nc != 0 ? body.nc : body.ne;
    set_header(t0, apdu[0], apdu[1], apdu[2], apdu[3], p3 > 255 ? 0 : (uint8_t)p3);
    t0->data = body.data;
    t0->length = (uint16_t)body.nc;
    start(slot, now);
    return true;
}

static enum terminal_result finish(struct slot *slot, uint8_t sw1, uint8_t sw2)
{
    slot->response_data[slot->response_length++] = sw1;
    slot->response_data[slot->response_length++] = sw2;
    return TERMINAL_DONE;
}

// A TPDU has ended: the next one, or the end of the APDU.
static enum terminal_result status(struct slot *slot, uint64_t now, uint8_t sw1, uint8_t sw2)
{
    struct terminal_t0 *t0 = &slot->terminal.t0;
    if (slot->terminal.kind == TERMINAL_TPDU) {
        return finish(slot, sw1, sw2);
    }
    if (t0->enveloped && sw1 == 0x90 && sw2 == 0x00) {
        send_envelope(slot, now);
        return TERMINAL_BUSY;
    }
    if (sw1 == 0x61 && slot->response_length < t0->ne) {
        get_response(slot, now, sw2);
        return TERMINAL_BUSY;
    }
    bool repeatable = !t0->data_only || t0->header[1] == INS_GET_RESPONSE;
    if (sw1 == 0x6C && repeatable && t0->header[4] != sw2) {
        t0->header[4] = sw2;
        start(slot, now);
        return TERMINAL_BUSY;
    }
    return finish(slot, sw1, sw2);
}

// No more than was asked for goes up, whatever the card sends.
static void keep(struct slot *slot, const uint8_t *bytes, size_t length)
{
    uint32_t most = slot->terminal.kind == TERMINAL_TPDU ? 256 : slot->terminal.t0.ne;
    uint32_t room = most - slot->response_length;
    length = length < room ? length : room;
    memcpy(slot->response_data + slot->response_length, bytes, length);
    slot->response_length += (uint32_t)length;
}

enum terminal_result emu_t0_advance(struct slot *slot, uint64_t now)
{
    struct terminal_t0 *t0 = &slot->terminal.t0;
    enum terminal_result result = TERMINAL_BUSY;
    uint8_t bytes[256];
    while (result == TERMINAL_BUSY) {
        size_t wanted = t0->state == STATE_DATA ? t0->burst : 1;
        size_t got = card_receive(&slot->card, now, bytes, wanted);
        if (got == 0) {
            break;
        }
        if (t0->state == STATE_DATA) {
            keep(slot, bytes, got);
            t0->received = (uint16_t)(t0->received + got);
            t0->burst = (uint16_t)(t0->burst - got);
            t0->state = t0->burst == 0 ? STATE_PROCEDURE : STATE_DATA;
        } else if (t0->state == STATE_SW2) {
            result = status(slot, now, t0->sw1, bytes[0]);
        } else {
            result = procedure(slot, now, bytes[0]);
        }
    }
    return result;
}
