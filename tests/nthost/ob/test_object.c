// SPDX-License-Identifier: MIT
#include "tests/nthost/support/ketest.h"
#include "nthost/ob/ob.h"

static LONG Deleted, Closed;

static VOID CountDelete(PVOID Body)
{
    CHECK_EQ(*(PULONG)Body, 7);
    Deleted++;
}

static VOID CountClose(PVOID Body, ULONG HandlesLeft)
{
    (void)Body;
    Closed += HandlesLeft == 0;
}

static OBJECT_TYPE Type = {.Name = "Test", .Delete = CountDelete, .Close = CountClose};
static OBJECT_TYPE OtherType = {.Name = "Other"};

static PULONG Create(void)
{
    PULONG Body = ObpCreateObject(&Type, sizeof(ULONG));
    *Body = 7;
    Deleted = Closed = 0;
    return Body;
}

static void References(void)
{
    PULONG Body = Create();
    CHECK_EQ((ULONG_PTR)Body % 16, 0);
    CHECK_EQ(ObReferenceObject(Body), 2);
    CHECK_EQ(ObpReferenceCount(Body), 2);
    CHECK_STATUS(ObReferenceObjectByPointer(Body, 0, &OtherType, KernelMode), STATUS_OBJECT_TYPE_MISMATCH);
    CHECK_STATUS(ObReferenceObjectByPointer(Body, 0, &Type, KernelMode), STATUS_SUCCESS);
    ObDereferenceObject(Body);
    CHECK_EQ(ObDereferenceObject(Body), 1);
    CHECK_EQ(Deleted, 0);
    CHECK_EQ(Type.Objects, 1);
    ObDereferenceObject(Body);
    CHECK_EQ(Deleted, 1);
    CHECK_EQ(Type.Objects, 0);
}

static void Handles(void)
{
    enum { COUNT = 200 };
    static HANDLE Many[COUNT];
    PULONG Body = Create();
    PVOID Found;
    for (ULONG i = 0; i < COUNT; i++) {
        CHECK_STATUS(ObpCreateHandle(Body, GENERIC_READ, &Many[i]), STATUS_SUCCESS);
        CHECK(i == 0 || Many[i] != Many[i - 1]);
    }
    ObDereferenceObject(Body);
    CHECK_STATUS(ObReferenceObjectByHandle(Many[150], GENERIC_READ, &Type, UserMode, &Found, NULL),
                 STATUS_SUCCESS);
    CHECK(Found == Body);
    ObDereferenceObject(Found);
    CHECK_STATUS(ObReferenceObjectByHandle(Many[0], GENERIC_WRITE, &Type, UserMode, &Found, NULL),
                 STATUS_ACCESS_DENIED);
    CHECK_STATUS(ObReferenceObjectByHandle(Many[0], 0, &OtherType, KernelMode, &Found, NULL),
                 STATUS_OBJECT_TYPE_MISMATCH);
    CHECK_STATUS(ObReferenceObjectByHandle((HANDLE)0x7777, 0, NULL, KernelMode, &Found, NULL),
                 STATUS_INVALID_HANDLE);
    for (ULONG i = 0; i < COUNT; i++) {
        CHECK_EQ(Deleted, 0);
        CHECK_STATUS(ZwClose(Many[i]), STATUS_SUCCESS);
    }
    CHECK_EQ(Closed, 1);
    CHECK_EQ(Deleted, 1);
    CHECK_STATUS(ObpCloseHandle(Many[3]), STATUS_INVALID_HANDLE);
}

static void RefersWeakly(void)
{
    PULONG Body = Create();
    CHECK(ObpReferenceUnlessZero(Body));
    ObDereferenceObject(Body);
    ObDereferenceObject(Body);
    CHECK_EQ(Deleted, 1);
}

static VOID CountPassive(PVOID Body)
{
    (void)Body;
    CHECK_EQ(KeGetCurrentIrql(), PASSIVE_LEVEL);
    Deleted++;
}

static OBJECT_TYPE Calling = {.Name = "Calling", .Delete = CountPassive, .Passive = TRUE};

static void DeletesAtPassive(void)
{
    enum { COUNT = 5 };
    PVOID Bodies[COUNT];
    KIRQL Irql;
    Deleted = 0;
    for (ULONG i = 0; i < COUNT; i++) {
        Bodies[i] = ObpCreateObject(&Calling, 8);
    }
    ObDereferenceObject(Bodies[0]);
    CHECK_EQ(Deleted, 1);
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    for (ULONG i = 1; i < COUNT - 1; i++) {
        ObDereferenceObject(Bodies[i]);
    }
    KeLowerIrql(Irql);
    ObDereferenceObjectDeferDelete(Bodies[COUNT - 1]);
    ObpAwaitDeletions();
    CHECK_EQ(Deleted, COUNT);
    CHECK_EQ(Calling.Objects, 0);
}
KE_TEST_CLOCKS(DeletesAtPassive)

static void ReferencesHeld(void)
{
    KeTestVirtual(References, 0);
}

static void HandlesOpen(void)
{
    KeTestVirtual(Handles, 0);
}

static void Weak(void)
{
    KeTestVirtual(RefersWeakly, 0);
}

static VOID ReferenceInDelete(PVOID Body)
{
    ObReferenceObject(Body);
}

static void RevivesObject(void)
{
    static OBJECT_TYPE Reviving = {.Name = "Reviving", .Delete = ReferenceInDelete};
    ObDereferenceObject(ObpCreateObject(&Reviving, 4));
}
KE_RULE_TEST(RevivesObject, ReferenceFromZero)

static VOID DereferenceInDelete(PVOID Body)
{
    ObDereferenceObject(Body);
}

static void ReleasesTooOften(void)
{
    static OBJECT_TYPE Releasing = {.Name = "Releasing", .Delete = DereferenceInDelete};
    ObDereferenceObject(ObpCreateObject(&Releasing, 4));
}
KE_RULE_TEST(ReleasesTooOften, ReferenceBelowZero)

static void ReferencesGarbage(void)
{
    static ULONG_PTR Garbage[32];
    ObReferenceObject(&Garbage[16]);
}
KE_RULE_TEST(ReferencesGarbage, ObjectBad)

static void LeavesHandle(void)
{
    HANDLE Handle;
    PULONG Body = Create();
    ObpCreateHandle(Body, 0, &Handle);
    ObDereferenceObject(Body);
}
KE_RULE_TEST(LeavesHandle, ObjectLeak)

static void ClosesGarbage(void)
{
    ZwClose((HANDLE)0x1234);
}
KE_RULE_TEST(ClosesGarbage, HandleBad)

static void ClosesNull(void)
{
    ZwClose(NULL);
}
KE_RULE_TEST(ClosesNull, HandleNull)

const struct WdmTest WdmTests[] = {{"references", ReferencesHeld},
                                   {"handles", HandlesOpen},
                                   {"weak references", Weak},
                                   KE_RULE_ROW(RevivesObject),
                                   KE_RULE_ROW(ReleasesTooOften),
                                   KE_RULE_ROW(ReferencesGarbage),
                                   KE_RULE_ROW(LeavesHandle),
                                   KE_RULE_ROW(ClosesGarbage),
                                   KE_RULE_ROW(ClosesNull),
                                   KE_TEST_ROWS(DeletesAtPassive),
                                   {NULL, NULL}};
void (*const WdmTestSetup)(void) = NULL;
void (*const WdmTestTeardown)(void) = NULL;
