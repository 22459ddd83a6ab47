// SPDX-License-Identifier: MIT
// Fast and guarded mutexes, resources, interlocked lists, lookaside lists, rundown protection.
#include "tests/nthost/support/ketest.h"

enum { TAG = 'cnyS', THREADS = 3, ROUNDS = 20 };

static FAST_MUTEX Fast;
static KGUARDED_MUTEX Guarded;
static ERESOURCE Resource;
static LONG Unprotected;

static void RunThreads(PKSTART_ROUTINE Routine)
{
    HANDLE Handle;
    Unprotected = 0;
    for (ULONG i = 0; i < THREADS; i++) {
        CHECK_STATUS(PsCreateSystemThread(&Handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, Routine, NULL),
                     STATUS_SUCCESS);
        ZwClose(Handle);
    }
    KiReapThreads();
}

static void AddSlowly(void)
{
    LARGE_INTEGER Yield = {.QuadPart = 0};
    LONG Old = Unprotected;
    KeDelayExecutionThread(KernelMode, FALSE, &Yield);
    Unprotected = Old + 1;
}

static VOID NTAPI AddsUnderMutexes(PVOID Context)
{
    (void)Context;
    for (ULONG i = 0; i < ROUNDS; i++) {
        if (i % 2 == 0) {
            KeAcquireGuardedMutex(&Guarded);
        }
        ExAcquireFastMutex(&Fast);
        CHECK_EQ(KeGetCurrentIrql(), APC_LEVEL);
        AddSlowly();
        ExReleaseFastMutex(&Fast);
        if (i % 2 == 0) {
            KeReleaseGuardedMutex(&Guarded);
        }
    }
}

static void MutexesExclude(void)
{
    ExInitializeFastMutex(&Fast);
    KeInitializeGuardedMutex(&Guarded);
    RunThreads(AddsUnderMutexes);
    CHECK_EQ(Unprotected, THREADS * ROUNDS);
    CHECK(ExTryToAcquireFastMutex(&Fast));
    CHECK_EQ(KeGetCurrentIrql(), APC_LEVEL);
    ExReleaseFastMutex(&Fast);
    CHECK_EQ(KeGetCurrentIrql(), PASSIVE_LEVEL);
    CHECK(KeTryToAcquireGuardedMutex(&Guarded));
    CHECK(KeAreAllApcsDisabled());
    KeReleaseGuardedMutex(&Guarded);
}
KE_TEST_CLOCKS(MutexesExclude)

static VOID NTAPI UsesResource(PVOID Context)
{
    (void)Context;
    for (ULONG i = 0; i < ROUNDS; i++) {
        CHECK(ExAcquireResourceSharedLite(&Resource, TRUE));
        LONG Seen = Unprotected;
        LARGE_INTEGER Yield = {.QuadPart = 0};
        KeDelayExecutionThread(KernelMode, FALSE, &Yield);
        CHECK_EQ(Unprotected, Seen);
        ExReleaseResourceLite(&Resource);
        CHECK(ExAcquireResourceExclusiveLite(&Resource, TRUE));
        CHECK(ExAcquireResourceExclusiveLite(&Resource, FALSE));
        AddSlowly();
        ExReleaseResourceLite(&Resource);
        CHECK(ExIsResourceAcquiredExclusiveLite(&Resource));
        ExReleaseResourceLite(&Resource);
    }
}

static void ResourceSharesAndExcludes(void)
{
    ExInitializeResourceLite(&Resource);
    RunThreads(UsesResource);
    CHECK_EQ(Unprotected, THREADS * ROUNDS);
    CHECK_STATUS(ExDeleteResourceLite(&Resource), STATUS_SUCCESS);
}
KE_TEST_CLOCKS(ResourceSharesAndExcludes)

typedef struct _NODE {
    SLIST_ENTRY Sequenced;
    LIST_ENTRY Entry;
} NODE;

static void ListsKeepOrder(void)
{
    static DECLSPEC_ALIGN(16) SLIST_HEADER Stack;
    NODE Nodes[3];
    LIST_ENTRY Head;
    KSPIN_LOCK Lock = 0;
    InitializeListHead(&Head);
    InitializeSListHead(&Stack);
    CHECK(ExInterlockedInsertTailList(&Head, &Nodes[0].Entry, &Lock) == NULL);
    CHECK(ExInterlockedInsertTailList(&Head, &Nodes[1].Entry, &Lock) == &Nodes[0].Entry);
    CHECK(ExInterlockedInsertHeadList(&Head, &Nodes[2].Entry, &Lock) == &Nodes[0].Entry);
    CHECK(ExInterlockedRemoveHeadList(&Head, &Lock) == &Nodes[2].Entry);
    CHECK(ExInterlockedRemoveHeadList(&Head, &Lock) == &Nodes[0].Entry);
    CHECK(ExInterlockedRemoveHeadList(&Head, &Lock) == &Nodes[1].Entry);
    CHECK(ExInterlockedRemoveHeadList(&Head, &Lock) == NULL);
    CHECK(InterlockedPushEntrySList(&Stack, &Nodes[0].Sequenced) == NULL);
    CHECK(InterlockedPushEntrySList(&Stack, &Nodes[1].Sequenced) == &Nodes[0].Sequenced);
    CHECK_EQ(QueryDepthSList(&Stack), 2);
    CHECK(InterlockedPopEntrySList(&Stack) == &Nodes[1].Sequenced);
    CHECK(InterlockedFlushSList(&Stack) == &Nodes[0].Sequenced);
    CHECK(InterlockedPopEntrySList(&Stack) == NULL);
    CHECK_EQ(QueryDepthSList(&Stack), 0);
}
KE_TEST_CLOCKS(ListsKeepOrder)

