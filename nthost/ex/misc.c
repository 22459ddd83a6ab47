// SPDX-License-Identifier: MIT
#include "nthost/ke/ke.h"
#include "nthost/verifier/verifier.h"

KPROCESSOR_MODE NTAPI ExGetPreviousMode(VOID)
{
    return KernelMode; // requests of user mode say so in their IRP
}

static VOID ExpProbe(ULONG_PTR Address, SIZE_T Length, ULONG Alignment)
{
    if (Length == 0) {
        return;
    }
    if ((Address & (Alignment - 1)) != 0) {
        ExRaiseDatatypeMisalignment();
    }
    if (Address == 0 || Address + Length < Address) {
        ExRaiseAccessViolation();
    }
}

VOID NTAPI ProbeForRead(const VOID *Address, SIZE_T Length, ULONG Alignment)
{
    NT_ENTRY(ProbeForRead);
    ExpProbe((ULONG_PTR)Address, Length, Alignment);
}

VOID NTAPI ProbeForWrite(PVOID Address, SIZE_T Length, ULONG Alignment)
{
    NT_ENTRY(ProbeForWrite);
    ExpProbe((ULONG_PTR)Address, Length, Alignment);
}

// From a counter and the time since boot: unique in this system, which is all that drivers use it for.
NTSTATUS NTAPI ExUuidCreate(UUID *Uuid)
{
    static LONG Counter;
    NT_ENTRY(ExUuidCreate);
    ULONG64 Time = KiUptime();
    ULONG Serial = (ULONG)InterlockedIncrement(&Counter);
    RtlZeroMemory(Uuid, sizeof *Uuid);
    Uuid->Data1 = (ULONG)Time;
    Uuid->Data2 = (USHORT)(Time >> 32);
    Uuid->Data3 = (USHORT)(0x1000 | ((Time >> 48) & 0x0FFF)); // RFC 4122: version 1
    Uuid->Data4[0] = 0x80;
    RtlCopyMemory(Uuid->Data4 + 4, &Serial, sizeof Serial);
    return STATUS_SUCCESS;
}
