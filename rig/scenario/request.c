// SPDX-License-Identifier: MIT
// Device controls: waited for, or started and waited for later.
#define _DEFAULT_SOURCE // explicit_bzero
#include "rig/scenario/internal.h"

#include <stdlib.h>
#include <string.h>

// SCARD_IO_REQUEST
struct io_request {
    uint32_t protocol, pci_length;
};

// ---- making and finishing ----

static bool make_buffers(struct scn_request *request)
{
    const struct scn_statement *statement = request->statement;
    size_t header = statement->framed ? sizeof(struct io_request) : 0;
    request->in_length = header + statement->in_length;
    request->out_room = statement->out_room != 0 ? header + statement->out_room : 0;
    request->in = malloc(request->in_length + 1);
    request->out = calloc(1, request->out_room + 1);
    if (request->in == NULL || request->out == NULL) {
        return false;
    }
    if (header != 0) {
        const struct io_request frame = {request->slot->protocol, sizeof frame};
        memcpy(request->in, &frame, sizeof frame);
    }
    if (statement->in_length != 0) {
        memcpy(request->in + header, statement->in, statement->in_length);
    }
    return true;
}

static void free_request(struct scn_request *request)
{
    if (request->in != NULL) {
        explicit_bzero(request->in, request->in_length); // may hold a PIN
    }
    free(request->in);
    free(request->out);
    *request = (struct scn_request){0};
}

// FALSE: there is nothing to send to, which is as it should be when the reader was pulled.
static bool find_slot(struct scn_run *run, const struct scn_statement *statement, struct scn_request *request)
{
    struct scn_reader *reader = scn_reader_of(run, statement);
    if (reader == NULL) {
        return false;
    }
    struct scn_slot *slot = &reader->slots[statement->slot];
    if (slot->file == NULL) {
        if (!reader->pulled) {
            scn_fail(run, statement, "the slot is not open, `open` comes first");
        }
        return false;
    }
    request->statement = statement;
    request->reader = reader;
    request->slot = slot;
    if (make_buffers(request)) {
        return true;
    }
    free_request(request);
    scn_fail(run, statement, "out of memory");
    return false;
}

static struct scn_result take_result(struct scn_request *request, nt_status status, size_t returned)
{
    size_t header = request->statement->framed ? sizeof(struct io_request) : 0;
    struct scn_result result = {.status = status, .bytes = request->out};
    if (rig_status_ok(status) && returned >= header && returned <= request->out_room) {
        result.bytes = request->out + header;
        result.length = returned - header;
    }
    if (rig_status_ok(status) && request->statement->code == RIG_IOCTL_SET_PROTOCOL &&
        result.length == sizeof request->slot->protocol) {
        memcpy(&request->slot->protocol, result.bytes, result.length);
    }
    return result;
}

// ---- waited for ----

// What waits for the next statement, as on a stopped reader, is cancelled in the end, and with it what it may
// be queued behind.
static nt_status send_patiently(struct scn_run *run, const struct scn_request *request, size_t *returned)
{
    enum { PATIENCE_US = 600000000 };
    nt_request *handle = nt_device_control_start(request->slot->file, request->statement->code, request->in,
                                                 request->in_length, request->out, request->out_room);
    if (handle == NULL) {
        return RIG_STATUS_INSUFFICIENT_RESOURCES;
    }
    if (!nt_request_wait(handle, PATIENCE_US)) {
        scn_requests_cancel(run);
        nt_request_cancel(handle);
    }
    return nt_request_end(handle, returned);
}

static void send_and_check(struct scn_run *run, struct scn_request *request)
{
    size_t returned = 0;
    const struct scn_statement *statement = request->statement;
    nt_status status =
        run->tolerant ? send_patiently(run, request, &returned)
                      : nt_device_control(request->slot->file, statement->code, request->in,
                                          request->in_length, request->out, request->out_room, &returned);
    struct scn_result result = take_result(request, status, returned);
    scn_check(run, statement, request->reader, &result);
    free_request(request);
}

// ---- started ----

static struct scn_request *request_named(struct scn_run *run, const char *name)
{
    for (size_t i = 0; name[0] != '\0' && i < SCN_REQUESTS_MAX; i++) {
        if (run->requests[i].statement != NULL && strcmp(run->requests[i].name, name) == 0) {
            return &run->requests[i];
        }
    }
    return NULL;
}

