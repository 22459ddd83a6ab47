// SPDX-License-Identifier: MIT
// Asynchronous transfers.
#include "emulator/libusb/bus.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(struct transfer) % _Alignof(struct libusb_transfer) == 0, "the public part follows");

struct libusb_transfer *transfer_public(struct transfer *transfer)
{
    return (struct libusb_transfer *)(transfer + 1);
}

struct transfer *transfer_private(struct libusb_transfer *transfer)
{
    return (struct transfer *)transfer - 1;
}

struct libusb_transfer *LIBUSB_CALL libusb_alloc_transfer(int packets)
{
    if (packets < 0) {
        return NULL;
    }
    struct transfer *transfer = calloc(1, sizeof *transfer + sizeof(struct libusb_transfer) +
                                              (size_t)packets * sizeof(struct libusb_iso_packet_descriptor));
    if (transfer == NULL) {
        return NULL;
    }
    transfer_public(transfer)->num_iso_packets = packets;
    return transfer_public(transfer);
}

void LIBUSB_CALL libusb_free_transfer(struct libusb_transfer *transfer)
{
    if (transfer == NULL) {
        return;
    }
    if ((transfer->flags & LIBUSB_TRANSFER_FREE_BUFFER) != 0) {
        free(transfer->buffer);
    }
    free(transfer_private(transfer));
}

static enum libusb_transfer_status result_of(enum emu_status status)
{
    return status == EMU_OK      ? LIBUSB_TRANSFER_COMPLETED
           : status == EMU_STALL ? LIBUSB_TRANSFER_STALL
                                 : LIBUSB_TRANSFER_ERROR;
}

static enum emu_status move_control(struct reader *device, struct libusb_transfer *transfer, size_t *moved)
{
    const uint8_t *raw = transfer->buffer;
    const struct emu_setup setup = {raw[0], raw[1], (uint16_t)(raw[2] | raw[3] << 8),
                                    (uint16_t)(raw[4] | raw[5] << 8), (uint16_t)(raw[6] | raw[7] << 8)};
    *moved = setup.length;
    enum emu_status status = bus_control(device, &setup, transfer->buffer + LIBUSB_CONTROL_SETUP_SIZE, moved);
    if (status == EMU_OK && (setup.request_type & LIBUSB_ENDPOINT_IN) == 0) {
        *moved = setup.length; // what the device took is all of it
    }
    return status;
}

static enum emu_status move(struct reader *device, struct libusb_transfer *transfer, size_t *moved)
{
    if (transfer->type == LIBUSB_TRANSFER_TYPE_CONTROL) {
        return move_control(device, transfer, moved);
    }
    *moved = (size_t)transfer->length;
    return (transfer->endpoint & LIBUSB_ENDPOINT_IN) != 0
               ? emu_in(device->emulated, bus_now(), transfer->endpoint, transfer->buffer, moved)
               : emu_out(device->emulated, bus_now(), transfer->endpoint, transfer->buffer, *moved);
}

bool transfer_try(struct reader *device, struct transfer *transfer, uint64_t now)
{
    struct libusb_transfer *shown = transfer_public(transfer);
    size_t moved = 0;
    if (!device->present) {
        transfer->status = LIBUSB_TRANSFER_NO_DEVICE;
        return true;
    }
    if (transfer->cancelled) {
        transfer->status = LIBUSB_TRANSFER_CANCELLED;
        return true;
    }
    enum emu_status status = move(device, shown, &moved);
    if (status == EMU_NAK) {
        transfer->status = LIBUSB_TRANSFER_TIMED_OUT;
        return transfer->deadline != 0 && transfer->deadline <= now;
    }
    transfer->status = result_of(status);
    transfer->moved = status == EMU_OK ? moved : 0;
    bool reads = shown->type != LIBUSB_TRANSFER_TYPE_CONTROL && (shown->endpoint & LIBUSB_ENDPOINT_IN) != 0;
    if (status == EMU_OK && reads && (shown->flags & LIBUSB_TRANSFER_SHORT_NOT_OK) != 0 &&
        moved < (size_t)shown->length) {
        transfer->status = LIBUSB_TRANSFER_ERROR;
    }
    return true;
}

