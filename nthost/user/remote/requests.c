// SPDX-License-Identifier: MIT
// Files and requests in the kernel's process. The calling process uses a file as nthost.h says: none after
// its close.
#include <stdlib.h>
#include <string.h>

#include "nthost/user/remote/serve.h"

#define STATUS_NO_RESOURCES 0xC000009Au
#define STATUS_NO_HANDLE    0xC0000008u

enum { OPEN_MAX_FILES = 1024 };

static nt_file *files[OPEN_MAX_FILES]; // under serve_lock()

static uint32_t keep_file(nt_file *file)
{
    serve_lock();
    uint32_t number = 0;
    while (number < OPEN_MAX_FILES && files[number] != NULL) {
        number++;
    }
    if (number < OPEN_MAX_FILES) {
        files[number] = file;
    }
    serve_unlock();
    return number;
}

static nt_file *find_file(uint32_t number, bool forget)
{
    serve_lock();
    nt_file *file = number < OPEN_MAX_FILES ? files[number] : NULL;
    if (file != NULL && forget) {
        files[number] = NULL;
    }
    serve_unlock();
    return file;
}

void answer_open(const struct wire_call *call, const char *bytes, struct answer *answer)
{
    nt_file *file;
    answer->reply.status = nt_open_for(bytes, call->code, &file);
    if (file == NULL) {
        return;
    }
    answer->reply.value = keep_file(file);
    if (answer->reply.value == OPEN_MAX_FILES) {
        nt_close(file);
        answer->reply.status = STATUS_NO_RESOURCES;
    }
}

void answer_close(const struct wire_call *call, const char *bytes, struct answer *answer)
{
    nt_file *file = find_file(call->file, true);
    (void)bytes;
    (void)answer;
    if (file != NULL) {
        nt_close(file);
    }
}

// The cancelling call may come before the request it is for.
static void begin_request(struct served *served, uint64_t number, nt_request *request)
{
    serve_lock();
    served->running = request;
    served->request = number;
    bool cancelled = served->cancelled == number;
    serve_unlock();
    if (cancelled) {
        nt_request_cancel(request);
    }
}

void answer_cancel(const struct wire_call *call, const char *bytes, struct answer *answer)
{
    (void)bytes;
    (void)answer;
    serve_lock();
    struct served *served = serve_find(call->number);
    if (served != NULL) {
        served->cancelled = call->value;
        if (served->running != NULL && served->request == call->value) {
            nt_request_cancel(served->running); // locked, so that it is not ended meanwhile
        }
    }
    serve_unlock();
}

static nt_status run_request(struct served *served, nt_file *file, const struct wire_call *call,
                             const void *in, void *out, size_t *returned)
{
    nt_request *request = nt_device_control_start(file, call->code, in, call->length, out, call->out_length);
    if (request == NULL) {
        return STATUS_NO_RESOURCES;
    }
    begin_request(served, call->value, request);
    (void)nt_request_wait(request, -1);
    serve_lock();
    served->running = NULL;
    serve_unlock();
    return nt_request_end(request, returned);
}

void answer_control(struct served *served, const struct wire_call *call, const char *bytes,
                    struct answer *answer)
{
    size_t returned = 0;
    nt_file *file = find_file(call->file, false);
    void *out = call->out_length <= WIRE_MAX ? calloc(1, (size_t)call->out_length + 1) : NULL;
    answer->bytes = out;
    answer->room = call->out_length;
    if (file == NULL || out == NULL) {
        answer->reply.status = file == NULL ? STATUS_NO_HANDLE : STATUS_NO_RESOURCES;
        return;
    }
    answer->reply.status =
        call->op == REMOTE_REQUEST
            ? run_request(served, file, call, bytes, out, &returned)
            : nt_device_control(file, call->code, bytes, call->length, out, call->out_length, &returned);
    answer->reply.value = returned;
    answer->reply.length = (uint32_t)(returned < call->out_length ? returned : call->out_length);
}
