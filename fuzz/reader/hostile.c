// SPDX-License-Identifier: MIT
#include "fuzz/reader/hostile.h"

#include <string.h>

enum {
    HEADER = 10,
    DATA_MAX = 255,
    GET_DESCRIPTOR = 6,
    TYPE_DEVICE = 1,
    TYPE_CONFIGURATION = 2,
    TYPE_STRING = 3,
    CLASS_IN = 0xA1,
    STANDARD_IN = 0x80,
};

enum emu_status __real_emu_in(struct emu_reader *, uint64_t, uint8_t, uint8_t *, size_t *);
enum emu_status __wrap_emu_in(struct emu_reader *, uint64_t, uint8_t, uint8_t *, size_t *);
enum emu_status __real_emu_control(struct emu_reader *, uint64_t, const struct emu_setup *, uint8_t *,
                                   size_t *);
enum emu_status __wrap_emu_control(struct emu_reader *, uint64_t, const struct emu_setup *, uint8_t *,
                                   size_t *);

struct hostile hostile;

uint8_t hostile_take(struct hostile_input *input)
{
    if (input->left == 0) {
        return 0;
    }
    input->left--;
    return *input->data++;
}

size_t hostile_take_bytes(struct hostile_input *input, uint8_t *data, size_t room)
{
    size_t wanted = hostile_take(input);
    size_t given = wanted < input->left ? wanted : input->left;
    given = given < room ? given : room;
    memcpy(data, input->data, given);
    input->data += given;
    input->left -= given;
    return given;
}

// ---- bulk IN ----

struct transfer {
    uint8_t *data;
    size_t length, room;
    struct hostile_input *input;
};

static enum emu_status patch_byte(struct transfer *transfer)
{
    size_t at = hostile_take(transfer->input);
    uint8_t value = hostile_take(transfer->input);
    if (transfer->length != 0) {
        transfer->data[at % transfer->length] ^= value;
    }
    return EMU_OK;
}

// bStatus, bError and the last byte of the header.
static enum emu_status patch_status(struct transfer *transfer)
{
    for (size_t i = 7; i < HEADER; i++) {
        uint8_t value = hostile_take(transfer->input);
        if (i < transfer->length) {
            transfer->data[i] = value;
        }
    }
    return EMU_OK;
}

static void put_data(struct transfer *transfer, const uint8_t *data, size_t length)
{
    if (transfer->length < HEADER || transfer->room < HEADER + length) {
        return;
    }
    memcpy(transfer->data + HEADER, data, length);
    transfer->length = HEADER + length;
    memset(transfer->data + 1, 0, 4);
    transfer->data[1] = (uint8_t)length;
    transfer->data[2] = (uint8_t)(length >> 8);
}

static enum emu_status replace_data(struct transfer *transfer)
{
    uint8_t data[DATA_MAX] = {0};
    put_data(transfer, data, hostile_take_bytes(transfer->input, data, sizeof data));
    return EMU_OK;
}

// ISO 7816-3:2006 11.3: what a card at TPDU level says, with a good checksum.
static enum emu_status replace_block(struct transfer *transfer)
{
    uint8_t block[DATA_MAX + 5] = {0};
    block[1] = hostile_take(transfer->input);
    size_t length = hostile_take_bytes(transfer->input, block + 3, DATA_MAX - 1);
    block[2] = (uint8_t)length;
    for (size_t i = 0; i < 3 + length; i++) {
        block[3 + length] ^= block[i];
    }
    put_data(transfer, block, length + 4);
    return EMU_OK;
}

static enum emu_status replace_all(struct transfer *transfer)
{
    transfer->length = hostile_take_bytes(transfer->input, transfer->data, transfer->room);
    return EMU_OK;
}

static enum emu_status truncate(struct transfer *transfer)
{
    size_t length = hostile_take(transfer->input);
    transfer->length = length < transfer->length ? length : transfer->length;
    return EMU_OK;
}

