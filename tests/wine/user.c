// SPDX-License-Identifier: MIT
// nthost/user/nthost.h over Win32, as far as scenarios use it: the same calls, another kernel.
#define WIN32_LEAN_AND_MEAN
#include <windows.h>

#include <errno.h>
#include <stdlib.h>
#include <winioctl.h>

#include "nthost/user/nthost.h"
#include "rig/status.h"
#include "tests/wine/unable.h"

#define STATUS_FILE_DELETED 0xC0000123u
NTSYSAPI ULONG NTAPI RtlGetLastNtStatus(VOID); // of ntdll: the status behind GetLastError()

struct nt_file {
    HANDLE handle;
    char path[NT_ID_MAX];
    unsigned under_way, left; // requests that have not ended, and those of them that nobody has cancelled
    nt_file *next;
};

struct nt_request {
    OVERLAPPED overlapped;
    nt_file *file;
    uint32_t code;
    const void *in;
    void *out;
    size_t in_length, out_length;
    bool cancelled, ended;
    nt_status status;
    size_t returned;
};

static nt_file *files; // that are open; scenarios run on one thread

// ---- what is missing ----

static const char no_stop[] =
    "Wine has no QUERY_STOP, STOP and QUERY_REMOVE, and does not start a device again";

nt_status nt_device_stop(const char *instance)
{
    (void)instance;
    unable_note(no_stop);
    return RIG_STATUS_NOT_SUPPORTED;
}

nt_status nt_device_start(const char *instance)
{
    return nt_device_stop(instance);
}

nt_status nt_device_remove(const char *instance)
{
    return nt_device_stop(instance);
}

void nt_device_surprise_remove(const char *instance)
{
    (void)instance;
    unable_note("Wine reports a device missing only when its bus does; `unplug` does that");
}

void nt_pnp_wait(void)
{
}

nt_status nt_system_power(enum nt_system_power state)
{
    (void)state;
    unable_note("Wine sends no power IRPs");
    return RIG_STATUS_NOT_SUPPORTED;
}

// A value that is read at the next start would change nothing.
int nt_registry_set_dword(const char *key, const char *name, uint32_t value)
{
    (void)key, (void)name, (void)value;
    unable_note(no_stop);
    return -ENOSYS;
}

int nt_registry_set_string(const char *key, const char *name, const char *value)
{
    (void)value;
    return nt_registry_set_dword(key, name, 0);
}

// ---- time ----

uint64_t nt_now_us(void)
{
    LARGE_INTEGER now, frequency;
    QueryPerformanceCounter(&now);
    QueryPerformanceFrequency(&frequency);
    return (uint64_t)((double)now.QuadPart * 1e6 / (double)frequency.QuadPart);
}

void nt_sleep_us(uint64_t microseconds)
{
    Sleep((DWORD)(microseconds / 1000));
}

// ---- files ----

static bool is_open(const char *path)
{
    for (const nt_file *file = files; file != NULL; file = file->next) {
        if (strcmp(file->path, path) == 0) {
            return true;
        }
    }
    return false;
}

nt_status nt_open(const char *path, nt_file **file)
{
    if (is_open(path)) {
        unable_note("Wine opens a file also when the driver's DispatchCreate refuses it");
        return RIG_STATUS_NOT_SUPPORTED;
    }
    nt_file *opened = calloc(1, sizeof *opened);
    if (opened == NULL || strlen(path) >= NT_ID_MAX) {
        free(opened);
        return RIG_STATUS_INSUFFICIENT_RESOURCES;
    }
    opened->handle = CreateFileA(path, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                                 OPEN_EXISTING, FILE_FLAG_OVERLAPPED, NULL);
    if (opened->handle == INVALID_HANDLE_VALUE) {
        free(opened);
        return RtlGetLastNtStatus();
    }
    memcpy(opened->path, path, strlen(path) + 1);
    opened->next = files;
    files = opened;
    *file = opened;
    return RIG_STATUS_SUCCESS;
}

