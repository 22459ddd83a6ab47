// SPDX-License-Identifier: MIT
// Rules that belong to no one family, each broken once.
#include "tests/nthost/support/ketest.h"

enum { TAG = 'tseT' };

static void WaitsForUserOnStack(void)
{
    KEVENT Event;
    KeInitializeEvent(&Event, NotificationEvent, TRUE);
    KeWaitForSingleObject(&Event, Executive, UserMode, FALSE, NULL);
}
KE_RULE_TEST(WaitsForUserOnStack, WaitUserOnStack)

static void WaitsForUserElsewhere(void)
{
    static KEVENT Event;
    KEVENT Local;
    KeInitializeEvent(&Event, NotificationEvent, TRUE);
    CHECK_STATUS(KeWaitForSingleObject(&Event, Executive, UserMode, FALSE, NULL), STATUS_SUCCESS);
    KeInitializeEvent(&Local, NotificationEvent, TRUE);
    CHECK_STATUS(KeWaitForSingleObject(&Local, Executive, KernelMode, FALSE, NULL), STATUS_SUCCESS);
}

static void OtherWaitsAreRight(void)
{
    KeTestVirtual(WaitsForUserElsewhere, 0);
}

static void FreesResource(void)
{
    PERESOURCE Resource = ExAllocatePoolWithTag(NonPagedPool, sizeof *Resource, TAG);
    ExInitializeResourceLite(Resource);
    ExFreePoolWithTag(Resource, TAG);
}
KE_RULE_TEST(FreesResource, ResourceInFreedMemory)

static void DescribesPagedPool(void)
{
    PVOID Buffer = ExAllocatePoolWithTag(PagedPool, 64, TAG);
    PMDL Mdl = IoAllocateMdl(Buffer, 64, FALSE, FALSE, NULL);
    MmBuildMdlForNonPagedPool(Mdl);
}
KE_RULE_TEST(DescribesPagedPool, MdlOfPagedPool)

static void InitializesPagedEvent(void)
{
    PKEVENT Event = ExAllocatePoolWithTag(PagedPool, sizeof *Event, TAG);
    KeInitializeEvent(Event, NotificationEvent, FALSE);
}
KE_RULE_TEST(InitializesPagedEvent, ObjectInPagedPool)

static void AcquiresPagedLock(void)
{
    KIRQL Irql;
    PKSPIN_LOCK Locks = ExAllocatePoolWithTag(PagedPool, 8 * sizeof *Locks, TAG);
    KeInitializeSpinLock(&Locks[7]);
    KeAcquireSpinLock(&Locks[7], &Irql);
}
KE_RULE_TEST(AcquiresPagedLock, ObjectInPagedPool)

static void InitializesPagedDpc(void)
{
    PKDPC Dpc = ExAllocatePoolWithTag(PagedPool, sizeof *Dpc, TAG);
    KeInitializeDpc(Dpc, NULL, NULL);
}
KE_RULE_TEST(InitializesPagedDpc, ObjectInPagedPool)

// Beside and after paged blocks.
static void KeepsResidentEvents(void)
{
    PVOID Paged[2] = {ExAllocatePoolWithTag(PagedPool, 64, TAG), ExAllocatePoolWithTag(PagedPool, 64, TAG)};
    PKEVENT Event = ExAllocatePoolWithTag(NonPagedPool, sizeof *Event, TAG);
    KeInitializeEvent(Event, NotificationEvent, TRUE);
    ExFreePoolWithTag(Paged[0], TAG);
    KeInitializeEvent(Event, NotificationEvent, TRUE);
    ExFreePoolWithTag(Paged[1], TAG);
    KeInitializeEvent(Event, NotificationEvent, TRUE);
    ExFreePoolWithTag(Event, TAG);
}

static void ResidentEvents(void)
{
    KeTestVirtual(KeepsResidentEvents, 0);
}

static void GivesOddString(void)
{
    static WCHAR Name[] = L"\\Device\\Odd";
    UNICODE_STRING String = {7, sizeof Name, Name};
    IoDeleteSymbolicLink(&String);
}
KE_RULE_TEST(GivesOddString, StringMalformed)

static void GivesStringWithoutBuffer(void)
{
    HANDLE Key;
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING String = {8, 8, NULL};
    InitializeObjectAttributes(&Attributes, &String, OBJ_KERNEL_HANDLE, NULL, NULL);
    ZwOpenKey(&Key, KEY_READ, &Attributes);
}
KE_RULE_TEST(GivesStringWithoutBuffer, StringMalformed)

static void LeavesProvider(void)
{
    static const GUID Provider = {1, 2, 3, {4}};
    REGHANDLE Handle;
    EtwRegister(&Provider, NULL, NULL, &Handle);
}
KE_RULE_TEST(LeavesProvider, TracingLeft)

static void Traces(void)
{
    static const GUID Provider = {1, 2, 3, {4}};
    REGHANDLE First, Second;
    ULONG Length = 77;
    CHECK_STATUS(EtwRegister(&Provider, NULL, NULL, &First), STATUS_SUCCESS);
    CHECK_STATUS(EtwRegister(&Provider, NULL, NULL, &Second), STATUS_SUCCESS);
    CHECK(!EtwProviderEnabled(First, 0, 0));
    CHECK(!EtwEventEnabled(First, NULL));
    CHECK_STATUS(EtwWrite(First, NULL, NULL, 0, NULL), STATUS_SUCCESS);
    CHECK_STATUS(EtwWriteString(Second, 0, 0, NULL, L"text"), STATUS_SUCCESS);
    CHECK_STATUS(EtwUnregister(Second), STATUS_SUCCESS);
    CHECK_STATUS(EtwUnregister(First), STATUS_SUCCESS);
    CHECK_STATUS(EtwUnregister(First), STATUS_INVALID_HANDLE);
    CHECK_STATUS(EtwWrite(0x1234567890ABCDEF, NULL, NULL, 0, NULL), STATUS_INVALID_HANDLE);
    CHECK_STATUS(WmiQueryTraceInformation(TraceHandleClass, NULL, 0, &Length, NULL), STATUS_NOT_FOUND);
    CHECK_EQ(Length, 0);
}

static void NobodyListens(void)
{
    KeTestVirtual(Traces, 0);
}

const struct WdmTest WdmTests[] = {KE_RULE_ROW(WaitsForUserOnStack),
                                   {"other waits are right", OtherWaitsAreRight},
                                   KE_RULE_ROW(FreesResource),
                                   KE_RULE_ROW(DescribesPagedPool),
                                   KE_RULE_ROW(InitializesPagedEvent),
                                   KE_RULE_ROW(AcquiresPagedLock),
                                   KE_RULE_ROW(InitializesPagedDpc),
                                   {"resident events", ResidentEvents},
                                   KE_RULE_ROW(GivesOddString),
                                   KE_RULE_ROW(GivesStringWithoutBuffer),
                                   KE_RULE_ROW(LeavesProvider),
                                   {"nobody listens to traces", NobodyListens},
                                   {NULL, NULL}};
void (*const WdmTestSetup)(void) = NULL;
void (*const WdmTestTeardown)(void) = NULL;
