// SPDX-License-Identifier: MIT
// PC_to_RDR_Secure: the emulated user types a PIN, the reader puts it into the APDU. CCID 1.1 6.1.11.
#include "emulator/reader.h"

#include <string.h>

enum {
    OPERATION_VERIFY = 0,
    OPERATION_MODIFY = 1,
    TIMEOUT_DEFAULT_S = 30,
    EXTENSION_US = 1000000,
    HEADER = 5,
    ERR_OPERATION = 0x0A, // offsets in the message
    ERR_PIN_BLOCK = 0x0D,
    ERR_TEMPLATE = 0x19,
};

struct layout {           // where things are in abData
    const uint8_t *block; // bmFormatString, bmPINBlockString, bmPINLengthFormat
    uint8_t most, least;
    size_t apdu;
};

static bool plausible(const uint8_t *data, size_t length, size_t apdu)
{
    if (length < apdu + 4) {
        return false;
    }
    size_t rest = length - apdu;
    return rest == 4 || (rest >= HEADER && rest - HEADER == data[apdu + 4]);
}

// Only the last message indexes of a modification may be missing, and readers disagree on when: the
// template's own length decides.
static size_t modify_template(const uint8_t *data, size_t length)
{
    static const uint8_t order[][3] = {{0, 1, 2}, {1, 0, 2}, {1, 2, 0}, {2, 1, 0}};
    const uint8_t *candidates = order[data[11] > 3 ? 3 : data[11]];
    for (size_t i = 0; i < 3; i++) {
        size_t apdu = 18u + candidates[i];
        if (plausible(data, length, apdu)) {
            return apdu;
        }
    }
    return 0;
}

static bool lay_out(const uint8_t *data, size_t length, bool swapped, struct layout *layout)
{
    bool modify = data[0] == OPERATION_MODIFY;
    if (length < (modify ? 22u : 19u)) {
        return false;
    }
    layout->block = data + 2;
    layout->most = data[modify ? 7 : 5];
    layout->least = data[modify ? 8 : 6];
    if (swapped && !modify) {
        layout->most = data[6];
        layout->least = data[5];
    }
    layout->apdu = modify ? modify_template(data, length) : plausible(data, length, 15) ? 15 : 0;
    return layout->apdu != 0;
}

static void put_bits(uint8_t *data, size_t at, unsigned count, unsigned value)
{
    while (count-- != 0) {
        uint8_t mask = (uint8_t)(0x80 >> at % 8);
        data[at / 8] = (uint8_t)((value >> count & 1) != 0 ? data[at / 8] | mask : data[at / 8] & ~mask);
        at++;
    }
}

struct field {
    uint8_t *apdu;
    size_t *length; // of the APDU
    size_t offset;  // of this PIN, in bytes of the data field
};

static size_t digits_of(const char *pin, uint8_t most)
{
    size_t digits = 0;
    while (pin[digits] != '\0' && (most == 0 || digits < most)) {
        digits++;
    }
    return digits;
}

// Formats one PIN into the template, CCID 1.1 tables 6.1-7 to 6.1-9; false: it has no room there.
static bool insert(const struct field *field, const struct layout *layout, const char *pin)
{
    const uint8_t format = layout->block[0], sizes = layout->block[1], position = layout->block[2];
    size_t digits = digits_of(pin, layout->most), unit = (format & 3) == 1 ? 4 : 8;
    size_t bits = digits * unit, whole = (size_t)(sizes & 15) * 8;
    size_t at = field->offset * 8 + (size_t)(format >> 3 & 15) * ((format & 0x80) != 0 ? 8 : 1);
    if (whole == 0) { // no fixed size: the PIN ends the APDU
        *field->length = HEADER + (at + bits + 7) / 8;
        field->apdu[4] = (uint8_t)(*field->length - HEADER);
        whole = bits;
    }
    if (*field->length > CARD_BLOCK_MAX || bits > whole || at + whole > (*field->length - HEADER) * 8) {
        return false;
    }
    size_t first = (format & 4) != 0 ? at + whole - bits : at;
    for (size_t i = 0; i < digits; i++) {
        unsigned value = (format & 3) == 2 ? (uint8_t)pin[i] : pin[i] & 15u;
        put_bits(field->apdu + HEADER, first + i * unit, (unsigned)unit, value);
    }
    size_t count_at = field->offset * 8 + (size_t)(position & 15) * ((position & 0x10) != 0 ? 8 : 1);
    if (count_at + (sizes >> 4) > (*field->length - HEADER) * 8) {
        return false;
    }
    put_bits(field->apdu + HEADER, count_at, sizes >> 4, (unsigned)digits);
    return true;
}

static bool fill_in(struct slot *slot, const struct layout *layout)
{
    const uint8_t *data = slot->pin_request;
    const struct emu_user *user = &slot->reader->user;
    size_t length = slot->pin_request_length - layout->apdu;
    uint8_t *apdu = slot->command_data;
    memset(apdu, 0, CARD_BLOCK_MAX);
    memcpy(apdu, data + layout->apdu, length);
    length = length < HEADER ? HEADER : length;
    struct field first = {apdu, &length, data[0] == OPERATION_MODIFY ? data[6] : 0};
    bool done = true;
    if (data[0] == OPERATION_MODIFY && (data[9] & 2) != 0) {
        struct field old = {apdu, &length, data[5]};
        done = insert(&old, layout, user->pin);
    }
    done = done && insert(&first, layout, data[0] == OPERATION_MODIFY ? user->new_pin : user->pin);
    slot->command_length = (uint32_t)length;
    return done;
}

