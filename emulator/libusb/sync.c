// SPDX-License-Identifier: MIT
// Transfers that wait, and what is built of them.
#include "emulator/libusb/bus.h"

#include <stdlib.h>
#include <string.h>

static void LIBUSB_CALL finished(struct libusb_transfer *transfer)
{
    *(int *)transfer->user_data = 1;
}

static int error_of(enum libusb_transfer_status status)
{
    switch (status) {
    case LIBUSB_TRANSFER_COMPLETED:
        return 0;
    case LIBUSB_TRANSFER_TIMED_OUT:
        return LIBUSB_ERROR_TIMEOUT;
    case LIBUSB_TRANSFER_STALL:
        return LIBUSB_ERROR_PIPE;
    case LIBUSB_TRANSFER_NO_DEVICE:
        return LIBUSB_ERROR_NO_DEVICE;
    case LIBUSB_TRANSFER_OVERFLOW:
        return LIBUSB_ERROR_OVERFLOW;
    default:
        return LIBUSB_ERROR_IO;
    }
}

// Frees the transfer.
static int run(struct libusb_transfer *transfer, int *moved)
{
    int completed = 0;
    // cppcheck-suppress autoVariables ; the transfer is gone before the variable
    transfer->user_data = &completed;
    transfer->callback = finished;
    int result = event_inside() ? LIBUSB_ERROR_BUSY : libusb_submit_transfer(transfer);
    if (result == 0) {
        while (__atomic_load_n(&completed, __ATOMIC_ACQUIRE) == 0) {
            if (libusb_handle_events_completed(transfer->dev_handle->context, &completed) != 0) {
                (void)libusb_cancel_transfer(transfer);
            }
        }
        *moved = transfer->actual_length;
        result = error_of(transfer->status);
    }
    libusb_free_transfer(transfer);
    return result;
}

int LIBUSB_CALL libusb_control_transfer(libusb_device_handle *handle, uint8_t type, uint8_t request,
                                        uint16_t value, uint16_t index, unsigned char *data, uint16_t length,
                                        unsigned int timeout)
{
    struct libusb_transfer *transfer = libusb_alloc_transfer(0);
    unsigned char *buffer = malloc(LIBUSB_CONTROL_SETUP_SIZE + (size_t)length);
    if (transfer == NULL || buffer == NULL) {
        free(buffer);
        libusb_free_transfer(transfer);
        return LIBUSB_ERROR_NO_MEM;
    }
    libusb_fill_control_setup(buffer, type, request, value, index, length);
    libusb_fill_control_transfer(transfer, handle, buffer, NULL, NULL, timeout);
    bool in = (type & LIBUSB_ENDPOINT_IN) != 0;
    if (!in && length > 0) {
        memcpy(buffer + LIBUSB_CONTROL_SETUP_SIZE, data, length);
    }
    int moved = 0, result = run(transfer, &moved);
    if (result == 0 && in && moved > 0) {
        memcpy(data, buffer + LIBUSB_CONTROL_SETUP_SIZE, (size_t)moved);
    }
    free(buffer);
    return result == 0 ? moved : result;
}

static int transfer_sync(libusb_device_handle *handle, unsigned char endpoint, unsigned char type,
                         unsigned char *data, int length, int *moved, unsigned int timeout)
{
    int ignored;
    struct libusb_transfer *transfer = libusb_alloc_transfer(0);
    if (transfer == NULL) {
        return LIBUSB_ERROR_NO_MEM;
    }
    libusb_fill_bulk_transfer(transfer, handle, endpoint, data, length, NULL, NULL, timeout);
    transfer->type = type;
    return run(transfer, moved != NULL ? moved : &ignored);
}

int LIBUSB_CALL libusb_bulk_transfer(libusb_device_handle *handle, unsigned char endpoint,
                                     unsigned char *data, int length, int *moved, unsigned int timeout)
{
    return transfer_sync(handle, endpoint, LIBUSB_TRANSFER_TYPE_BULK, data, length, moved, timeout);
}

int LIBUSB_CALL libusb_interrupt_transfer(libusb_device_handle *handle, unsigned char endpoint,
                                          unsigned char *data, int length, int *moved, unsigned int timeout)
{
    return transfer_sync(handle, endpoint, LIBUSB_TRANSFER_TYPE_INTERRUPT, data, length, moved, timeout);
}

int LIBUSB_CALL libusb_get_string_descriptor_ascii(libusb_device_handle *handle, uint8_t index,
                                                   unsigned char *text, int room)
{
    enum { STRING_BYTES = 255, PATIENCE_MS = 1000 };
    unsigned char data[STRING_BYTES];
    if (index == 0 || room < 1) {
        return LIBUSB_ERROR_INVALID_PARAM;
    }
    int length = libusb_control_transfer(handle, LIBUSB_ENDPOINT_IN, LIBUSB_REQUEST_GET_DESCRIPTOR,
                                         LIBUSB_DT_STRING << 8, 0, data, sizeof data, PATIENCE_MS);
    if (length < 4) {
        return length < 0 ? length : LIBUSB_ERROR_IO;
    }
    uint16_t language = (uint16_t)(data[2] | data[3] << 8);
    length = libusb_control_transfer(handle, LIBUSB_ENDPOINT_IN, LIBUSB_REQUEST_GET_DESCRIPTOR,
                                     (uint16_t)(LIBUSB_DT_STRING << 8 | index), language, data, sizeof data,
                                     PATIENCE_MS);
    if (length < 2 || data[1] != LIBUSB_DT_STRING || data[0] > length) {
        return length < 0 ? length : LIBUSB_ERROR_IO;
    }
    int count = 0;
    for (int at = 2; at + 1 < data[0] && count + 1 < room; at += 2) {
        text[count++] = data[at + 1] != 0 || data[at] >= 0x80 ? '?' : data[at];
    }
    text[count] = '\0';
    return count;
}
