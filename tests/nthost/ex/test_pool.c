// SPDX-License-Identifier: MIT
#include "tests/nthost/support/ketest.h"
#include "nthost/ex/ex.h"
#include "nthost/os/os.h"

enum { TAG = 'tseT' };

static PVOID Allocate(SIZE_T Size)
{
    return ExAllocatePoolWithTag(NonPagedPool, Size, TAG);
}

static void BlocksAreUsable(void)
{
    static const SIZE_T Sizes[] = {1, 15, 16, 17, 255, PAGE_SIZE - 1, PAGE_SIZE, PAGE_SIZE + 1, 100000};
    for (ULONG i = 0; i < RTL_NUMBER_OF(Sizes); i++) {
        PUCHAR Block = Allocate(Sizes[i]);
        CHECK(Block != NULL);
        CHECK_EQ((ULONG_PTR)Block % (Sizes[i] >= PAGE_SIZE ? PAGE_SIZE : 16), 0);
        RtlFillMemory(Block, Sizes[i], 0x5A);
        ExFreePoolWithTag(Block, TAG);
    }
    PULONG Zeroed = ExAllocatePool2(0x40, 64, TAG);
    CHECK(Zeroed != NULL && Zeroed[0] == 0 && Zeroed[15] == 0);
    ExFreePool(Zeroed);
    CHECK(ExAllocatePool2(0x40, 64, 0) == NULL);
    CHECK(ExAllocatePool2(0x140, 64, TAG) == NULL);
    CHECK((ULONG_PTR)(Zeroed = ExAllocatePoolWithTag(NonPagedPoolCacheAligned, 10, TAG)) % 64 == 0);
    ExFreePool(Zeroed);
    CHECK_EQ(ExpPoolBytes(), 0);
}

static void BlocksNormal(void)
{
    KeTestVirtual(BlocksAreUsable, 0);
}

static void BlocksGuarded(void)
{
    KeTestGuarded(BlocksAreUsable);
}

static void FreedBlocksAreRecycled(void)
{
    for (ULONG i = 0; i < 5000; i++) {
        PVOID Block = Allocate(i + 1);
        CHECK(Block != NULL);
        ExFreePoolWithTag(Block, TAG);
    }
}

static void Recycling(void)
{
    KeTestVirtual(FreedBlocksAreRecycled, 0);
}

static void AllocationsCanFail(void)
{
    CHECK(ExAllocatePoolWithTag(NonPagedPool, (SIZE_T)1 << 40, TAG) == NULL);
}

static void Failing(void)
{
    KeTestVirtual(AllocationsCanFail, 0);
}

static void AllocatesWithoutTag(void)
{
    ExAllocatePoolWithTag(NonPagedPool, 16, 0);
}
KE_RULE_TEST(AllocatesWithoutTag, PoolZeroTag)

static void AllocatesWithBadTag(void)
{
    ExAllocatePoolWithTag(NonPagedPool, 16, 0x01020304);
}
KE_RULE_TEST(AllocatesWithBadTag, PoolBadTag)

static void AllocatesNothing(void)
{
    Allocate(0);
}
KE_RULE_TEST(AllocatesNothing, PoolZeroBytes)

static void AllocatesPagedRaised(void)
{
    KIRQL Irql;
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    ExAllocatePoolWithTag(PagedPool, 16, TAG);
}
KE_RULE_TEST(AllocatesPagedRaised, PoolPagedAtDispatch)

static void AllocatesTooHigh(void)
{
    KIRQL Irql;
    KeRaiseIrql(DISPATCH_LEVEL + 1, &Irql);
    Allocate(16);
}
KE_RULE_TEST(AllocatesTooHigh, PoolAboveDispatch)

static void FreesPagedRaised(void)
{
    KIRQL Irql;
    PVOID Block = ExAllocatePoolWithTag(PagedPool, 16, TAG);
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    ExFreePool(Block);
}
KE_RULE_TEST(FreesPagedRaised, PoolPagedFreeAtDispatch)

