// SPDX-License-Identifier: MIT
// Nothing is paged and there is one address space, so an MDL's system address is its own.
#include "nthost/ex/ex.h"
#include "nthost/verifier/verifier.h"

static PVOID MiAddressOf(PMDL Mdl)
{
    return (PUCHAR)Mdl->StartVa + Mdl->ByteOffset;
}

SIZE_T NTAPI MmSizeOfMdl(PVOID Base, SIZE_T Length)
{
    return sizeof(MDL) + ADDRESS_AND_SIZE_TO_SPAN_PAGES(Base, Length) * sizeof(PFN_NUMBER);
}

VOID NTAPI MmBuildMdlForNonPagedPool(PMDL Mdl)
{
    NT_ENTRY(MmBuildMdlForNonPagedPool);
    if (VfEnabled && ExpIsPagedPool(MiAddressOf(Mdl))) {
        VfBreak(VfRuleMdlOfPagedPool, KeGetCurrentIrql(), (ULONG_PTR)Mdl, (ULONG_PTR)Mdl->MdlFlags,
                "MDL %p describes paged pool, whose pages must be locked", Mdl);
    }
    Mdl->MdlFlags |= MDL_SOURCE_IS_NONPAGED_POOL;
    Mdl->MappedSystemVa = MiAddressOf(Mdl);
}

VOID NTAPI MmProbeAndLockPages(PMDL Mdl, KPROCESSOR_MODE Mode, LOCK_OPERATION Operation)
{
    (void)Mode;
    NT_ENTRY(MmProbeAndLockPages);
    if (VfEnabled && (Mdl->MdlFlags & MDL_PAGES_LOCKED) != 0) {
        VfBreak(VfRuleMdlLockedTwice, (ULONG_PTR)Mdl, (ULONG_PTR)Mdl->MdlFlags, 0, "MDL %p is already locked",
                Mdl);
    }
    if (VfEnabled && (Mdl->MdlFlags & MDL_SOURCE_IS_NONPAGED_POOL) != 0) {
        VfBreak(VfRuleMdlNonPagedLocked, (ULONG_PTR)Mdl, (ULONG_PTR)Mdl->MdlFlags, 0,
                "MDL %p describes non-paged pool", Mdl);
    }
    Mdl->MdlFlags |= MDL_PAGES_LOCKED;
    if (Operation != IoReadAccess) {
        Mdl->MdlFlags |= MDL_WRITE_OPERATION;
    }
}

VOID NTAPI MmUnlockPages(PMDL Mdl)
{
    NT_ENTRY(MmUnlockPages);
    if (VfEnabled && (Mdl->MdlFlags & MDL_PAGES_LOCKED) == 0) {
        VfBreak((Mdl->MdlFlags & MDL_SOURCE_IS_NONPAGED_POOL) != 0 ? VfRuleMdlNonPagedLocked
                                                                   : VfRuleMdlNotLocked,
                (ULONG_PTR)Mdl, (ULONG_PTR)Mdl->MdlFlags, 0, "MDL %p is not locked", Mdl);
    }
    Mdl->MdlFlags =
        (CSHORT)(Mdl->MdlFlags & ~(MDL_PAGES_LOCKED | MDL_MAPPED_TO_SYSTEM_VA | MDL_WRITE_OPERATION));
}

PVOID NTAPI MmMapLockedPagesSpecifyCache(PMDL Mdl, KPROCESSOR_MODE Mode, MEMORY_CACHING_TYPE Caching,
                                         PVOID Base, ULONG BugCheckOnFailure, MM_PAGE_PRIORITY Priority)
{
    enum { MAPPABLE = MDL_PAGES_LOCKED | MDL_PARTIAL };
    (void)Mode, (void)Caching, (void)Base, (void)BugCheckOnFailure, (void)Priority;
    NT_ENTRY(MmMapLockedPagesSpecifyCache);
    if (VfEnabled && (Mdl->MdlFlags & MAPPABLE) == 0) {
        VfBreak(VfRuleMdlNotLocked, (ULONG_PTR)Mdl, (ULONG_PTR)Mdl->MdlFlags, 0,
                "MDL %p is mapped but not locked", Mdl);
    }
    Mdl->MdlFlags |= MDL_MAPPED_TO_SYSTEM_VA;
    if ((Mdl->MdlFlags & MDL_PARTIAL) != 0) {
        Mdl->MdlFlags |= MDL_PARTIAL_HAS_BEEN_MAPPED;
    }
    Mdl->MappedSystemVa = MiAddressOf(Mdl);
    return Mdl->MappedSystemVa;
}

PVOID NTAPI MmMapLockedPages(PMDL Mdl, KPROCESSOR_MODE Mode)
{
    NT_ENTRY(MmMapLockedPages);
    return MmMapLockedPagesSpecifyCache(Mdl, Mode, MmCached, NULL, TRUE, HighPagePriority);
}

VOID NTAPI MmUnmapLockedPages(PVOID Base, PMDL Mdl)
{
    (void)Base;
    NT_ENTRY(MmUnmapLockedPages);
    if (VfEnabled && (Mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA) == 0) {
        VfBreak(VfRuleMdlNotMapped, (ULONG_PTR)Mdl, (ULONG_PTR)Mdl->MdlFlags, 0, "MDL %p is not mapped", Mdl);
    }
    Mdl->MdlFlags = (CSHORT)(Mdl->MdlFlags & ~(MDL_MAPPED_TO_SYSTEM_VA | MDL_PARTIAL_HAS_BEEN_MAPPED));
}
