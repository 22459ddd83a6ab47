// SPDX-License-Identifier: MIT
// Lookaside lists. Under the verifier they keep nothing, so that every block meets the pool's rules.
#include "nthost/ex/ex.h"
#include "nthost/ke/ke.h"
#include "nthost/ke/lock.h"
#include "nthost/verifier/verifier.h"

#undef ExFreePool

enum { EXP_LOOKASIDE_DEPTH = 16 };

static uint32_t ExpLookasideLock;
static LIST_ENTRY ExpLookasides = {&ExpLookasides, &ExpLookasides};

static VOID ExpInitializeLookaside(PGENERAL_LOOKASIDE List, PALLOCATE_FUNCTION Allocate, PFREE_FUNCTION Free,
                                   POOL_TYPE Type, SIZE_T Size, ULONG Tag)
{
    RtlZeroMemory(List, sizeof *List);
    List->Depth = VfEnabled ? 0 : EXP_LOOKASIDE_DEPTH;
    List->MaximumDepth = EXP_LOOKASIDE_DEPTH;
    List->Type = Type;
    List->Tag = Tag;
    List->Size = Size < LOOKASIDE_MINIMUM_BLOCK_SIZE ? (ULONG)LOOKASIDE_MINIMUM_BLOCK_SIZE : (ULONG)Size;
    List->Allocate = Allocate != NULL ? Allocate : ExAllocatePoolWithTag;
    List->Free = Free != NULL ? Free : ExFreePool;
    List->Future[0] = VfCurrentDriver();
    KiLock(&ExpLookasideLock);
    InsertTailList(&ExpLookasides, &List->ListEntry);
    KiUnlock(&ExpLookasideLock);
}

static VOID ExpDeleteLookaside(PGENERAL_LOOKASIDE List)
{
    PVOID Entry;
    KiLock(&ExpLookasideLock);
    RemoveEntryList(&List->ListEntry);
    KiUnlock(&ExpLookasideLock);
    while ((Entry = InterlockedPopEntrySList(&List->ListHead)) != NULL) {
        List->Free(Entry);
    }
}

VOID NTAPI ExInitializeNPagedLookasideList(PNPAGED_LOOKASIDE_LIST List, PALLOCATE_FUNCTION Allocate,
                                           PFREE_FUNCTION Free, ULONG Flags, SIZE_T Size, ULONG Tag,
                                           USHORT Depth)
{
    (void)Flags, (void)Depth; // both are reserved
    NT_ENTRY(ExInitializeNPagedLookasideList);
    ExpInitializeLookaside(&List->L, Allocate, Free, NonPagedPool, Size, Tag);
}

VOID NTAPI ExDeleteNPagedLookasideList(PNPAGED_LOOKASIDE_LIST List)
{
    NT_ENTRY(ExDeleteNPagedLookasideList);
    ExpDeleteLookaside(&List->L);
}

VOID NTAPI ExInitializePagedLookasideList(PPAGED_LOOKASIDE_LIST List, PALLOCATE_FUNCTION Allocate,
                                          PFREE_FUNCTION Free, ULONG Flags, SIZE_T Size, ULONG Tag,
                                          USHORT Depth)
{
    (void)Flags, (void)Depth;
    NT_ENTRY(ExInitializePagedLookasideList);
    ExpInitializeLookaside(&List->L, Allocate, Free, PagedPool, Size, Tag);
}

VOID NTAPI ExDeletePagedLookasideList(PPAGED_LOOKASIDE_LIST List)
{
    NT_ENTRY(ExDeletePagedLookasideList);
    ExpDeleteLookaside(&List->L);
}

PVOID ExpFindLookaside(PVOID Start, SIZE_T Size, USHORT Driver)
{
    PVOID Found = NULL;
    KiLock(&ExpLookasideLock);
    for (PLIST_ENTRY Entry = ExpLookasides.Flink; Entry != &ExpLookasides && Found == NULL;
         Entry = Entry->Flink) {
        PGENERAL_LOOKASIDE List = CONTAINING_RECORD(Entry, GENERAL_LOOKASIDE, ListEntry);
        if ((ULONG_PTR)List - (ULONG_PTR)Start < Size || (Driver != 0 && List->Future[0] == Driver)) {
            Found = List;
        }
    }
    KiUnlock(&ExpLookasideLock);
    return Found;
}