// Requests that outlive their file keep the structure.
void nt_close(nt_file *file)
{
    nt_file **link = &files;
    while (*link != NULL && *link != file) {
        link = &(*link)->next;
    }
    if (*link == NULL) {
        return;
    }
    *link = file->next;
    if (file->left != 0) {
        unable_note("Wine sends no IRP_MJ_CLEANUP, so what is under way goes on");
        (void)CancelIoEx(file->handle, NULL); // for those who come after
    }
    CloseHandle(file->handle);
    if (file->under_way == 0) {
        free(file);
    }
}

// ---- requests ----

static void send_request(nt_request *request)
{
    DWORD returned = 0;
    BOOL done =
        DeviceIoControl(request->file->handle, request->code, (void *)request->in, (DWORD)request->in_length,
                        request->out, (DWORD)request->out_length, &returned, &request->overlapped);
    if (!done && GetLastError() == ERROR_IO_PENDING) {
        return;
    }
    request->ended = true;
    request->status = done ? RIG_STATUS_SUCCESS : RtlGetLastNtStatus();
    request->returned = returned;
}

static nt_request *make_request(nt_file *file, uint32_t code, const void *in, size_t in_length, void *out,
                                size_t out_length)
{
    nt_request *request = calloc(1, sizeof *request);
    if (request == NULL) {
        return NULL;
    }
    *request = (nt_request){
        .file = file, .code = code, .in = in, .in_length = in_length, .out = out, .out_length = out_length};
    request->overlapped.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL);
    if (request->overlapped.hEvent == NULL) {
        free(request);
        return NULL;
    }
    file->under_way++;
    file->left++;
    return request;
}

nt_request *nt_device_control_begin(nt_file *file, uint32_t code, const void *in, size_t in_length, void *out,
                                    size_t out_length)
{
    nt_request *request = make_request(file, code, in, in_length, out, out_length);
    if (request != NULL) {
        send_request(request);
    }
    return request;
}

nt_request *nt_device_control_start(nt_file *file, uint32_t code, const void *in, size_t in_length, void *out,
                                    size_t out_length)
{
    (void)file, (void)code, (void)in, (void)in_length, (void)out, (void)out_length;
    unable_note("Wine sends all requests from one thread, so none comes while the driver works on another");
    return NULL;
}

bool nt_request_wait(nt_request *request, int64_t timeout_us)
{
    DWORD milliseconds = timeout_us < 0 ? INFINITE : (DWORD)(timeout_us / 1000);
    if (!request->ended && WaitForSingleObject(request->overlapped.hEvent, milliseconds) != WAIT_OBJECT_0) {
        return false;
    }
    if (!request->ended) {
        request->ended = true;
        request->status = (nt_status)request->overlapped.Internal;
        request->returned = request->overlapped.InternalHigh;
    }
    return true;
}

void nt_request_cancel(nt_request *request)
{
    if (!request->cancelled) {
        request->cancelled = true;
        request->file->left--;
        (void)CancelIoEx(request->file->handle, &request->overlapped);
    }
}

// Wine removes a device under its open files and then answers in the driver's stead.
static nt_status translate(nt_status status)
{
    return status == STATUS_FILE_DELETED ? RIG_STATUS_DEVICE_NOT_CONNECTED : status;
}

nt_status nt_request_end(nt_request *request, size_t *returned)
{
    (void)nt_request_wait(request, -1);
    nt_status status = translate(request->status);
    if (returned != NULL) {
        *returned = request->returned;
    }
    CloseHandle(request->overlapped.hEvent);
    request->file->under_way--;
    request->file->left -= request->cancelled ? 0 : 1;
    free(request);
    return status;
}

nt_status nt_device_control(nt_file *file, uint32_t code, const void *in, size_t in_length, void *out,
                            size_t out_length, size_t *returned)
{
    nt_request *request = nt_device_control_begin(file, code, in, in_length, out, out_length);
    return request != NULL ? nt_request_end(request, returned) : RIG_STATUS_INSUFFICIENT_RESOURCES;
}
