// SPDX-License-Identifier: MIT
// Memory of MDLs; what they describe is mm/'s.
#include "nthost/io/io.h"

enum { IOP_MDL_TAG = ' ldM' };

PMDL NTAPI IoAllocateMdl(PVOID VirtualAddress, ULONG Length, BOOLEAN SecondaryBuffer, BOOLEAN ChargeQuota,
                         PIRP Irp)
{
    NT_ENTRY(IoAllocateMdl);
    UNREFERENCED_PARAMETER(ChargeQuota);
    SIZE_T pages = ADDRESS_AND_SIZE_TO_SPAN_PAGES(VirtualAddress, Length);
    SIZE_T size = sizeof(MDL) + pages * sizeof(PFN_NUMBER);
    PMDL mdl = size <= MAXSHORT ? ExAllocatePoolWithTag(NonPagedPool, size, IOP_MDL_TAG) : NULL;
    if (mdl == NULL) {
        return NULL;
    }
    RtlZeroMemory(mdl, size);
    MmInitializeMdl(mdl, VirtualAddress, Length);
    if (Irp == NULL) {
        return mdl;
    }
    PMDL *link = &Irp->MdlAddress;
    while (SecondaryBuffer && *link != NULL) {
        link = &(*link)->Next;
    }
    *link = mdl;
    return mdl;
}

VOID NTAPI IoFreeMdl(PMDL Mdl)
{
    NT_ENTRY(IoFreeMdl);
    if ((Mdl->MdlFlags & MDL_PARTIAL_HAS_BEEN_MAPPED) != 0) {
        MmUnmapLockedPages(Mdl->MappedSystemVa, Mdl);
    }
    if ((Mdl->MdlFlags & MDL_PAGES_LOCKED) != 0 && VfEnabled) {
        VfBreak(VfRuleMdlLockedTwice, (ULONG_PTR)Mdl, (ULONG_PTR)Mdl->MdlFlags, 0,
                "IoFreeMdl(%p): its pages are still locked", Mdl);
    }
    ExFreePoolWithTag(Mdl, IOP_MDL_TAG);
}

VOID NTAPI IoBuildPartialMdl(PMDL SourceMdl, PMDL TargetMdl, PVOID VirtualAddress, ULONG Length)
{
    NT_ENTRY(IoBuildPartialMdl);
    ULONG_PTR start = (ULONG_PTR)MmGetMdlVirtualAddress(SourceMdl);
    ULONG offset = (ULONG)((ULONG_PTR)VirtualAddress - start);
    ULONG rest = MmGetMdlByteCount(SourceMdl) - offset;
    CSHORT inherited = MDL_MAPPED_TO_SYSTEM_VA | MDL_SOURCE_IS_NONPAGED_POOL | MDL_IO_PAGE_READ;
    TargetMdl->StartVa = (PVOID)((ULONG_PTR)VirtualAddress & ~(ULONG_PTR)(PAGE_SIZE - 1));
    TargetMdl->ByteOffset = (ULONG)((ULONG_PTR)VirtualAddress & (PAGE_SIZE - 1));
    TargetMdl->ByteCount = Length != 0 ? Length : rest;
    TargetMdl->Process = SourceMdl->Process;
    TargetMdl->MappedSystemVa = (PUCHAR)SourceMdl->MappedSystemVa + offset;
    TargetMdl->MdlFlags = (CSHORT)(MDL_PARTIAL | (SourceMdl->MdlFlags & inherited));
}
