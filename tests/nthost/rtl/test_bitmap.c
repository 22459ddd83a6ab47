// SPDX-License-Identifier: MIT
// Bit maps, versions, copies of strings.
#include "nthost/rtl/rtl.h"
#include "tests/nthost/support/ketest.h"

static void Bits(void)
{
    ULONG Words[2];
    RTL_BITMAP Map;
    RtlInitializeBitMap(&Map, Words, 50);
    RtlClearAllBits(&Map);
    CHECK_EQ(RtlNumberOfClearBits(&Map), 50);
    RtlSetBit(&Map, 0);
    RtlSetBits(&Map, 30, 4);
    CHECK(RtlTestBit(&Map, 33) && !RtlTestBit(&Map, 34));
    CHECK_EQ(Words[1], 3);
    CHECK_EQ(RtlNumberOfSetBits(&Map), 5);
    CHECK(RtlAreBitsSet(&Map, 30, 4) && !RtlAreBitsSet(&Map, 30, 5));
    CHECK(RtlAreBitsClear(&Map, 34, 16) && !RtlAreBitsClear(&Map, 34, 17) && !RtlAreBitsClear(&Map, 34, 0));
    CHECK_EQ(RtlFindClearBits(&Map, 29, 0), 1);
    CHECK_EQ(RtlFindClearBits(&Map, 30, 0), 0xFFFFFFFF);
    CHECK_EQ(RtlFindClearBits(&Map, 1, 30), 34);
    CHECK_EQ(RtlFindClearBits(&Map, 20, 40), 1);
    CHECK_EQ(RtlFindSetBits(&Map, 3, 0), 30);
    CHECK_EQ(RtlFindClearBitsAndSet(&Map, 2, 33), 34);
    CHECK(RtlTestBit(&Map, 35) && !RtlTestBit(&Map, 36));
    CHECK_EQ(RtlFindSetBitsAndClear(&Map, 6, 0), 30);
    CHECK_EQ(RtlNumberOfSetBits(&Map), 1);
    RtlClearBit(&Map, 0);
    RtlSetAllBits(&Map);
    RtlClearBits(&Map, 49, 1);
    CHECK_EQ(RtlFindClearBitsAndSet(&Map, 1, 77), 49);
    CHECK_EQ(RtlFindClearBitsAndSet(&Map, 1, 0), 0xFFFFFFFF);
}

static NTSTATUS Verify(ULONG Major, ULONG Minor, ULONG Types, UCHAR Condition)
{
    RTL_OSVERSIONINFOEXW Version = {.dwMajorVersion = Major, .dwMinorVersion = Minor, .dwBuildNumber = 7000};
    return RtlVerifyVersionInfo(&Version, Types, VerSetConditionMask(0, Types, Condition));
}

static void Versions(void)
{
    enum { NUMBER = VER_MAJORVERSION | VER_MINORVERSION };
    CHECK_STATUS(Verify(6, 1, NUMBER, VER_EQUAL), STATUS_SUCCESS);
    CHECK_STATUS(Verify(6, 0, NUMBER, VER_EQUAL), STATUS_REVISION_MISMATCH);
    CHECK_STATUS(Verify(5, 2, NUMBER, VER_GREATER_EQUAL), STATUS_SUCCESS);
    CHECK_STATUS(Verify(6, 2, NUMBER, VER_GREATER_EQUAL), STATUS_REVISION_MISMATCH);
    CHECK_STATUS(Verify(6, 1, NUMBER, VER_GREATER), STATUS_REVISION_MISMATCH);
    CHECK_STATUS(Verify(10, 0, NUMBER, VER_LESS), STATUS_SUCCESS);
    CHECK_STATUS(Verify(6, 2, NUMBER, VER_LESS_EQUAL), STATUS_SUCCESS);
    CHECK_STATUS(Verify(6, 1, VER_BUILDNUMBER, VER_GREATER), STATUS_SUCCESS);
    CHECK_STATUS(Verify(6, 1, VER_BUILDNUMBER, VER_LESS_EQUAL), STATUS_REVISION_MISMATCH);
    CHECK_STATUS(Verify(6, 1, 0, VER_EQUAL), STATUS_INVALID_PARAMETER);
    CHECK(IoIsWdmVersionAvailable(1, 0x30) && IoIsWdmVersionAvailable(6, 1));
    CHECK(!IoIsWdmVersionAvailable(6, 2) && !IoIsWdmVersionAvailable(10, 0));
}

static void Copies(void)
{
    static WCHAR Long[40000];
    UNICODE_STRING Source, Copy;
    CHECK_STATUS(RtlInitUnicodeStringEx(&Source, L"reader"), STATUS_SUCCESS);
    CHECK_EQ(Source.Length, 12);
    CHECK_STATUS(RtlDuplicateUnicodeString(1, &Source, &Copy), STATUS_SUCCESS);
    CHECK_EQ(Copy.MaximumLength, 14);
    CHECK_MEM(Copy.Buffer, L"reader", 14);
    RtlFreeUnicodeString(&Copy);
    CHECK_STATUS(RtlDuplicateUnicodeString(0, &Source, &Copy), STATUS_SUCCESS);
    CHECK_EQ(Copy.MaximumLength, 12);
    RtlFreeUnicodeString(&Copy);
    CHECK_STATUS(RtlInitUnicodeStringEx(&Source, NULL), STATUS_SUCCESS);
    CHECK_STATUS(RtlDuplicateUnicodeString(1, &Source, &Copy), STATUS_SUCCESS);
    CHECK(Copy.Buffer == NULL);
    CHECK_STATUS(RtlDuplicateUnicodeString(3, &Source, &Copy), STATUS_SUCCESS);
    CHECK(Copy.Buffer != NULL && Copy.Buffer[0] == 0);
    RtlFreeUnicodeString(&Copy);
    CHECK_STATUS(RtlDuplicateUnicodeString(2, &Source, &Copy), STATUS_INVALID_PARAMETER);
    for (ULONG i = 0; i < RTL_NUMBER_OF(Long) - 1; i++) {
        Long[i] = 'x';
    }
    CHECK_STATUS(RtlInitUnicodeStringEx(&Source, Long), STATUS_NAME_TOO_LONG);
    CHECK(Source.Buffer == NULL);
}

#define ON_KERNEL(name, routine)                                                                             \
    static void name(void)                                                                                   \
    {                                                                                                        \
        KeTestVirtual(routine, 0);                                                                           \
    }
ON_KERNEL(BitMaps, Bits)
ON_KERNEL(VersionsCompared, Versions)
ON_KERNEL(StringsCopied, Copies)

static void DuplicatesRaised(void)
{
    KIRQL Irql;
    UNICODE_STRING Source, Copy;
    RtlInitUnicodeString(&Source, L"x");
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    RtlDuplicateUnicodeString(1, &Source, &Copy);
}
KE_RULE_TEST(DuplicatesRaised, IrqlTooHigh)

const struct WdmTest WdmTests[] = {{"bit maps", BitMaps},
                                   {"versions", VersionsCompared},
                                   {"copies of strings", StringsCopied},
                                   KE_RULE_ROW(DuplicatesRaised),
                                   {NULL, NULL}};
void (*const WdmTestSetup)(void) = NULL;
void (*const WdmTestTeardown)(void) = NULL;