static enum emu_status fail(struct transfer *transfer)
{
    static const enum emu_status ways[] = {EMU_NAK, EMU_STALL, EMU_GONE, EMU_NAK};
    transfer->length = 0;
    return ways[hostile_take(transfer->input) % (sizeof ways / sizeof ways[0])];
}

static enum emu_status leave(struct transfer *transfer)
{
    (void)transfer;
    return EMU_OK;
}

static enum emu_status alter(uint8_t *data, size_t *length, size_t room)
{
    static enum emu_status (*const ways[])(struct transfer *) = {
        leave, patch_byte, patch_status, replace_data, replace_block, replace_all, truncate, fail,
    };
    struct transfer transfer = {data, *length, room, &hostile.replies};
    enum emu_status status = ways[hostile_take(&hostile.replies) % (sizeof ways / sizeof ways[0])](&transfer);
    *length = status == EMU_OK ? transfer.length : 0;
    return status;
}

static enum emu_status give_interrupt(uint8_t *data, size_t *length)
{
    size_t given = hostile.interrupt_length < *length ? hostile.interrupt_length : *length;
    memcpy(data, hostile.interrupt, given);
    hostile.interrupt = NULL;
    *length = hostile.interrupt_status == EMU_OK ? given : 0;
    return hostile.interrupt_status;
}

enum emu_status __wrap_emu_in(struct emu_reader *reader, uint64_t now_us, uint8_t endpoint, uint8_t *data,
                              size_t *length)
{
    size_t room = *length;
    if (endpoint == EMU_EP_INTERRUPT && hostile.interrupt != NULL) {
        return give_interrupt(data, length);
    }
    enum emu_status status = __real_emu_in(reader, now_us, endpoint, data, length);
    if (status == EMU_OK && endpoint == EMU_EP_IN && hostile.replies.left != 0) {
        status = alter(data, length, room);
    }
    return status;
}

// ---- the control endpoint ----

static void overwrite(uint8_t *data, size_t *length, size_t room)
{
    size_t given = hostile.descriptors.left < room ? hostile.descriptors.left : room;
    memcpy(data, hostile.descriptors.data, given);
    *length = given;
}

static void give_configuration(uint8_t *data, size_t *length, size_t room)
{
    size_t total = hostile.descriptors.left;
    overwrite(data, length, room);
    if ((hostile.descriptor_flags & HOSTILE_TOTAL) != 0 && *length >= 4) {
        data[2] = (uint8_t)total;
        data[3] = (uint8_t)(total >> 8);
    }
    if ((hostile.descriptor_flags & HOSTILE_SHORT) != 0 && *length > 9) {
        *length -= 1;
    }
}

static void give_descriptor(const struct emu_setup *setup, uint8_t *data, size_t *length, size_t room)
{
    if (setup->value >> 8 == TYPE_CONFIGURATION) {
        give_configuration(data, length, room);
    } else if ((setup->value >> 8 == TYPE_DEVICE && (hostile.descriptor_flags & HOSTILE_DEVICE) != 0) ||
               (setup->value >> 8 == TYPE_STRING && (hostile.descriptor_flags & HOSTILE_STRINGS) != 0)) {
        overwrite(data, length, room);
    }
}

enum emu_status __wrap_emu_control(struct emu_reader *reader, uint64_t now_us, const struct emu_setup *setup,
                                   uint8_t *data, size_t *length)
{
    size_t room = *length < setup->length ? *length : setup->length;
    enum emu_status status = __real_emu_control(reader, now_us, setup, data, length);
    if (setup->request_type == STANDARD_IN && setup->request == GET_DESCRIPTOR &&
        hostile.descriptors.left != 0) {
        give_descriptor(setup, data, length, room);
        return EMU_OK;
    }
    // A token's replies, and a reader's lists of clocks and rates.
    if (setup->request_type == CLASS_IN && hostile.replies.left != 0) {
        struct transfer transfer = {data, *length, room, &hostile.replies};
        status = hostile_take(&hostile.replies) % 2 == 0 ? status : replace_all(&transfer);
        *length = transfer.length;
    }
    return status;
}
