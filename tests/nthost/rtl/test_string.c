// SPDX-License-Identifier: MIT
#include "tests/nthost/support/ketest.h"

static UNICODE_STRING Make(PCWSTR Text)
{
    UNICODE_STRING String;
    RtlInitUnicodeString(&String, Text);
    return String;
}

static void Init(void)
{
    UNICODE_STRING String = Make(L"abc");
    CHECK_EQ(String.Length, 6);
    CHECK_EQ(String.MaximumLength, 8);
    String = Make(NULL);
    CHECK(String.Length == 0 && String.MaximumLength == 0 && String.Buffer == NULL);
    PWCHAR Long = ExAllocatePoolWithTag(PagedPool, 0x40000, 'tseT');
    for (ULONG i = 0; i < 0x1FFFF; i++) {
        Long[i] = 'x';
    }
    Long[0x1FFFF] = 0;
    String = Make(Long);
    CHECK_EQ(String.Length, 0xFFFC);
    CHECK_EQ(String.MaximumLength, 0xFFFE);
    ExFreePool(Long);
}

static void CopyAndAppend(void)
{
    WCHAR Buffer[6];
    UNICODE_STRING Target = {0, sizeof Buffer, Buffer}, Source = Make(L"abc"), Long = Make(L"abcdefgh");
    RtlCopyUnicodeString(&Target, &Source);
    CHECK_EQ(Target.Length, 6);
    CHECK_MEM(Buffer, L"abc", 8);
    CHECK_STATUS(RtlAppendUnicodeToString(&Target, L"de"), STATUS_SUCCESS);
    CHECK_MEM(Buffer, L"abcde", 12);
    CHECK_STATUS(RtlAppendUnicodeStringToString(&Target, &Source), STATUS_BUFFER_TOO_SMALL);
    CHECK_EQ(Target.Length, 10);
    RtlCopyUnicodeString(&Target, &Long);
    CHECK_EQ(Target.Length, 12);
    CHECK_MEM(Buffer, L"abcdef", 12);
    RtlCopyUnicodeString(&Target, NULL);
    CHECK_EQ(Target.Length, 0);
}

static void Compare(void)
{
    UNICODE_STRING Lower = Make(L"abc\xE9"), Upper = Make(L"ABC\xC9"), Longer = Make(L"abc\xE9z"), Up;
    CHECK(RtlEqualUnicodeString(&Lower, &Upper, TRUE));
    CHECK(!RtlEqualUnicodeString(&Lower, &Upper, FALSE));
    CHECK(RtlCompareUnicodeString(&Lower, &Upper, FALSE) > 0);
    CHECK(RtlCompareUnicodeString(&Lower, &Longer, FALSE) < 0);
    CHECK(RtlPrefixUnicodeString(&Upper, &Longer, TRUE));
    CHECK(!RtlPrefixUnicodeString(&Longer, &Lower, TRUE));
    CHECK_STATUS(RtlUpcaseUnicodeString(&Up, &Lower, TRUE), STATUS_SUCCESS);
    CHECK(RtlEqualUnicodeString(&Up, &Upper, FALSE));
    RtlFreeUnicodeString(&Up);
    CHECK(Up.Buffer == NULL);
    CHECK_EQ(RtlDowncaseUnicodeChar(RtlUpcaseUnicodeChar(0xFF)), 0xFF);
}