static void FreesTooHigh(void)
{
    KIRQL Irql;
    PVOID Block = Allocate(16);
    KeRaiseIrql(DISPATCH_LEVEL + 1, &Irql);
    ExFreePool(Block);
}
KE_RULE_TEST(FreesTooHigh, PoolFreeAboveDispatch)

static void FreesTwice(void)
{
    PVOID Block = Allocate(16);
    ExFreePoolWithTag(Block, TAG);
    ExFreePoolWithTag(Block, TAG);
}
KE_RULE_TEST(FreesTwice, PoolDoubleFree)

static void FreesNull(void)
{
    ExFreePool(NULL);
}
KE_RULE_TEST(FreesNull, PoolBadFree)

static void FreesInside(void)
{
    PUCHAR Block = Allocate(256);
    ExFreePool(Block + 64);
}
KE_RULE_TEST(FreesInside, PoolBadFree)

static void FreesWithOtherTag(void)
{
    ExFreePoolWithTag(Allocate(16), 'rhtO');
}
KE_RULE_TEST(FreesWithOtherTag, PoolWrongTag)

static void WritesBefore(void)
{
    volatile UCHAR *Block = Allocate(16);
    Block[-1] = 0;
    ExFreePoolWithTag((PVOID)Block, TAG);
}
KE_RULE_TEST(WritesBefore, PoolUnderrun)

static PVOID volatile Leaked;

static void Leaks(void)
{
    Leaked = ExAllocatePoolWithTag(NonPagedPool, 24, TAG);
}

static void LeakIsDescribed(void)
{
    KeTestBreaks(Leaks, VfRulePoolLeak);
    CHECK(child_contains(KeTestReport, "driver bad unloaded with 1 pool blocks left"));
    CHECK(child_contains(KeTestReport, "Test 24 bytes, non-paged, allocated at Leaks"));
}

// ---- accesses: found at once by AddressSanitizer, else when the block is freed or forgotten ----

static void WritesBeyond(void)
{
    volatile UCHAR *Block = Allocate(13);
    Block[13] = 1;
    ExFreePoolWithTag((PVOID)Block, TAG);
}

static void WritesFreed(void)
{
    volatile UCHAR *Block = Allocate(16);
    ExFreePoolWithTag((PVOID)Block, TAG);
    Block[3] = 1;
}

static void ReadsFreed(void)
{
    volatile UCHAR *Block = Allocate(16);
    ExFreePoolWithTag((PVOID)Block, TAG);
    CHECK_EQ(Block[3], 0);
}

static void Accesses(void)
{
    KeTestBreaksUnder(WritesBeyond, os_has_asan() ? "use-after-poison" : "rule: PoolOverrun\n",
                      KeTestOnVirtual);
    KeTestBreaksUnder(WritesFreed, os_has_asan() ? "use-after-poison" : "rule: PoolUseAfterFree\n",
                      KeTestOnVirtual);
}

static void WritesFarBeyond(void)
{
    volatile UCHAR *Block = Allocate(32);
    Block[32] = 1;
}

static void GuardPagesCatchAccesses(void)
{
    if (os_has_asan()) {
        return; // sees them first, as above
    }
    KeTestBreaksUnder(WritesFarBeyond, "rule: PoolOverrun\nwrite at", KeTestGuarded);
    KeTestBreaksUnder(ReadsFreed, "rule: PoolUseAfterFree\nread at", KeTestGuarded);
    CHECK(child_contains(KeTestReport, "3 bytes into freed block"));
}

static void ReadsNull(void)
{
    CHECK_EQ(*(volatile UCHAR *)(ULONG_PTR)Allocate(16 + (SIZE_T)((ULONG_PTR)1 << 40)), 0);
}

static void WildAccess(void)
{
    if (!os_has_asan()) {
        KeTestBreaksUnder(ReadsNull, "rule: BadAccess\nread at", KeTestOnVirtual);
    }
}

// ---- what is still in use in freed memory ----

static VOID NTAPI Ignores(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    (void)Dpc, (void)Context, (void)Argument1, (void)Argument2;
}