static void LookasideGivesBlocks(void)
{
    static NPAGED_LOOKASIDE_LIST List;
    ExInitializeNPagedLookasideList(&List, NULL, NULL, 0, 40, TAG, 0);
    PVOID First = ExAllocateFromNPagedLookasideList(&List);
    PVOID Second = ExAllocateFromNPagedLookasideList(&List);
    CHECK(First != NULL && Second != NULL && First != Second);
    RtlFillMemory(First, 40, 1);
    ExFreeToNPagedLookasideList(&List, First);
    ExFreeToNPagedLookasideList(&List, Second);
    ExDeleteNPagedLookasideList(&List);
}
KE_TEST_CLOCKS(LookasideGivesBlocks)

static EX_RUNDOWN_REF Rundown;

static VOID NTAPI ReleasesLater(PVOID Context)
{
    LARGE_INTEGER Time;
    (void)Context;
    CHECK(ExAcquireRundownProtection(&Rundown));
    KeDelayExecutionThread(KernelMode, FALSE, KeTestMs(&Time, 5));
    InterlockedIncrement(&Unprotected);
    ExReleaseRundownProtection(&Rundown);
}

static void RundownWaits(void)
{
    HANDLE Handle;
    LARGE_INTEGER Time;
    Unprotected = 0;
    ExInitializeRundownProtection(&Rundown);
    PsCreateSystemThread(&Handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, ReleasesLater, NULL);
    ZwClose(Handle);
    KeDelayExecutionThread(KernelMode, FALSE, KeTestMs(&Time, 1));
    ExWaitForRundownProtectionRelease(&Rundown);
    CHECK_EQ(Unprotected, 1);
    CHECK(!ExAcquireRundownProtection(&Rundown));
    ExWaitForRundownProtectionRelease(&Rundown);
    ExReInitializeRundownProtection(&Rundown);
    CHECK(ExAcquireRundownProtection(&Rundown));
    ExReleaseRundownProtection(&Rundown);
}

static void RundownVirtual(void)
{
    KeTestVirtual(RundownWaits, 0);
}

static void AcquiresFastTwice(void)
{
    ExInitializeFastMutex(&Fast);
    ExAcquireFastMutex(&Fast);
    ExAcquireFastMutex(&Fast);
}
KE_RULE_TEST(AcquiresFastTwice, FastMutexRecursion)

static void ReleasesFastUnheld(void)
{
    KIRQL Irql;
    ExInitializeFastMutex(&Fast);
    KeRaiseIrql(APC_LEVEL, &Irql);
    ExReleaseFastMutex(&Fast);
}
KE_RULE_TEST(ReleasesFastUnheld, FastMutexNotOwned)

static void AcquiresResourceOpen(void)
{
    ExInitializeResourceLite(&Resource);
    ExAcquireResourceExclusiveLite(&Resource, TRUE);
}
KE_RULE_TEST(AcquiresResourceOpen, ResourceApcsEnabled)

static void ReleasesResourceUnheld(void)
{
    ExInitializeResourceLite(&Resource);
    ExReleaseResourceLite(&Resource);
}
KE_RULE_TEST(ReleasesResourceUnheld, ResourceNotOwned)

static void CorruptsList(void)
{
    static LIST_ENTRY Head, Entry;
    KSPIN_LOCK Lock = 0;
    InitializeListHead(&Head);
    ExInterlockedInsertTailList(&Head, &Entry, &Lock);
    Entry.Blink = &Entry;
    ExInterlockedRemoveHeadList(&Head, &Lock);
}
KE_RULE_TEST(CorruptsList, ListCorrupt)

const struct WdmTest WdmTests[] = {KE_TEST_ROWS(MutexesExclude),
                                   KE_TEST_ROWS(ResourceSharesAndExcludes),
                                   KE_TEST_ROWS(ListsKeepOrder),
                                   KE_TEST_ROWS(LookasideGivesBlocks),
                                   {"rundown waits", RundownVirtual},
                                   KE_RULE_ROW(AcquiresFastTwice),
                                   KE_RULE_ROW(ReleasesFastUnheld),
                                   KE_RULE_ROW(AcquiresResourceOpen),
                                   KE_RULE_ROW(ReleasesResourceUnheld),
                                   KE_RULE_ROW(CorruptsList),
                                   {NULL, NULL}};
void (*const WdmTestSetup)(void) = NULL;
void (*const WdmTestTeardown)(void) = NULL;