static int check(const struct libusb_transfer *transfer)
{
    if (transfer->type != LIBUSB_TRANSFER_TYPE_CONTROL && transfer->type != LIBUSB_TRANSFER_TYPE_BULK &&
        transfer->type != LIBUSB_TRANSFER_TYPE_INTERRUPT) {
        return LIBUSB_ERROR_NOT_SUPPORTED; // readers have no isochronous endpoints and no streams
    }
    if (transfer->length < 0 || (transfer->length > 0 && transfer->buffer == NULL)) {
        return LIBUSB_ERROR_INVALID_PARAM;
    }
    if (transfer->type != LIBUSB_TRANSFER_TYPE_CONTROL) {
        return 0;
    }
    size_t length = (size_t)transfer->length;
    return length < LIBUSB_CONTROL_SETUP_SIZE ||
                   length <
                       LIBUSB_CONTROL_SETUP_SIZE + (size_t)(transfer->buffer[6] | transfer->buffer[7] << 8)
               ? LIBUSB_ERROR_INVALID_PARAM
               : 0;
}

static int submit(struct transfer *transfer, struct libusb_transfer *shown)
{
    struct reader *device = shown->dev_handle->device;
    if (transfer->state == TRANSFER_SUBMITTED) {
        return LIBUSB_ERROR_BUSY;
    }
    if (!device->present) {
        return LIBUSB_ERROR_NO_DEVICE;
    }
    transfer->device = device;
    transfer->context = context_of(shown->dev_handle->context);
    transfer->deadline = shown->timeout != 0 ? bus_now() + shown->timeout * UINT64_C(1000) : 0;
    transfer->cancelled = false;
    transfer->moved = 0;
    transfer->state = TRANSFER_SUBMITTED;
    queue_put(&device->transfers, transfer);
    bus_pump(device);
    bus_changed(device);
    return 0;
}

int LIBUSB_CALL libusb_submit_transfer(struct libusb_transfer *transfer)
{
    int error = check(transfer);
    if (error != 0) {
        return error;
    }
    pthread_mutex_lock(&bus_lock);
    error = submit(transfer_private(transfer), transfer);
    pthread_mutex_unlock(&bus_lock);
    return error;
}

int LIBUSB_CALL libusb_cancel_transfer(struct libusb_transfer *shown)
{
    struct transfer *transfer = transfer_private(shown);
    pthread_mutex_lock(&bus_lock);
    bool running = transfer->state == TRANSFER_SUBMITTED && !transfer->cancelled;
    if (running) {
        transfer->cancelled = true;
        bus_pump(transfer->device);
    }
    pthread_mutex_unlock(&bus_lock);
    return running ? 0 : LIBUSB_ERROR_NOT_FOUND;
}

// Its owner may free or submit it again in the callback.
void transfer_deliver(struct transfer *transfer)
{
    struct libusb_transfer *shown = transfer_public(transfer);
    bool frees = (shown->flags & LIBUSB_TRANSFER_FREE_TRANSFER) != 0;
    shown->status = transfer->status;
    shown->actual_length = (int)transfer->moved;
    if (shown->callback != NULL) {
        shown->callback(shown);
    }
    if (frees) {
        libusb_free_transfer(shown);
    }
}

static void drop(struct queue *queue, const struct libusb_device_handle *handle)
{
    for (struct transfer *next, *transfer = queue->first; transfer != NULL; transfer = next) {
        next = transfer->next;
        if (transfer_public(transfer)->dev_handle == handle) {
            (void)queue_take(queue, transfer);
            transfer->state = TRANSFER_IDLE;
        }
    }
}

void transfers_drop(struct libusb_device_handle *handle)
{
    struct libusb_context *context = context_of(handle->context);
    drop(&handle->device->transfers, handle);
    if (context != NULL) {
        drop(&context->done, handle);
    }
}

void LIBUSB_CALL libusb_transfer_set_stream_id(struct libusb_transfer *transfer, uint32_t stream)
{
    (void)transfer, (void)stream;
}

uint32_t LIBUSB_CALL libusb_transfer_get_stream_id(struct libusb_transfer *transfer)
{
    (void)transfer;
    return 0;
}
