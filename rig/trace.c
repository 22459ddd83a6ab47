// SPDX-License-Identifier: MIT
#include "rig/trace.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rig/pcapng.h"
#include "rig/redact.h"
#include "rig/scard.h"

enum {
    DEVICES_MAX = 127,
    IO_REQUEST = 8,
    TEXT_BYTES_MAX = 64 * 1024,
    XFR_BLOCK_REQUEST = 0x65,
    DATA_BLOCK_REQUEST = 0x6F
};

static struct {
    pthread_mutex_t lock;
    int file, error;
    struct device {
        const void *device;
        struct redactor redactor;
    } devices[DEVICES_MAX];
    unsigned count;
} trace = {.lock = PTHREAD_MUTEX_INITIALIZER};

static unsigned device_of(const void *device)
{
    unsigned i = 0;
    while (i < trace.count && trace.devices[i].device != device) {
        i++;
    }
    if (i == trace.count && trace.count < DEVICES_MAX) {
        trace.devices[trace.count++].device = device;
    }
    return i < DEVICES_MAX ? i : DEVICES_MAX - 1;
}

// A reader is named again by its first request: an address of the bus may be a new device's.
static unsigned device_again(const struct nt_transfer *transfer)
{
    static const uint8_t get_device[] = {0x80, 6, 0, 1};
    if (transfer->type == NT_TRANSFER_CONTROL && transfer->result == NT_TRANSFER_PENDING &&
        memcmp(transfer->setup, get_device, sizeof get_device) == 0) {
        trace.devices[device_of(transfer->device)].redactor = (struct redactor){{false}};
    }
    return device_of(transfer->device);
}

static void redact(struct redactor *redactor, const struct nt_transfer *transfer, uint8_t *data)
{
    bool in = (transfer->endpoint & 0x80) != 0;
    if (transfer->type == NT_TRANSFER_BULK && in) {
        redact_response(redactor, data, transfer->length);
    } else if (transfer->type == NT_TRANSFER_BULK) {
        redact_command(redactor, data, transfer->length);
    } else if (transfer->type == NT_TRANSFER_CONTROL && !in && transfer->setup[1] == XFR_BLOCK_REQUEST) {
        redact_block(redactor, 0, data, transfer->length);
    } else if (transfer->type == NT_TRANSFER_CONTROL && in && transfer->setup[1] == DATA_BLOCK_REQUEST) {
        redact_answer(redactor, 0, data, transfer->length);
    }
}

static void on_transfer(void *context, const struct nt_transfer *transfer)
{
    (void)context;
    uint8_t *copy = transfer->data != NULL && transfer->length > 0 ? malloc(transfer->length) : NULL;
    bool lost = transfer->data != NULL && transfer->length > 0 && copy == NULL;
    (void)pthread_mutex_lock(&trace.lock);
    unsigned device = device_again(transfer);
    if (copy != NULL) {
        memcpy(copy, transfer->data, transfer->length);
        redact(&trace.devices[device].redactor, transfer, copy);
    }
    if (trace.error == 0) {
        trace.error = lost ? -ENOMEM : pcapng_transfer(trace.file, transfer, device + 1, copy);
    }
    (void)pthread_mutex_unlock(&trace.lock);
    free(copy);
}

static const char *name_of(uint32_t code)
{
    static const struct {
        uint32_t code;
        const char *name;
    } names[] = {
        {RIG_IOCTL_POWER, "POWER"},
        {RIG_IOCTL_GET_ATTRIBUTE, "GET_ATTRIBUTE"},
        {RIG_IOCTL_SET_ATTRIBUTE, "SET_ATTRIBUTE"},
        {RIG_IOCTL_TRANSMIT, "TRANSMIT"},
        {RIG_IOCTL_IS_PRESENT, "IS_PRESENT"},
        {RIG_IOCTL_IS_ABSENT, "IS_ABSENT"},
        {RIG_IOCTL_SET_PROTOCOL, "SET_PROTOCOL"},
        {RIG_IOCTL_GET_STATE, "GET_STATE"},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (names[i].code == code) {
            return names[i].name;
        }
    }
    return NULL;
}

static void print_bytes(FILE *text, const struct nt_control *control)
{
    uint8_t *copy = malloc(control->length);
    if (copy == NULL) {
        return;
    }
    memcpy(copy, control->data, control->length);
    if (control->code == RIG_IOCTL_TRANSMIT && !control->ended && control->length > IO_REQUEST) {
        redact_apdu(copy + IO_REQUEST, control->length - IO_REQUEST);
    }
    for (uint32_t i = 0; i < control->length; i++) {
        (void)fprintf(text, " %02X", copy[i]);
    }
    free(copy);
}

// Of codes that are not known here, as a PIN pad's, nothing is shown but the number.
static void on_control(void *context, const struct nt_control *control)
{
    char *text = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&text, &length);
    const char *name = name_of(control->code);
    (void)context;
    if (stream == NULL) {
        return;
    }
    if (name != NULL) {
        (void)fprintf(stream, "IOCTL_SMARTCARD_%s", name);
    } else {
        (void)fprintf(stream, "IOCTL 0x%08X", control->code);
    }
    if (control->ended) {
        (void)fprintf(stream, " ends with status 0x%08X", control->status);
    }
    (void)fprintf(stream, ", %u bytes%s", control->length, name != NULL && control->length > 0 ? ":" : "");
    if (name != NULL && control->data != NULL && control->length > 0 && control->length < TEXT_BYTES_MAX) {
        print_bytes(stream, control);
    }
    (void)fputc('\n', stream);
    bool whole = fclose(stream) == 0;
    (void)pthread_mutex_lock(&trace.lock);
    if (trace.error == 0 && whole) {
        trace.error = pcapng_text(trace.file, control->time_us, text);
    }
    (void)pthread_mutex_unlock(&trace.lock);
    free(text);
}

static void no_control(void *context, const struct nt_control *control)
{
    (void)context;
    (void)control;
}

int rig_trace_start(const char *path, bool ioctls)
{
    static const struct nt_tracer with = {on_transfer, on_control, NULL};
    static const struct nt_tracer without = {on_transfer, no_control, NULL};
    int file = pcapng_open(path);
    if (file < 0) {
        return file;
    }
    trace.file = file;
    trace.error = 0;
    trace.count = 0;
    nt_trace(ioctls ? &with : &without);
    return 0;
}

int rig_trace_stop(void)
{
    nt_trace(NULL);
    int error = close(trace.file) == 0 ? 0 : -errno;
    return trace.error != 0 ? trace.error : error;
}
