// SPDX-License-Identifier: MIT
#include "nthost/ex/pool.h"
#include "nthost/verifier/faults.h"

// The headers turn these into the tagged forms.
#undef ExAllocatePool
#undef ExFreePool

enum { EXP_CACHE_LINE = 64, EXP_TAG_NONE = 'enoN' };

static ULONG ExpAlignmentOf(POOL_TYPE Type, SIZE_T Size)
{
    if (Size >= PAGE_SIZE) {
        return PAGE_SIZE;
    }
    return (Type & NonPagedPoolCacheAligned) != 0 ? EXP_CACHE_LINE : 16;
}

static PVOID ExpAllocate(POOL_TYPE Type, SIZE_T Size, ULONG Tag, PVOID Caller)
{
    if (VfEnabled) {
        ExpCheckAllocation(Type, Size, Tag);
    }
    if (VfFails(NT_FAULT_ALLOCATION)) {
        return NULL;
    }
    PEXP_BLOCK Block = ExpMakeBlock(Size, ExpAlignmentOf(Type, Size));
    if (Block == NULL) {
        return NULL;
    }
    Block->Tag = Tag;
    Block->Paged = (Type & PagedPool) != 0;
    Block->Caller = Caller;
    if (VfEnabled) {
        ExpTrackBlock(Block);
        RtlFillMemory(ExpBodyOf(Block), Size, EXP_NEW_FILL);
    }
    return ExpBodyOf(Block);
}

static VOID ExpFree(PVOID Body, ULONG Tag)
{
    ExpCheckFree(Body, Tag);
    PEXP_BLOCK Block = ExpBlockOf(Body);
    if (VfEnabled) {
        ExpQuarantineBlock(Block);
    } else {
        ExpUnmakeBlock(Block);
    }
}

PVOID NTAPI ExAllocatePoolWithTag(POOL_TYPE Type, SIZE_T Size, ULONG Tag)
{
    NT_ENTRY(ExAllocatePoolWithTag);
    PVOID Body = ExpAllocate(Type, Size, Tag, __builtin_return_address(0));
    if (Body == NULL && (Type & POOL_RAISE_IF_ALLOCATION_FAILURE) != 0) {
        ExRaiseStatus(STATUS_INSUFFICIENT_RESOURCES);
    }
    return Body;
}

PVOID NTAPI ExAllocatePool(POOL_TYPE Type, SIZE_T Size)
{
    NT_ENTRY(ExAllocatePool);
    return ExpAllocate(Type, Size, EXP_TAG_NONE, __builtin_return_address(0));
}

PVOID NTAPI ExAllocatePoolWithTagPriority(POOL_TYPE Type, SIZE_T Size, ULONG Tag, EX_POOL_PRIORITY Priority)
{
    (void)Priority;
    NT_ENTRY(ExAllocatePoolWithTagPriority);
    return ExpAllocate(Type, Size, Tag, __builtin_return_address(0));
}

// Quotas are not kept, only their manner to fail.
PVOID NTAPI ExAllocatePoolWithQuotaTag(POOL_TYPE Type, SIZE_T Size, ULONG Tag)
{
    NT_ENTRY(ExAllocatePoolWithQuotaTag);
    PVOID Body = ExpAllocate(Type, Size, Tag, __builtin_return_address(0));
    if (Body == NULL && (Type & POOL_QUOTA_FAIL_INSTEAD_OF_RAISE) == 0) {
        ExRaiseStatus(STATUS_INSUFFICIENT_RESOURCES);
    }
    return Body;
}

PVOID NTAPI ExAllocatePool2(ULONG64 Flags, SIZE_T Size, ULONG Tag)
{
    enum {
        UNINITIALIZED = 2,
        CACHE_ALIGNED = 8,
        RAISE = 0x20,
        NON_PAGED = 0x40,
        EXECUTABLE = 0x80,
        PAGED = 0x100
    };
    NT_ENTRY(ExAllocatePool2);
    ULONG Kind = (ULONG)Flags & (NON_PAGED | EXECUTABLE | PAGED);
    PVOID Body = NULL;
    if (Tag != 0 && Size != 0 && Kind != 0 && (Kind & (Kind - 1)) == 0) {
        POOL_TYPE Type = Kind == PAGED ? PagedPool : NonPagedPool;
        Type |= (Flags & CACHE_ALIGNED) != 0 ? NonPagedPoolCacheAligned : 0;
        Body = ExpAllocate(Type, Size, Tag, __builtin_return_address(0));
    }
    if (Body == NULL && (Flags & RAISE) != 0) {
        ExRaiseStatus(STATUS_INSUFFICIENT_RESOURCES);
    }
    if (Body != NULL && (Flags & UNINITIALIZED) == 0) {
        RtlZeroMemory(Body, Size);
    }
    return Body;
}

VOID NTAPI ExFreePoolWithTag(PVOID Body, ULONG Tag)
{
    NT_ENTRY(ExFreePoolWithTag);
    ExpFree(Body, Tag);
}

VOID NTAPI ExFreePool(PVOID Body)
{
    NT_ENTRY(ExFreePool);
    ExpFree(Body, 0);
}