static void AnsiAndBack(void)
{
    ANSI_STRING Ansi, Back;
    UNICODE_STRING Wide, Euro = Make(L"x\x20AC");
    CHAR Small[3];
    RtlInitAnsiString(&Ansi, "gr\xFCn");
    CHECK_STATUS(RtlAnsiStringToUnicodeString(&Wide, &Ansi, TRUE), STATUS_SUCCESS);
    CHECK_MEM(Wide.Buffer, L"gr\xFCn", 10);
    CHECK_STATUS(RtlUnicodeStringToAnsiString(&Back, &Wide, TRUE), STATUS_SUCCESS);
    CHECK(RtlEqualString(&Ansi, &Back, FALSE));
    RtlFreeAnsiString(&Back);
    Back = (ANSI_STRING){0, sizeof Small, Small};
    CHECK_STATUS(RtlUnicodeStringToAnsiString(&Back, &Wide, FALSE), STATUS_BUFFER_OVERFLOW);
    CHECK_MEM(Small, "gr", 3);
    CHECK_STATUS(RtlUnicodeStringToAnsiString(&Back, &Euro, FALSE), STATUS_SUCCESS);
    CHECK_MEM(Small, "x?", 3);
    UNICODE_STRING Tiny = {0, 8, (PWSTR)(PVOID)Small};
    CHECK_STATUS(RtlAnsiStringToUnicodeString(&Tiny, &Ansi, FALSE), STATUS_BUFFER_OVERFLOW);
    RtlFreeUnicodeString(&Wide);
}

static void Numbers(void)
{
    static const struct {
        PCWSTR Text;
        ULONG Base, Value;
    } Rows[] = {{L"42", 0, 42},   {L" -1", 10, MAXULONG}, {L"0x1F", 0, 31}, {L"1f", 16, 31}, {L"0b101", 0, 5},
                {L"0o17", 0, 15}, {L"12z", 10, 12},       {L"", 0, 0},      {L"0", 0, 0},    {L"+7", 0, 7}};
    WCHAR Buffer[9];
    UNICODE_STRING Target = {0, sizeof Buffer, Buffer};
    for (ULONG i = 0; i < RTL_NUMBER_OF(Rows); i++) {
        UNICODE_STRING Text = Make(Rows[i].Text);
        ULONG Value = 99;
        CHECK_STATUS(RtlUnicodeStringToInteger(&Text, Rows[i].Base, &Value), STATUS_SUCCESS);
        CHECK_EQ(Value, Rows[i].Value);
    }
    CHECK_STATUS(RtlIntegerToUnicodeString(0xBEEF, 16, &Target), STATUS_SUCCESS);
    CHECK_MEM(Buffer, L"BEEF", 10);
    CHECK_STATUS(RtlIntegerToUnicodeString(0, 0, &Target), STATUS_SUCCESS);
    CHECK_MEM(Buffer, L"0", 4);
    CHECK_STATUS(RtlIntegerToUnicodeString(1u << 30, 2, &Target), STATUS_BUFFER_OVERFLOW);
    CHECK_STATUS(RtlIntegerToUnicodeString(1, 7, &Target), STATUS_INVALID_PARAMETER);
}

static void Guids(void)
{
    static const GUID Guid = {0x50DD5230, 0xBA8A, 0x11D1, {0xBF, 0x5D, 0x00, 0x00, 0xF8, 0x05, 0xF5, 0x30}};
    GUID Read;
    UNICODE_STRING Text;
    CHECK_STATUS(RtlStringFromGUID(&Guid, &Text), STATUS_SUCCESS);
    CHECK_MEM(Text.Buffer, L"{50DD5230-BA8A-11D1-BF5D-0000F805F530}", 78);
    CHECK_STATUS(RtlGUIDFromString(&Text, &Read), STATUS_SUCCESS);
    CHECK_MEM(&Read, &Guid, sizeof Guid);
    Text.Buffer[9] = '+';
    CHECK_STATUS(RtlGUIDFromString(&Text, &Read), STATUS_INVALID_PARAMETER);
    Text.Buffer[9] = '-';
    Text.Buffer[1] = 'g';
    CHECK_STATUS(RtlGUIDFromString(&Text, &Read), STATUS_INVALID_PARAMETER);
    Text.Length -= 2;
    CHECK_STATUS(RtlGUIDFromString(&Text, &Read), STATUS_INVALID_PARAMETER);
    RtlFreeUnicodeString(&Text);
}