static struct scn_request *unused_request(struct scn_run *run, const struct scn_statement *statement)
{
    if (request_named(run, statement->name) != NULL) {
        scn_fail(run, statement, "a request '%s' is under way already", statement->name);
        return NULL;
    }
    for (size_t i = 0; i < SCN_REQUESTS_MAX; i++) {
        if (run->requests[i].statement == NULL) {
            return &run->requests[i];
        }
    }
    scn_fail(run, statement, "more than %d requests under way", SCN_REQUESTS_MAX);
    return NULL;
}

typedef nt_request *starter(nt_file *file, uint32_t code, const void *in, size_t in_length, void *out,
                            size_t out_length);

static void start(struct scn_run *run, const struct scn_statement *statement, starter *begin)
{
    struct scn_request *request = unused_request(run, statement);
    if (request == NULL || !find_slot(run, statement, request)) {
        return;
    }
    memcpy(request->name, statement->name, sizeof request->name);
    request->handle = begin(request->slot->file, statement->code, request->in, request->in_length,
                            request->out_room != 0 ? request->out : NULL, request->out_room);
    if (request->handle == NULL) {
        free_request(request);
        scn_fail(run, statement, "out of memory");
        return;
    }
    run->latest_request = request;
}

void scn_request(struct scn_run *run, const struct scn_statement *statement)
{
    struct scn_request request = {0};
    if (statement->overlapped) {
        start(run, statement, nt_device_control_start);
    } else if (find_slot(run, statement, &request)) {
        send_and_check(run, &request);
    }
}

// Drivers leave these pending, so that the request waits in the driver when the next statement runs.
void scn_track(struct scn_run *run, const struct scn_statement *statement)
{
    // Behind another request it may be kept waiting before that.
    start(run, statement, run->tolerant ? nt_device_control_start : nt_device_control_begin);
}

// NULL: none, which is a failure unless a pulled reader is why.
static struct scn_request *request_of(struct scn_run *run, const struct scn_statement *statement)
{
    struct scn_request *request =
        statement->name[0] != '\0' ? request_named(run, statement->name) : run->latest_request;
    if (request == NULL || request->statement == NULL) {
        if (!run->pulled) {
            scn_fail(run, statement, "no such request is under way");
        }
        return NULL;
    }
    return request;
}

void scn_wait(struct scn_run *run, const struct scn_statement *statement)
{
    size_t returned = 0;
    struct scn_request *request = request_of(run, statement);
    if (request == NULL) {
        return;
    }
    if (!nt_request_wait(request->handle, (int64_t)statement->number * 1000)) {
        scn_fail(run, statement, "still under way after %llu ms", (unsigned long long)statement->number);
        return;
    }
    nt_status status = nt_request_end(request->handle, &returned);
    struct scn_result result = take_result(request, status, returned);
    // It may have ended before the reader was pulled.
    scn_check(run, statement, rig_status_gone(status) ? request->reader : NULL, &result);
    free_request(request);
}

void scn_pending(struct scn_run *run, const struct scn_statement *statement)
{
    struct scn_request *request = request_of(run, statement);
    if (request != NULL && nt_request_wait(request->handle, (int64_t)statement->number * 1000) &&
        !run->pulled) {
        scn_fail(run, statement, "the request has ended");
    }
}

void scn_cancel(struct scn_run *run, const struct scn_statement *statement)
{
    struct scn_request *request = request_of(run, statement);
    if (request != NULL) {
        nt_request_cancel(request->handle);
    }
}

void scn_requests_cancel(struct scn_run *run)
{
    for (size_t i = 0; i < SCN_REQUESTS_MAX; i++) {
        if (run->requests[i].statement != NULL) {
            nt_request_cancel(run->requests[i].handle);
        }
    }
}

void scn_requests_end(struct scn_run *run)
{
    for (size_t i = 0; i < SCN_REQUESTS_MAX; i++) {
        if (run->requests[i].statement != NULL) {
            (void)nt_request_end(run->requests[i].handle, NULL);
            free_request(&run->requests[i]);
        }
    }
}
