// SPDX-License-Identifier: MIT
// Reader/writer locks, within the memory of an ERESOURCE, whose fields drivers do not touch. Shared
// acquisition never waits for an exclusive waiter, so a thread may nest it.
#include "nthost/ex/ex.h"
#include "nthost/ke/ke.h"
#include "nthost/ke/lock.h"
#include "nthost/verifier/faults.h"

typedef struct _EXP_RESOURCE {
    LIST_ENTRY ListEntry; // of all, with the verifier
    KEVENT Free;          // set when it may be worth another try
    PKTHREAD Owner;
    uint32_t Lock;
    LONG Exclusive; // nesting of the owner's
    LONG Shared;
    LONG Waiters;
} EXP_RESOURCE, *PEXP_RESOURCE;
C_ASSERT(sizeof(EXP_RESOURCE) <= sizeof(ERESOURCE));

static uint32_t ExpResourcesLock;
static LIST_ENTRY ExpResources = {&ExpResources, &ExpResources};

VOID ExpForgetResources(VOID)
{
    InitializeListHead(&ExpResources);
}

static PEXP_RESOURCE ExpResource(PERESOURCE Resource)
{
    return (PEXP_RESOURCE)Resource;
}

NTSTATUS NTAPI ExInitializeResourceLite(PERESOURCE Resource)
{
    NT_ENTRY(ExInitializeResourceLite);
    NT_MAY_FAIL(OBJECT, STATUS_INSUFFICIENT_RESOURCES);
    RtlZeroMemory(Resource, sizeof *Resource);
    KeInitializeEvent(&ExpResource(Resource)->Free, NotificationEvent, FALSE);
    if (VfEnabled) {
        KiLock(&ExpResourcesLock);
        InsertTailList(&ExpResources, &ExpResource(Resource)->ListEntry);
        KiUnlock(&ExpResourcesLock);
    }
    return STATUS_SUCCESS;
}

PVOID ExpFindResource(PVOID Start, SIZE_T Size)
{
    PVOID Found = NULL;
    KiLock(&ExpResourcesLock);
    for (PLIST_ENTRY Entry = ExpResources.Flink; Entry != &ExpResources && Found == NULL;
         Entry = Entry->Flink) {
        PEXP_RESOURCE Resource = CONTAINING_RECORD(Entry, EXP_RESOURCE, ListEntry);
        Found = (ULONG_PTR)Resource - (ULONG_PTR)Start < Size ? Resource : NULL;
    }
    KiUnlock(&ExpResourcesLock);
    return Found;
}

NTSTATUS NTAPI ExDeleteResourceLite(PERESOURCE Resource)
{
    NT_ENTRY(ExDeleteResourceLite);
    PEXP_RESOURCE Own = ExpResource(Resource);
    if (Own->Shared != 0 || Own->Exclusive != 0) {
        VfBreak(VfRuleResourceNotOwned, (ULONG_PTR)Resource, 0, 0, "resource %p deleted while held",
                Resource);
    }
    if (VfEnabled) {
        KiLock(&ExpResourcesLock);
        RemoveEntryList(&Own->ListEntry);
        KiUnlock(&ExpResourcesLock);
    }
    RtlZeroMemory(Resource, sizeof *Resource);
    return STATUS_SUCCESS;
}

static BOOLEAN ExpTryResource(PEXP_RESOURCE Resource, BOOLEAN Exclusive, PKTHREAD Thread)
{
    if (Resource->Exclusive != 0) {
        if (Resource->Owner != Thread) {
            return FALSE;
        }
        Resource->Exclusive++; // shared on top of exclusive counts as exclusive
        return TRUE;
    }
    if (!Exclusive) {
        Resource->Shared++;
        return TRUE;
    }
    if (Resource->Shared != 0) {
        return FALSE;
    }
    Resource->Owner = Thread;
    Resource->Exclusive = 1;
    return TRUE;
}

static BOOLEAN ExpAcquireResource(PERESOURCE Resource, BOOLEAN Exclusive, BOOLEAN Wait)
{
    PEXP_RESOURCE Own = ExpResource(Resource);
    PKTHREAD Thread = KiCurrentThread();
    if (VfEnabled && !KeAreApcsDisabled() && Thread->Irql < APC_LEVEL) {
        VfBreak(VfRuleResourceApcsEnabled, Thread->Irql, 0, (ULONG_PTR)Resource,
                "resource %p acquired outside of a critical region", Resource);
    }
    for (;;) {
        KiPreempt(Own);
        KiLock(&Own->Lock);
        BOOLEAN Acquired = ExpTryResource(Own, Exclusive, Thread);
        if (!Acquired && Wait) {
            Own->Waiters++;
            KiLockObject(&Own->Free.Header);
            Own->Free.Header.SignalState = 0;
            KiUnlockObject(&Own->Free.Header);
        }
        KiUnlock(&Own->Lock);
        if (Acquired || !Wait) {
            return Acquired;
        }
        KeWaitForSingleObject(&Own->Free, WrResource, KernelMode, FALSE, NULL);
    }
}

BOOLEAN NTAPI ExAcquireResourceExclusiveLite(PERESOURCE Resource, BOOLEAN Wait)
{
    NT_ENTRY(ExAcquireResourceExclusiveLite);
    return ExpAcquireResource(Resource, TRUE, Wait);
}

BOOLEAN NTAPI ExAcquireResourceSharedLite(PERESOURCE Resource, BOOLEAN Wait)
{
    NT_ENTRY(ExAcquireResourceSharedLite);
    return ExpAcquireResource(Resource, FALSE, Wait);
}

VOID FASTCALL ExReleaseResourceLite(PERESOURCE Resource)
{
    NT_ENTRY(ExReleaseResourceLite);
    PEXP_RESOURCE Own = ExpResource(Resource);
    KiLock(&Own->Lock);
    BOOLEAN Held = Own->Exclusive != 0 ? Own->Owner == KiCurrentThread() : Own->Shared != 0;
    if (Held && Own->Exclusive != 0) {
        Own->Exclusive--;
    } else if (Held) {
        Own->Shared--;
    }
    BOOLEAN Tell = Own->Waiters != 0 && Own->Exclusive == 0 && Own->Shared == 0;
    Own->Waiters = Tell ? 0 : Own->Waiters;
    Own->Owner = Own->Exclusive != 0 ? Own->Owner : NULL;
    KiUnlock(&Own->Lock);
    if (!Held) {
        VfBreak(VfRuleResourceNotOwned, (ULONG_PTR)Resource, 0, 0, "resource %p is not held by this thread",
                Resource);
    }
    if (Tell) {
        KiSignal(&Own->Free.Header, 1);
    }
}

PVOID NTAPI ExEnterCriticalRegionAndAcquireResourceExclusive(PERESOURCE Resource)
{
    NT_ENTRY(ExEnterCriticalRegionAndAcquireResourceExclusive);
    KeEnterCriticalRegion();
    ExAcquireResourceExclusiveLite(Resource, TRUE);
    return NULL;
}

VOID FASTCALL ExReleaseResourceAndLeaveCriticalRegion(PERESOURCE Resource)
{
    NT_ENTRY(ExReleaseResourceAndLeaveCriticalRegion);
    ExReleaseResourceLite(Resource);
    KeLeaveCriticalRegion();
}

BOOLEAN NTAPI ExIsResourceAcquiredExclusiveLite(PERESOURCE Resource)
{
    NT_ENTRY(ExIsResourceAcquiredExclusiveLite);
    return __atomic_load_n(&ExpResource(Resource)->Owner, __ATOMIC_RELAXED) == KiCurrentThread();
}