static void FreesTimer(void)
{
    LARGE_INTEGER Time;
    PKTIMER Timer = Allocate(sizeof *Timer);
    KeInitializeTimer(Timer);
    KeSetTimer(Timer, *KeTestMs(&Time, 1), NULL);
    ExFreePool(Timer);
}
KE_RULE_TEST(FreesTimer, TimerInFreedMemory)

static void FreesTimersDpc(void)
{
    static KTIMER Timer;
    LARGE_INTEGER Time;
    PKDPC Dpc = Allocate(sizeof *Dpc);
    KeInitializeDpc(Dpc, Ignores, NULL);
    KeInitializeTimer(&Timer);
    KeSetTimer(&Timer, *KeTestMs(&Time, 1), Dpc);
    ExFreePool(Dpc);
}
KE_RULE_TEST(FreesTimersDpc, TimerInFreedMemory)

static void FreesDpc(void)
{
    KIRQL Irql;
    PKDPC Dpc = Allocate(sizeof *Dpc);
    KeInitializeDpc(Dpc, Ignores, NULL);
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    KeInsertQueueDpc(Dpc, NULL, NULL);
    ExFreePool(Dpc);
}
KE_RULE_TEST(FreesDpc, DpcInFreedMemory)

static void FreesHeldLock(void)
{
    KIRQL Irql;
    PKSPIN_LOCK Lock = Allocate(sizeof *Lock);
    KeInitializeSpinLock(Lock);
    KeAcquireSpinLock(Lock, &Irql);
    ExFreePool(Lock);
}
KE_RULE_TEST(FreesHeldLock, SpinLockFreedHeld)

static void FreesLookaside(void)
{
    PNPAGED_LOOKASIDE_LIST List = ExAllocatePoolWithTag(NonPagedPoolCacheAligned, sizeof *List, TAG);
    ExInitializeNPagedLookasideList(List, NULL, NULL, 0, 32, TAG, 0);
    ExFreePool(List);
}
KE_RULE_TEST(FreesLookaside, LookasideInFreedMemory)

static NPAGED_LOOKASIDE_LIST Lookaside;

static void LeavesLookaside(void)
{
    ExInitializeNPagedLookasideList(&Lookaside, NULL, NULL, 0, 32, TAG, 0);
}
KE_RULE_TEST(LeavesLookaside, LookasideLeftAtUnload)

const struct WdmTest WdmTests[] = {{"blocks", BlocksNormal},
                                   {"blocks with guard pages", BlocksGuarded},
                                   {"freed blocks are recycled", Recycling},
                                   {"allocations can fail", Failing},
                                   KE_RULE_ROW(AllocatesWithoutTag),
                                   KE_RULE_ROW(AllocatesWithBadTag),
                                   KE_RULE_ROW(AllocatesNothing),
                                   KE_RULE_ROW(AllocatesPagedRaised),
                                   KE_RULE_ROW(AllocatesTooHigh),
                                   KE_RULE_ROW(FreesPagedRaised),
                                   KE_RULE_ROW(FreesTooHigh),
                                   KE_RULE_ROW(FreesTwice),
                                   KE_RULE_ROW(FreesNull),
                                   KE_RULE_ROW(FreesInside),
                                   KE_RULE_ROW(FreesWithOtherTag),
                                   KE_RULE_ROW(WritesBefore),
                                   {"a leak is described", LeakIsDescribed},
                                   {"bad accesses", Accesses},
                                   {"guard pages catch accesses", GuardPagesCatchAccesses},
                                   {"a wild access", WildAccess},
                                   KE_RULE_ROW(FreesTimer),
                                   KE_RULE_ROW(FreesTimersDpc),
                                   KE_RULE_ROW(FreesDpc),
                                   KE_RULE_ROW(FreesHeldLock),
                                   KE_RULE_ROW(FreesLookaside),
                                   KE_RULE_ROW(LeavesLookaside),
                                   {NULL, NULL}};
void (*const WdmTestSetup)(void) = NULL;
void (*const WdmTestTeardown)(void) = NULL;
