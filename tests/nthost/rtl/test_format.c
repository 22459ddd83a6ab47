// SPDX-License-Identifier: MIT
#include "tests/nthost/support/ketest.h"
#include "nthost/rtl/crt.h"
#include "nthost/rtl/rtl.h"

#define CHECK_FORMAT(expected, ...)                                                                          \
    do {                                                                                                     \
        CHAR Text_[128] = "";                                                                                \
        RtlpAppend(Text_, sizeof Text_, __VA_ARGS__);                                                        \
        CHECK_MEM(Text_, expected, sizeof expected);                                                         \
    } while (0)

static void Integers(void)
{
    CHECK_FORMAT("-5 4294967291 fffffffb FFFFFFFB", "%d %u %x %X", -5, -5, -5, -5);
    CHECK_FORMAT("0 0 0", "%d %x %o", 0, 0, 0);
    CHECK_FORMAT("-9223372036854775808", "%I64d", MINLONGLONG);
    CHECK_FORMAT("ffffffffffffffff ffffffff", "%I64x %I32x", -1LL, -1);
    CHECK_FORMAT("123456789012 123456789012", "%lld %Iu", 123456789012LL, (SIZE_T)123456789012);
    CHECK_FORMAT("-1 4294967295", "%ld %lu", -1, -1); // long has 32 bits
    CHECK_FORMAT("65535 -1", "%hu %hd", 0x1FFFF, 0x1FFFF);
    CHECK_FORMAT("   42|42   |00042|+42| 42", "%5d|%-5d|%05d|%+d|% d", 42, 42, 42, 42, 42);
    CHECK_FORMAT("0x2a 0X2A 052 0", "%#x %#X %#o %#x", 42, 42, 42, 0);
    CHECK_FORMAT(" 0042|  -0042", "%5.4d|%*.*d", 42, 7, 4, -42);
    CHECK_FORMAT("7   |", "%*d|", -4, 7);
    CHECK_FORMAT("0000000000001234", "%p", (PVOID)0x1234);
}

static void Strings(void)
{
    UNICODE_STRING Wide = {6, 8, (PWSTR)L"abcd"};
    ANSI_STRING Narrow = {2, 3, (PCHAR) "xyz"};
    CHECK_FORMAT("abc|  abc|abc  |ab", "%s|%5s|%-5s|%.2s", "abc", "abc", "abc", "abc");
    CHECK_FORMAT("wide wide wide narrow", "%S %ls %ws %hs", L"wide", L"wide", L"wide", "narrow");
    CHECK_FORMAT("abc xy ab", "%wZ %Z %.2wZ", &Wide, &Narrow, &Wide);
    CHECK_FORMAT("(null) (null)", "%s %wZ", (PSTR)NULL, (PUNICODE_STRING)NULL);
    CHECK_FORMAT("A B C 100%", "%c %C %wc 100%%", 'A', L'B', L'C');
    CHECK_FORMAT("?", "%S", L"\x20AC");
    CHECK_FORMAT("end", "end%");
    CHECK_FORMAT("y", "%y");
}

static void Bounds(void)
{
    CHAR Text[8] = "ab";
    RtlpAppend(Text, sizeof Text, "%s", "cdefghij");
    CHECK_MEM(Text, "abcdefg", 8);
    RtlpAppend(Text, sizeof Text, "more");
    CHECK_MEM(Text, "abcdefg", 8);
}

static void WidePrintf(void)
{
    WCHAR Text[32];
    CHECK_EQ(RtlpSwprintf(Text, L"%s %S %hs %d", L"wide", "narrow", "n", 7), 15);
    CHECK_MEM(Text, L"wide narrow n 7", 32);
    CHECK_EQ(RtlpSnwprintf(Text, 4, L"%d", 1234), 4); // no room for the terminator
    CHECK_EQ(RtlpSnwprintf(Text, 3, L"%d", 1234), -1);
    CHECK_MEM(Text, L"123", 6);
    CHECK_EQ(RtlpSwprintfS(Text, 4, L"%d", 1234), -1);
    CHECK_EQ(Text[0], 0);
    CHAR Narrow[16];
    CHECK_EQ(RtlpSprintf(Narrow, "%s %S", "a", L"b"), 3);
    CHECK_MEM(Narrow, "a b", 4);
    CHECK_EQ(RtlpSnprintf(Narrow, 2, "%s", "abc"), -1);
    CHECK_EQ(RtlpSprintfS(Narrow, 4, "%s", "abc"), 3);
}

static void Prints(void)
{
    UNICODE_STRING Name;
    RtlInitUnicodeString(&Name, L"reader");
    DbgPrint("%wZ %d\n", &Name, 1);
    DbgPrintEx(DPFLTR_DEFAULT_ID, DPFLTR_ERROR_LEVEL, "%s", "two");
    CHECK_MEM(KeTestPrinted, "reader 1\ntwo", 13);
}

static void PrintsToHost(void)
{
    KeTestVirtual(Prints, 0);
}

const struct WdmTest WdmTests[] = {{"integers", Integers},     {"strings", Strings},
                                   {"bounds", Bounds},         {"wide printf", WidePrintf},
                                   {"DbgPrint", PrintsToHost}, {NULL, NULL}};
void (*const WdmTestSetup)(void) = NULL;
void (*const WdmTestTeardown)(void) = NULL;
