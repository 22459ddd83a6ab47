// SPDX-License-Identifier: MIT
// What the loader asks of the kernel: imports, IRQL, the end of the world.
#include "nthost/exports.h"
#include "nthost/image/image.h"
#include "nthost/image/internal.h"
#include "nthost/image/names.h"
#include "nthost/ke/ke.h"
#include "nthost/loader/loader.h"
#include "nthost/os/os.h"
#include "nthost/rtl/rtl.h"
#include "nthost/verifier/report.h"

static BOOLEAN ImgEnabled;
// The fault being reported: its stack is the one to show, not that of the report.
static const struct loader_fault *ImgFault;
static PKTHREAD ImgFaultThread;

// ---- threads ----

static void ImgThreadBegins(void *Thread)
{
    enum { LINUX_EALREADY = 114 }; // left over from an earlier boot
    int Error = ImgEnabled ? loader_thread_enter(Thread) : 0;
    if (Error != 0 && Error != -LINUX_EALREADY) {
        os_print("nthost: no memory for a thread that runs images\n");
        os_abort();
    }
}

static void ImgThreadEnds(void *Thread)
{
    (void)Thread;
    loader_thread_leave();
}

// ---- stacks ----

static unsigned ImgStack(void **Frames, unsigned Count)
{
    if (ImgFault == NULL || ImgFaultThread != KiThread) {
        return (unsigned)loader_backtrace((uintptr_t *)Frames, Count);
    }
    unsigned Depth = ImgFault->depth < Count ? (unsigned)ImgFault->depth : Count;
    for (unsigned i = 0; i < Depth; i++) {
        Frames[i] = (void *)ImgFault->frames[i];
    }
    return Depth;
}

static bool ImgDescribe(const void *Address, char *Text, size_t Size)
{
    return loader_module_at((uintptr_t)Address) != NULL && loader_describe((uintptr_t)Address, Text, Size);
}

// ---- the loader's questions ----

static void *ImgResolve(void *Context, const char *Module, const char *Name)
{
    (void)Context;
    return img_kernel_exports(Module, Name) ? (PVOID)(ULONG_PTR)nt_export_find(Name) : NULL;
}

static uint8_t ImgReadIrql(void *Context)
{
    (void)Context;
    return KiThread->Irql;
}

static void ImgWriteIrql(void *Context, uint8_t Irql)
{
    (void)Context;
    NtHostWriteCr8(Irql);
}

// ---- faults ----

typedef struct _IMG_STOP {
    ULONG Code;
    ULONG_PTR Parameters[4];
} IMG_STOP;

static IMG_STOP ImgExceptionStop(const struct loader_fault *Fault, ULONG Status)
{
    ULONG_PTR Kind = Fault->parameters[0], Touched = Fault->parameters[1];
    if (Status == (ULONG)STATUS_ACCESS_VIOLATION && KiThread->Irql >= DISPATCH_LEVEL) {
        return (IMG_STOP){DRIVER_IRQL_NOT_LESS_OR_EQUAL, {Touched, KiThread->Irql, Kind, Fault->address}};
    }
    if (KiThread->System) {
        return (IMG_STOP){SYSTEM_THREAD_EXCEPTION_NOT_HANDLED, {Status, Fault->address, Kind, Touched}};
    }
    return (IMG_STOP){KMODE_EXCEPTION_NOT_HANDLED, {Status, Fault->address, Kind, Touched}};
}

static IMG_STOP ImgStopOf(const struct loader_fault *Fault)
{
    enum { FAST_FAIL_STOP = 0x139, DOUBLE_FAULT = 8 };
    switch (Fault->kind) {
    case LOADER_FAULT_FAST_FAIL:
        return (IMG_STOP){FAST_FAIL_STOP, {Fault->code, 0, 0, Fault->address}};
    case LOADER_FAULT_STACK_OVERFLOW:
        return (IMG_STOP){UNEXPECTED_KERNEL_MODE_TRAP, {DOUBLE_FAULT, 0, 0, Fault->address}};
    case LOADER_FAULT_PRIVILEGED:
        return ImgExceptionStop(Fault, (ULONG)STATUS_PRIVILEGED_INSTRUCTION);
    default:
        return ImgExceptionStop(Fault, Fault->code);
    }
}

static void ImgFatal(void *Context, const struct loader_fault *Fault)
{
    static CHAR Detail[LOADER_LINE + 2];
    IMG_STOP Stop = ImgStopOf(Fault);
    (void)Context;
    ImgFaultThread = KiThread;
    ImgFault = Fault;
    KiThread->Caller = (PVOID)Fault->address;
    RtlpAppend(Detail, sizeof Detail, "%s\n", Fault->text);
    KiBugCheck(Stop.Code, Stop.Parameters, Detail);
}

// ---- starting and stopping ----

VOID ImgPrepare(BOOLEAN Images)
{
    ImgEnabled = Images;
    if (Images) {
        // They stay: a thread of the host may end after the kernel.
        KiHooks = (KI_HOOKS){ImgThreadBegins, ImgThreadEnds, loader_raise_status};
    }
}

BOOLEAN ImgStart(VOID)
{
    static const struct os_tracer Tracer = {ImgStack, ImgDescribe};
    const struct loader_host Host = {.resolve = ImgResolve,
                                     .need = ImgNeed,
                                     .irql_read = ImgReadIrql,
                                     .irql_write = ImgWriteIrql,
                                     .shared_data = NtHostUserSharedData,
                                     .fatal = ImgFatal};
    if (!ImgEnabled) {
        return TRUE;
    }
    if (loader_start(&Host) != 0) {
        return FALSE;
    }
    os_trace_with(&Tracer);
    ImgThreadBegins(KiThread); // perhaps a thread of the kernel before this boot
    return TRUE;
}

VOID ImgShutdown(VOID)
{
    if (ImgEnabled) {
        ImgUnmapAll();
        os_trace_with(NULL);
        loader_stop();
        ImgEnabled = FALSE;
    }
}

BOOLEAN ImgStarted(VOID)
{
    return ImgEnabled;
}
