// SPDX-License-Identifier: MIT
#include "nthost/user/user.h"
#include "nthost/verifier/faults.h"

enum { USER_PATH_MAX = 512, USER_PREFIX = 4 };

// The Win32 spellings of a device path become the kernel's: \\.\X and \\?\X are \??\X.
static BOOLEAN kernel_path(const char *path, WCHAR *buffer, UNICODE_STRING *wide)
{
    if (!user_widen(path, buffer, USER_PATH_MAX, wide)) {
        return FALSE;
    }
    if (wide->Length >= USER_PREFIX * sizeof(WCHAR) && buffer[0] == L'\\' && buffer[1] == L'\\' &&
        (buffer[2] == L'.' || buffer[2] == L'?') && buffer[3] == L'\\') {
        buffer[1] = buffer[2] = L'?';
    }
    return TRUE;
}

nt_status local_open_for(const char *path, unsigned access, nt_file **file)
{
    WCHAR buffer[USER_PATH_MAX];
    UNICODE_STRING wide;
    PFILE_OBJECT object;
    *file = NULL;
    KiEnter();
    if (!kernel_path(path, buffer, &wide)) {
        return (nt_status)STATUS_OBJECT_NAME_INVALID;
    }
    ACCESS_MASK mask = SYNCHRONIZE | FILE_READ_ATTRIBUTES; // what CreateFile asks for in any case
    mask |= (access & NT_ACCESS_READ) != 0 ? FILE_GENERIC_READ : 0;
    mask |= (access & NT_ACCESS_WRITE) != 0 ? FILE_GENERIC_WRITE : 0;
    NTSTATUS status = IopOpenFile(&wide, mask, UserMode, &object);
    if (NT_SUCCESS(status)) {
        *file = (nt_file *)object;
    }
    return (nt_status)status;
}

void local_close(nt_file *file)
{
    KiEnter();
    IopCleanupFile((PFILE_OBJECT)file);
    ObDereferenceObject((PFILE_OBJECT)file);
}

// Sent by a thread of its own, since the driver may work on it without returning, and cancelled in time.
static NTSTATUS control_cancelled(nt_file *file, const IOP_CONTROL *control, ULONG_PTR *information)
{
    size_t returned = 0;
    nt_request *request = local_device_control_start(file, control->Code, control->In, control->InLength,
                                                     control->Out, control->OutLength);
    if (request == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    if (!local_request_wait(request, (int64_t)(VfFaultDelay() / 10 + 1))) {
        local_request_cancel(request);
    }
    NTSTATUS status = (NTSTATUS)local_request_end(request, &returned);
    *information = returned;
    return status;
}

static BOOLEAN is_cancelled(PFILE_OBJECT file)
{
    PDRIVER_OBJECT driver = IopStackTop(file->DeviceObject)->DriverObject;
    if ((VfFaultKinds[NT_FAULT_CANCEL] & NT_FAULT_REQUEST) == 0) {
        return FALSE;
    }
    KiCurrentThread()->Caller = (PVOID)(ULONG_PTR)driver->MajorFunction[IRP_MJ_DEVICE_CONTROL];
    return VfFaultDue(NT_FAULT_REQUEST, IopDriver(driver)->Id);
}

nt_status local_device_control(nt_file *file, uint32_t code, const void *in, size_t in_length, void *out,
                               size_t out_length, size_t *returned)
{
    IOP_CONTROL control = {code, (ULONG)in_length, (ULONG)out_length, in, out};
    IOP_REQUEST *request;
    ULONG_PTR information = 0;
    KiEnter();
    if (returned != NULL) {
        *returned = 0;
    }
    if (in_length > MAXULONG || out_length > MAXULONG) {
        return (nt_status)STATUS_INVALID_PARAMETER;
    }
    NTSTATUS status;
    if (is_cancelled((PFILE_OBJECT)file)) {
        request = NULL;
        status = control_cancelled(file, &control, &information);
    } else {
        status = IopBeginControl((PFILE_OBJECT)file, &control, &request);
    }
    if (request != NULL) {
        status = IopEndRequest(request, &information);
    }
    if (returned != NULL) {
        *returned = information;
    }
    return (nt_status)status;
}

// A control that could not be sent is a request as well: it is complete, and its status says why.
struct nt_request {
    IOP_REQUEST *request;
    NTSTATUS status;
    PKTHREAD sender; // NULL: it was sent by its caller
};

static nt_request *new_request(void)
{
    nt_request *handle = os_allocate(sizeof *handle, 16);
    if (handle != NULL) {
        *handle = (nt_request){NULL, STATUS_SUCCESS, NULL};
    }
    return handle;
}

nt_request *local_device_control_begin(nt_file *file, uint32_t code, const void *in, size_t in_length,
                                       void *out, size_t out_length)
{
    IOP_CONTROL control = {code, (ULONG)in_length, (ULONG)out_length, in, out};
    KiEnter();
    nt_request *handle = new_request();
    if (handle == NULL) {
        return NULL;
    }
    handle->status = in_length > MAXULONG || out_length > MAXULONG
                         ? STATUS_INVALID_PARAMETER
                         : IopBeginControl((PFILE_OBJECT)file, &control, &handle->request);
    return handle;
}

static void send_request(void *argument)
{
    PKTHREAD thread = argument;
    nt_request *handle = thread->StartContext;
    KiBeginThread(thread);
    (void)IopSendControl(handle->request, TRUE);
    KiEndThread(thread);
}

static VOID start_sender(nt_request *handle)
{
    handle->sender = KiCreateThread();
    if (handle->sender != NULL) {
        handle->sender->StartContext = handle;
        ObReferenceObject(handle->sender);
    }
    if (handle->sender == NULL || !KiStartThread(handle->sender, send_request)) {
        KeBugCheckEx(INSTALL_MORE_MEMORY, sizeof *handle->sender, 0, 0, 0);
    }
}

nt_request *local_device_control_start(nt_file *file, uint32_t code, const void *in, size_t in_length,
                                       void *out, size_t out_length)
{
    IOP_CONTROL control = {code, (ULONG)in_length, (ULONG)out_length, in, out};
    KiEnter();
    nt_request *handle = new_request();
    if (handle == NULL) {
        return NULL;
    }
    handle->status = in_length > MAXULONG || out_length > MAXULONG
                         ? STATUS_INVALID_PARAMETER
                         : IopMakeControl((PFILE_OBJECT)file, &control, &handle->request);
    if (NT_SUCCESS(handle->status)) {
        start_sender(handle);
    }
    return handle;
}

bool local_request_wait(nt_request *request, int64_t timeout_us)
{
    LARGE_INTEGER timeout = {.QuadPart = -timeout_us * 10};
    KiEnter();
    return request->request == NULL || IopWaitRequest(request->request, timeout_us < 0 ? NULL : &timeout);
}

void local_request_cancel(nt_request *request)
{
    KiEnter();
    if (request->request != NULL) {
        IopCancelRequest(request->request);
    }
}

nt_status local_request_end(nt_request *request, size_t *returned)
{
    ULONG_PTR information = 0;
    KiEnter();
    if (request->sender != NULL) {
        KeWaitForSingleObject(request->sender, Executive, KernelMode, FALSE, NULL);
        ObDereferenceObject(request->sender);
    }
    NTSTATUS status =
        request->request != NULL ? IopEndRequest(request->request, &information) : request->status;
    if (returned != NULL) {
        *returned = information;
    }
    os_free(request);
    return (nt_status)status;
}
