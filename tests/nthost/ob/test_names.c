// SPDX-License-Identifier: MIT
#include "tests/nthost/support/ketest.h"
#include "nthost/ob/ob.h"

static OBJECT_TYPE Type = {.Name = "Test"};

static UNICODE_STRING Make(PCWSTR Text)
{
    UNICODE_STRING String;
    RtlInitUnicodeString(&String, Text);
    return String;
}

static PVOID Lookup(PCWSTR Path, PCWSTR ExpectedRest)
{
    UNICODE_STRING Name = Make(Path), Rest = {0}, Expected = Make(ExpectedRest);
    PVOID Body = NULL;
    if (!NT_SUCCESS(ObpLookupName(&Name, &Body, &Rest))) {
        return NULL;
    }
    CHECK(RtlEqualUnicodeString(&Rest, &Expected, FALSE));
    ObDereferenceObject(Body);
    return Body;
}

static NTSTATUS Link(PCWSTR Path, PCWSTR Target)
{
    UNICODE_STRING Name = Make(Path), To = Make(Target);
    return ObpCreateSymbolicLink(&Name, &To);
}

static NTSTATUS Unlink(PCWSTR Path)
{
    UNICODE_STRING Name = Make(Path);
    return ObpDeleteSymbolicLink(&Name);
}

static void NamesAreFound(void)
{
    PVOID Body = ObpCreateObject(&Type, 4), Other = ObpCreateObject(&Type, 4);
    UNICODE_STRING Name = Make(L"\\Device\\Reader"), Same = Make(L"\\DEVICE\\reader"), Bad = Make(L"Reader"),
                   Query;
    CHECK_STATUS(ObpInsertName(&Name, Body), STATUS_SUCCESS);
    CHECK_STATUS(ObpInsertName(&Same, Other), STATUS_OBJECT_NAME_COLLISION);
    CHECK_STATUS(ObpInsertName(&Bad, Other), STATUS_OBJECT_NAME_INVALID);
    CHECK(Lookup(L"\\device\\READER", L"") == Body);
    CHECK(Lookup(L"\\Device\\Reader\\file\\x", L"\\file\\x") == Body);
    CHECK(Lookup(L"\\Device\\Readers", L"") == NULL);
    CHECK(Lookup(L"\\Device", L"") == NULL);
    CHECK(Lookup(L"", L"") == NULL);
    CHECK_STATUS(ObpQueryName(Body, &Query), STATUS_SUCCESS);
    CHECK(RtlEqualUnicodeString(&Query, &Name, FALSE));
    CHECK_STATUS(ObpQueryName(Other, &Query), STATUS_OBJECT_NAME_NOT_FOUND);
    ObDereferenceObject(Body);
    CHECK(Lookup(L"\\Device\\Reader", L"") == Body); // the name keeps it
    ObpRemoveName(Body);
    CHECK(Lookup(L"\\Device\\Reader", L"") == NULL);
    ObDereferenceObject(Other);
    CHECK_EQ(Type.Objects, 0);
}

static void LinksAreFollowed(void)
{
    PVOID Body = ObpCreateObject(&Type, 4);
    UNICODE_STRING Name = Make(L"\\Device\\Reader");
    CHECK_STATUS(ObpInsertName(&Name, Body), STATUS_SUCCESS);
    CHECK_STATUS(Link(L"\\DosDevices\\SCReader0", L"\\Device\\Reader"), STATUS_SUCCESS);
    CHECK_STATUS(Link(L"\\?\?\\screader0", L"\\Device\\Reader"), STATUS_OBJECT_NAME_COLLISION);
    CHECK(Lookup(L"\\?\?\\SCReader0", L"") == Body);
    CHECK(Lookup(L"\\GLOBAL?\?\\SCReader0\\more", L"\\more") == Body);
    CHECK(Lookup(L"\\DosDevices\\Global\\SCReader0", L"") == Body);
    CHECK_STATUS(Link(L"\\?\?\\Twice", L"\\DosDevices\\SCReader0"), STATUS_SUCCESS);
    CHECK(Lookup(L"\\?\?\\Twice\\x", L"\\x") == Body);
    CHECK_STATUS(Link(L"\\?\?\\Deep", L"\\Device\\Reader\\sub"), STATUS_SUCCESS);
    CHECK(Lookup(L"\\?\?\\Deep", L"") == NULL);
    CHECK_STATUS(Link(L"\\?\?\\Loop", L"\\?\?\\Loop"), STATUS_SUCCESS);
    CHECK(Lookup(L"\\?\?\\Loop", L"") == NULL);
    CHECK_STATUS(Unlink(L"\\Device\\Reader"), STATUS_OBJECT_TYPE_MISMATCH);
    CHECK_STATUS(Unlink(L"\\?\?\\Twice"), STATUS_SUCCESS);
    CHECK_STATUS(Unlink(L"\\?\?\\Deep"), STATUS_SUCCESS);
    CHECK_STATUS(Unlink(L"\\?\?\\Loop"), STATUS_SUCCESS);
    CHECK_STATUS(Unlink(L"\\?\?\\SCReader0"), STATUS_SUCCESS);
    CHECK_STATUS(Unlink(L"\\?\?\\SCReader0"), STATUS_OBJECT_NAME_NOT_FOUND);
    ObpRemoveName(Body);
    ObDereferenceObject(Body);
}

static void LongPathsAreRefused(void)
{
    static WCHAR Text[0x4000];
    UNICODE_STRING Name = {sizeof Text, sizeof Text, Text};
    PVOID Body = ObpCreateObject(&Type, 4), Found;
    for (ULONG i = 0; i < RTL_NUMBER_OF(Text); i++) {
        Text[i] = '\\';
    }
    CHECK_STATUS(ObpInsertName(&Name, Body), STATUS_OBJECT_NAME_INVALID);
    CHECK(!NT_SUCCESS(ObpLookupName(&Name, &Found, NULL)));
    ObDereferenceObject(Body);
}

static void Names(void)
{
    KeTestVirtual(NamesAreFound, 0);
}

static void Links(void)
{
    KeTestVirtual(LinksAreFollowed, 0);
}

static void LongPaths(void)
{
    KeTestVirtual(LongPathsAreRefused, 0);
}

static void LeavesName(void)
{
    Link(L"\\DosDevices\\Left", L"\\Device\\X");
}
KE_RULE_TEST(LeavesName, ObjectLeak)

const struct WdmTest WdmTests[] = {
    {"names", Names}, {"links", Links}, {"long paths", LongPaths}, KE_RULE_ROW(LeavesName), {NULL, NULL}};
void (*const WdmTestSetup)(void) = NULL;
void (*const WdmTestTeardown)(void) = NULL;
