// SPDX-License-Identifier: MIT
#include "tests/nthost/support/ketest.h"

enum { TAG = 'krWT', ITEMS = 12 };

static WORK_QUEUE_ITEM Items[ITEMS];
static KEVENT Done, Behind;
static LONG Ran;

static VOID NTAPI Counts(PVOID Context)
{
    (void)Context;
    CHECK_EQ(KeGetCurrentIrql(), PASSIVE_LEVEL);
    if (InterlockedIncrement(&Ran) == ITEMS) {
        KeSetEvent(&Done, 0, FALSE);
    }
}

static void ItemsRun(void)
{
    KIRQL Irql;
    Ran = 0;
    KeInitializeEvent(&Done, NotificationEvent, FALSE);
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    for (ULONG i = 0; i < ITEMS; i++) {
        ExInitializeWorkItem(&Items[i], Counts, NULL);
        ExQueueWorkItem(&Items[i], DelayedWorkQueue);
    }
    KeLowerIrql(Irql);
    KeWaitForSingleObject(&Done, Executive, KernelMode, FALSE, NULL);
    CHECK_EQ(Ran, ITEMS);
}
KE_TEST_CLOCKS(ItemsRun)

static VOID NTAPI SetsBehind(PVOID Context)
{
    (void)Context;
    KeSetEvent(&Behind, 0, FALSE);
}

static VOID NTAPI WaitsForBehind(PVOID Context)
{
    (void)Context;
    ExQueueWorkItem(&Items[1], DelayedWorkQueue);
    KeWaitForSingleObject(&Behind, Executive, KernelMode, FALSE, NULL);
    KeSetEvent(&Done, 0, FALSE);
}

static void ItemMayWaitForNext(void)
{
    KeInitializeEvent(&Done, NotificationEvent, FALSE);
    KeInitializeEvent(&Behind, NotificationEvent, FALSE);
    ExInitializeWorkItem(&Items[0], WaitsForBehind, NULL);
    ExInitializeWorkItem(&Items[1], SetsBehind, NULL);
    ExQueueWorkItem(&Items[0], DelayedWorkQueue);
    KeWaitForSingleObject(&Done, Executive, KernelMode, FALSE, NULL);
}
KE_TEST_CLOCKS(ItemMayWaitForNext)

static VOID NTAPI FreesItself(PVOID Context)
{
    ExFreePoolWithTag(Context, TAG);
    KeSetEvent(&Done, 0, FALSE);
}

static void ItemMayFreeItself(void)
{
    PWORK_QUEUE_ITEM Item = ExAllocatePoolWithTag(NonPagedPool, sizeof *Item, TAG);
    KeInitializeEvent(&Done, NotificationEvent, FALSE);
    ExInitializeWorkItem(Item, FreesItself, Item);
    ExQueueWorkItem(Item, CriticalWorkQueue);
    KeWaitForSingleObject(&Done, Executive, KernelMode, FALSE, NULL);
}
KE_TEST_CLOCKS(ItemMayFreeItself)

static void QueuesTwice(void)
{
    ExInitializeWorkItem(&Items[0], Counts, NULL);
    ExQueueWorkItem(&Items[0], DelayedWorkQueue);
    ExQueueWorkItem(&Items[0], DelayedWorkQueue);
}
KE_RULE_TEST(QueuesTwice, WorkItemQueuedTwice)

static void FreesQueued(void)
{
    PWORK_QUEUE_ITEM Item = ExAllocatePoolWithTag(NonPagedPool, sizeof *Item, TAG);
    ExInitializeWorkItem(Item, Counts, NULL);
    ExQueueWorkItem(Item, DelayedWorkQueue);
    ExFreePool(Item);
}
KE_RULE_TEST(FreesQueued, WorkItemInFreedMemory)

static VOID NTAPI StaysRaised(PVOID Context)
{
    KIRQL Irql;
    (void)Context;
    KeRaiseIrql(APC_LEVEL, &Irql);
}

static void ItemStaysRaised(void)
{
    LARGE_INTEGER Time;
    ExInitializeWorkItem(&Items[0], StaysRaised, NULL);
    ExQueueWorkItem(&Items[0], DelayedWorkQueue);
    KeDelayExecutionThread(KernelMode, FALSE, KeTestMs(&Time, 1));
}
KE_RULE_TEST(ItemStaysRaised, IrqlAtReturn)

const struct WdmTest WdmTests[] = {KE_TEST_ROWS(ItemsRun),
                                   KE_TEST_ROWS(ItemMayWaitForNext),
                                   KE_TEST_ROWS(ItemMayFreeItself),
                                   KE_RULE_ROW(QueuesTwice),
                                   KE_RULE_ROW(FreesQueued),
                                   KE_RULE_ROW(ItemStaysRaised),
                                   {NULL, NULL}};
void (*const WdmTestSetup)(void) = NULL;
void (*const WdmTestTeardown)(void) = NULL;
