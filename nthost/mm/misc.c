// SPDX-License-Identifier: MIT
#include "nthost/exports.h"
#include "nthost/os/os.h"
#include "nthost/verifier/verifier.h"

PVOID NTAPI MmGetSystemRoutineAddress(PUNICODE_STRING Name)
{
    CHAR Text[64];
    ULONG Length = Name->Length / sizeof(WCHAR);
    NT_ENTRY(MmGetSystemRoutineAddress);
    if (Length >= sizeof Text) {
        return NULL;
    }
    for (ULONG i = 0; i < Length; i++) {
        Text[i] = (CHAR)Name->Buffer[i];
    }
    Text[Length] = 0;
    return (PVOID)(ULONG_PTR)nt_export_find(Text);
}

BOOLEAN NTAPI MmIsAddressValid(PVOID Address)
{
    NT_ENTRY(MmIsAddressValid);
    return os_is_mapped(Address);
}

MM_SYSTEMSIZE NTAPI MmQuerySystemSize(VOID)
{
    return MmLargeSystem;
}

BOOLEAN NTAPI MmIsThisAnNtAsSystem(VOID)
{
    return FALSE;
}

// ---- pageable sections stay where they are ----

PVOID NTAPI MmLockPagableDataSection(PVOID Address)
{
    NT_ENTRY(MmLockPagableDataSection);
    return Address;
}

VOID NTAPI MmLockPagableSectionByHandle(PVOID Section)
{
    (void)Section;
    NT_ENTRY(MmLockPagableSectionByHandle);
}

VOID NTAPI MmUnlockPagableImageSection(PVOID Section)
{
    (void)Section;
    NT_ENTRY(MmUnlockPagableImageSection);
}

PVOID NTAPI MmPageEntireDriver(PVOID Address)
{
    NT_ENTRY(MmPageEntireDriver);
    return Address;
}

VOID NTAPI MmResetDriverPaging(PVOID Address)
{
    (void)Address;
    NT_ENTRY(MmResetDriverPaging);
}