static bool same(const char *a, const char *b)
{
    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

static uint32_t timeout_us(const struct slot *slot)
{
    uint8_t seconds = slot->pin_request[1];
    return (seconds == 0 ? TIMEOUT_DEFAULT_S : seconds) * 1000000u;
}

static void forget_request(struct slot *slot)
{
    memset(slot->pin_request, 0, sizeof slot->pin_request);
    slot->pin_request_length = 0;
    slot->typing = false;
}

static void fail(struct slot *slot, uint8_t error)
{
    forget_request(slot);
    emu_fail(slot, error);
}

static void send(struct slot *slot, uint64_t now, const struct layout *layout)
{
    uint8_t prologue[3];
    memcpy(prologue, slot->pin_request + layout->apdu - 3, sizeof prologue);
    bool filled = fill_in(slot, layout);
    forget_request(slot);
    if (!filled) {
        emu_fail(slot, ERR_PIN_BLOCK);
        return;
    }
    emu_exchange_apdu(slot, now, prologue);
}

// The user has pressed the last key.
static void typed(struct slot *slot, uint64_t now)
{
    // the two entries of the new PIN differ, PC/SC part 10 2.6
    static const uint8_t mismatch[2] = {0x64, 0x02};
    const struct emu_user *user = &slot->reader->user;
    const uint8_t *data = slot->pin_request;
    struct layout layout;
    if (!lay_out(data, slot->pin_request_length, slot->reader->flaws[EMU_FLAW_PIN_SWAPPED] != 0,
                 &layout)) { // it could be, when it came
        fail(slot, ERR_TEMPLATE);
        return;
    }
    bool modify = data[0] == OPERATION_MODIFY;
    if (digits_of(modify ? user->new_pin : user->pin, layout.most) < layout.least) {
        fail(slot, ERR_PIN_TIMEOUT); // the reader does not take it, and this user has no other
    } else if (modify && (data[9] & 1) != 0 && !same(user->new_pin, user->confirmation)) {
        forget_request(slot);
        emu_answer(slot, 0, mismatch, sizeof mismatch);
    } else {
        if (slot->reader->flaws[EMU_FLAW_KEYSTROKES] != 0) {
            slot->reader->statistics.keystrokes += digits_of(user->pin, 0);
        }
        send(slot, now, &layout);
    }
}

void emu_secure(struct slot *slot, uint64_t now, const struct request *request)
{
    uint8_t supported = slot->reader->model.ccid[52];
    struct layout layout;
    if ((supported & 3) == 0) {
        emu_fail(slot, ERR_NOT_SUPPORTED);
    } else if (!slot->active) {
        emu_fail(slot, ERR_MUTE);
    } else if (request->length == 0 || request->length > sizeof slot->pin_request) {
        emu_fail(slot, ERR_LENGTH);
    } else if (request->data[0] > OPERATION_MODIFY || (supported >> request->data[0] & 1) == 0) {
        emu_fail(slot, ERR_OPERATION);
    } else if (!lay_out(request->data, request->length, slot->reader->flaws[EMU_FLAW_PIN_SWAPPED] != 0,
                        &layout) ||
               emu_flawed_secure(slot, request->data, request->length, layout.apdu)) {
        emu_fail(slot, ERR_TEMPLATE);
    } else if (emu_flawed_entry(slot, now)) {
        emu_fail(slot, ERR_PIN_CANCELLED);
    } else {
        memcpy(slot->pin_request, request->data, request->length);
        slot->pin_request_length = request->length;
        slot->typing = true;
        slot->typed_at = now + slot->reader->user.delay_us;
        slot->given_up_at = now + timeout_us(slot);
        slot->deadline = now + EXTENSION_US;
        emu_exchange_pump(slot, now);
    }
}

uint64_t emu_secure_next(const struct slot *slot)
{
    uint64_t next = slot->typed_at < slot->given_up_at ? slot->typed_at : slot->given_up_at;
    return next < slot->deadline ? next : slot->deadline;
}

// What is due at emu_secure_next().
void emu_secure_event(struct slot *slot, uint64_t at)
{
    if (at >= slot->typed_at) {
        slot->reader->user.cancels ? fail(slot, ERR_PIN_CANCELLED) : typed(slot, at);
    } else if (at >= slot->given_up_at) {
        fail(slot, ERR_PIN_TIMEOUT);
    } else {
        slot->deadline = at + EXTENSION_US;
        emu_extend(slot, 1);
    }
}

void emu_user(struct emu_reader *reader, const struct emu_user *user)
{
    reader->user = *user;
    reader->user.pin[EMU_PIN_MAX - 1] = '\0';
    reader->user.new_pin[EMU_PIN_MAX - 1] = '\0';
    reader->user.confirmation[EMU_PIN_MAX - 1] = '\0';
}
