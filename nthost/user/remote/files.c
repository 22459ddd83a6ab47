// SPDX-License-Identifier: MIT
// Files and requests of a kernel in a child. A file outlives its kernel: then everything asked of it says
// that it is gone, until it is closed.
#include <stdlib.h>
#include <string.h>

#include "nthost/user/remote/calls.h"
#include "nthost/user/remote/client.h"

#define STATUS_NO_RESOURCES  0xC000009Au
#define STATUS_NOT_PARAMETER 0xC000000Du

struct remote_file {
    unsigned generation;
    uint32_t number;
};

nt_status remote_open_for(const char *path, unsigned access, nt_file **file)
{
    struct client_call call = {
        .call = {.op = REMOTE_OPEN, .code = access, .length = (uint32_t)strlen(path) + 1}, .in = path};
    *file = NULL;
    struct remote_file *opened = malloc(sizeof *opened);
    if (opened == NULL) {
        return STATUS_NO_RESOURCES;
    }
    opened->generation = client_generation();
    (void)client_call(&call);
    if ((int32_t)call.reply.status < 0) {
        free(opened);
        return call.reply.status;
    }
    opened->number = (uint32_t)call.reply.value;
    *file = (nt_file *)opened;
    return call.reply.status;
}

void remote_close(nt_file *file)
{
    struct remote_file *opened = (struct remote_file *)file;
    struct client_call call = {.call = {.op = REMOTE_CLOSE, .file = opened->number}};
    if (opened->generation == client_generation()) {
        (void)client_call(&call);
    }
    free(opened);
}

// What a program may read of its buffer: no more than has come.
static size_t returned_bytes(const struct client_call *call)
{
    return call->reply.value < call->reply.length ? (size_t)call->reply.value : call->reply.length;
}

// False: the file's kernel has gone.
static bool begin_control(struct client_connection **connection, const nt_file *file,
                          struct client_call *call)
{
    const struct remote_file *opened = (const struct remote_file *)file;
    call->call.file = opened->number;
    call->reply = (struct wire_reply){.status = WIRE_GONE};
    *connection = opened->generation == client_generation() ? client_take() : NULL;
    return *connection != NULL;
}

static struct client_call control_call(uint32_t op, uint32_t code, const void *in, size_t in_length,
                                       void *out, size_t out_length)
{
    return (struct client_call){
        .call = {.op = op, .code = code, .length = (uint32_t)in_length, .out_length = (uint32_t)out_length},
        .in = in,
        .out = out,
        .out_size = out_length};
}

nt_status remote_device_control(nt_file *file, uint32_t code, const void *in, size_t in_length, void *out,
                                size_t out_length, size_t *returned)
{
    struct client_connection *connection;
    struct client_call call = control_call(REMOTE_CONTROL, code, in, in_length, out, out_length);
    if (returned != NULL) {
        *returned = 0;
    }
    if (in_length > WIRE_MAX || out_length > WIRE_MAX) {
        return STATUS_NOT_PARAMETER;
    }
    if (begin_control(&connection, file, &call)) {
        bool done = client_send(connection, &call) && client_receive(connection, &call);
        client_give(connection, done);
    }
    if (returned != NULL) {
        *returned = returned_bytes(&call);
    }
    return call.reply.status;
}

struct nt_request {
    struct client_connection *connection; // NULL: it was not sent, the reply says why
    struct client_call call;
    bool sent;
};

nt_request *remote_device_control_begin(nt_file *file, uint32_t code, const void *in, size_t in_length,
                                        void *out, size_t out_length)
{
    nt_request *request = malloc(sizeof *request);
    if (request == NULL) {
        return NULL;
    }
    *request = (nt_request){.call = control_call(REMOTE_REQUEST, code, in, in_length, out, out_length)};
    if (in_length > WIRE_MAX || out_length > WIRE_MAX) {
        request->call.reply.status = STATUS_NOT_PARAMETER;
    } else if (begin_control(&request->connection, file, &request->call)) {
        request->call.call.value = client_next_request(request->connection);
        request->sent = client_send(request->connection, &request->call);
    }
    return request;
}

bool remote_request_wait(nt_request *request, int64_t timeout_us)
{
    return !request->sent || client_wait(request->connection, timeout_us);
}

void remote_request_cancel(nt_request *request)
{
    if (request->sent) {
        struct client_call call = {.call = {.op = REMOTE_CANCEL,
                                            .number = client_number(request->connection),
                                            .value = request->call.call.value}};
        (void)client_call(&call);
    }
}

nt_status remote_request_end(nt_request *request, size_t *returned)
{
    if (request->connection != NULL) {
        bool done = request->sent && client_receive(request->connection, &request->call);
        client_give(request->connection, done);
    }
    nt_status status = request->call.reply.status;
    if (returned != NULL) {
        *returned = returned_bytes(&request->call);
    }
    free(request);
    return status;
}