static void Utf8(void)
{
    static const CHAR Text[] = "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80";
    static const WCHAR Units[] = {'a', 0xE9, 0x20AC, 0xD83D, 0xDE00};
    static const CHAR Bad[] = "\x80\xC0\xAF\xED\xA0\x80\xF5\xE2\x82";
    WCHAR Wide[16];
    CHAR Narrow[16];
    ULONG Size;
    CHECK_STATUS(RtlUTF8ToUnicodeN(Wide, sizeof Wide, &Size, Text, sizeof Text - 1), STATUS_SUCCESS);
    CHECK_EQ(Size, sizeof Units);
    CHECK_MEM(Wide, Units, sizeof Units);
    CHECK_STATUS(RtlUnicodeToUTF8N(Narrow, sizeof Narrow, &Size, Units, sizeof Units), STATUS_SUCCESS);
    CHECK_EQ(Size, sizeof Text - 1);
    CHECK_MEM(Narrow, Text, sizeof Text - 1);
    CHECK_STATUS(RtlUTF8ToUnicodeN(Wide, sizeof Wide, &Size, Bad, sizeof Bad - 1), STATUS_SOME_NOT_MAPPED);
    for (ULONG i = 0; i < Size / sizeof(WCHAR); i++) {
        CHECK_EQ(Wide[i], 0xFFFD);
    }
    CHECK_STATUS(RtlUnicodeToUTF8N(Narrow, 2, &Size, Units, sizeof Units), STATUS_BUFFER_TOO_SMALL);
    CHECK_EQ(Size, 1);
    CHECK_STATUS(RtlUTF8ToUnicodeN(NULL, 0, &Size, Text, sizeof Text - 1), STATUS_SUCCESS);
    CHECK_EQ(Size, sizeof Units);
}

static void Times(void)
{
    static const TIME_FIELDS Rows[] = {{1601, 1, 1, 0, 0, 0, 0, 1},
                                       {1970, 1, 1, 0, 0, 0, 0, 4},
                                       {2000, 2, 29, 23, 59, 59, 999, 2},
                                       {2100, 3, 1, 12, 0, 0, 1, 1},
                                       {2026, 11, 25, 2, 15, 0, 0, 3}};
    for (ULONG i = 0; i < RTL_NUMBER_OF(Rows); i++) {
        LARGE_INTEGER Time;
        TIME_FIELDS Fields = Rows[i];
        CHECK(RtlTimeFieldsToTime(&Fields, &Time));
        RtlZeroMemory(&Fields, sizeof Fields);
        RtlTimeToTimeFields(&Time, &Fields);
        CHECK_MEM(&Fields, &Rows[i], sizeof Fields);
    }
    LARGE_INTEGER Epoch;
    TIME_FIELDS Fields = Rows[1], Bad = {2100, 2, 29, 0, 0, 0, 0, 0};
    RtlTimeFieldsToTime(&Fields, &Epoch);
    CHECK_EQ(Epoch.QuadPart, 116444736000000000);
    CHECK(!RtlTimeFieldsToTime(&Bad, &Epoch));
}

#define IN_KERNEL(Name)                                                                                      \
    static void Name##_kernel(void)                                                                          \
    {                                                                                                        \
        KeTestVirtual(Name, 0);                                                                              \
    }
IN_KERNEL(Init)
IN_KERNEL(CopyAndAppend)
IN_KERNEL(Compare)
IN_KERNEL(AnsiAndBack)
IN_KERNEL(Numbers)
IN_KERNEL(Guids)

static void ComparesRaised(void)
{
    KIRQL Irql;
    UNICODE_STRING Text = Make(L"a");
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    RtlEqualUnicodeString(&Text, &Text, TRUE);
}
KE_RULE_TEST(ComparesRaised, IrqlTooHigh)

const struct WdmTest WdmTests[] = {{"init", Init_kernel},
                                   {"copy and append", CopyAndAppend_kernel},
                                   {"compare", Compare_kernel},
                                   {"ANSI and back", AnsiAndBack_kernel},
                                   {"numbers", Numbers_kernel},
                                   {"GUIDs", Guids_kernel},
                                   {"UTF-8", Utf8},
                                   {"times", Times},
                                   KE_RULE_ROW(ComparesRaised),
                                   {NULL, NULL}};
void (*const WdmTestSetup)(void) = NULL;
void (*const WdmTestTeardown)(void) = NULL;
