// SPDX-License-Identifier: MIT
#include "nthost/ke/ke.h"
#include "nthost/os/os.h"
#include "nthost/rtl/rtl.h"
#include "nthost/verifier/report.h"
#include "nthost/verifier/verifier.h"

static CHAR KiReport[0x10000];
static uint32_t KiBugChecks;

static const struct {
    ULONG Code;
    PCSTR Name;
} KiBugCheckNames[] = {
    {0x0A, "IRQL_NOT_LESS_OR_EQUAL"},
    {0x0C, "MAXIMUM_WAIT_OBJECTS_EXCEEDED"},
    {0x18, "REFERENCE_BY_POINTER"},
    {0x1E, "KMODE_EXCEPTION_NOT_HANDLED"},
    {0x20, "KERNEL_APC_PENDING_DURING_EXIT"},
    {0x2A, "INCONSISTENT_IRP"},
    {0x35, "NO_MORE_IRP_STACK_LOCATIONS"},
    {0x44, "MULTIPLE_IRP_COMPLETE_REQUESTS"},
    {0x48, "CANCEL_STATE_IN_COMPLETED_IRP"},
    {0x50, "PAGE_FAULT_IN_NONPAGED_AREA"},
    {0x76, "PROCESS_HAS_LOCKED_PAGES"},
    {0x7E, "SYSTEM_THREAD_EXCEPTION_NOT_HANDLED"},
    {0x7F, "UNEXPECTED_KERNEL_MODE_TRAP"},
    {0x9F, "DRIVER_POWER_STATE_FAILURE"},
    {0xC2, "BAD_POOL_CALLER"},
    {0xC4, "DRIVER_VERIFIER_DETECTED_VIOLATION"},
    {0xC7, "TIMER_OR_DPC_INVALID"},
    {0xC8, "IRQL_UNEXPECTED_VALUE"},
    {0xC9, "DRIVER_VERIFIER_IOMANAGER_VIOLATION"},
    {0xCA, "PNP_DETECTED_FATAL_ERROR"},
    {0xCE, "DRIVER_UNLOADED_WITHOUT_CANCELLING_PENDING_OPERATIONS"},
    {0xD1, "DRIVER_IRQL_NOT_LESS_OR_EQUAL"},
    {0xE4, "WORKER_INVALID"},
    {0xF7, "DRIVER_OVERRAN_STACK_BUFFER"},
    {0xFE, "BUGCODE_USB_DRIVER"},
    {0x139, "KERNEL_SECURITY_CHECK_FAILURE"},
};

static PCSTR KiBugCheckName(ULONG Code)
{
    for (ULONG i = 0; i < RTL_NUMBER_OF(KiBugCheckNames); i++) {
        if (KiBugCheckNames[i].Code == Code) {
            return KiBugCheckNames[i].Name;
        }
    }
    return "bug check";
}

// Another thread that breaks a rule meanwhile is a consequence at most: it stays here until the process has
// ended.
static VOID KiStopOthers(VOID)
{
    static uint32_t Never;
    if (__atomic_exchange_n(&KiBugChecks, 1, __ATOMIC_ACQ_REL) != 0) {
        for (;;) {
            os_wait(&Never, 0, OS_FOREVER);
        }
    }
}

VOID KiBugCheck(ULONG Code, const ULONG_PTR Parameters[4], PCSTR Detail)
{
    KiStopOthers();
    RtlpAppend(KiReport, sizeof KiReport, "*** bug check 0x%X %s (0x%I64X, 0x%I64X, 0x%I64X, 0x%I64X)\n",
               Code, KiBugCheckName(Code), Parameters[0], Parameters[1], Parameters[2], Parameters[3]);
    RtlpAppend(KiReport, sizeof KiReport, "%s", Detail);
    VfDescribeContext(KiReport, sizeof KiReport);
    if (KiOptions.BugCheck != NULL) {
        KiOptions.BugCheck(KiOptions.Context, KiReport);
    } else {
        os_print(KiReport);
    }
    os_abort();
}

VOID NTAPI KeBugCheckEx(ULONG Code, ULONG_PTR P1, ULONG_PTR P2, ULONG_PTR P3, ULONG_PTR P4)
{
    const ULONG_PTR Parameters[] = {P1, P2, P3, P4};
    KiBugCheck(Code, Parameters, "");
}

VOID NTAPI KeBugCheck(ULONG Code)
{
    KeBugCheckEx(Code, 0, 0, 0, 0);
}

// Native code has no frame-based handlers.
VOID NTAPI ExRaiseStatus(NTSTATUS Status)
{
    if (KiHooks.Raise != NULL) {
        KiHooks.Raise((uint32_t)Status);
    }
    KeBugCheckEx(KMODE_EXCEPTION_NOT_HANDLED, (ULONG_PTR)Status, (ULONG_PTR)__builtin_return_address(0), 0,
                 0);
}

VOID NTAPI ExRaiseAccessViolation(VOID)
{
    ExRaiseStatus(STATUS_ACCESS_VIOLATION);
}

VOID NTAPI ExRaiseDatatypeMisalignment(VOID)
{
    ExRaiseStatus(STATUS_DATATYPE_MISALIGNMENT);
}
