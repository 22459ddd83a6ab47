// SPDX-License-Identifier: MIT
#include "tests/nthost/support/ketest.h"
#include "nthost/rtl/crt.h"

static void Copies(void)
{
    WCHAR Wide[8];
    CHAR Narrow[8];
    CHECK_EQ(RtlpWcsLen(L"abc"), 3);
    CHECK_EQ(RtlpStrNLen("abcdef", 4), 4);
    CHECK_MEM(RtlpWcsCat(RtlpWcsCpy(Wide, L"ab"), L"cd"), L"abcd", 10);
    CHECK_MEM(RtlpStrNCpy(Narrow, "ab", 5), "ab\0\0\0", 5);
    CHECK_MEM(RtlpStrNCat(Narrow, "cdef", 2), "abcd", 5);
    CHECK_MEM(RtlpStrUpr(Narrow), "ABCD", 5);
    CHECK_MEM(RtlpWcsLwr(RtlpWcsCpy(Wide, L"AbC")), L"abc", 8);
}

static void Compares(void)
{
    CHECK(RtlpStrCmp("abc", "abd") < 0);
    CHECK(RtlpStrCmp("\xFF", "a") > 0);
    CHECK_EQ(RtlpWcsNCmp(L"abcx", L"abcy", 3), 0);
    CHECK_EQ(RtlpWcsICmp(L"READER", L"reader"), 0);
    CHECK_EQ(RtlpStrNICmp("ABx", "aby", 2), 0);
    CHECK(RtlpStrICmp("ab", "abc") < 0);
    CHECK_EQ(RtlpMemCmp("a\0b", "a\0b", 3), 0);
}

static void Searches(void)
{
    static const WCHAR Path[] = L"\\Device\\Reader";
    CHECK(RtlpWcsRChr(Path, '\\') == Path + 7);
    CHECK(RtlpWcsChr(Path, '\\') == Path);
    CHECK(RtlpWcsChr(Path, 'z') == NULL);
    CHECK(RtlpWcsStr(Path, L"Reader") == Path + 8);
    CHECK(RtlpWcsStr(Path, L"") == Path);
    CHECK(RtlpStrStr("abc", "abcd") == NULL);
    CHECK_EQ(RtlpStrSpn("aabc", "ab"), 3);
    CHECK_EQ(RtlpStrCSpn("xyab", "ab"), 2);
    CHECK(RtlpMemChr("abc", 'c', 2) == NULL);
}

static void Secure(void)
{
    CHAR Narrow[4] = "zzz";
    CHECK_EQ(RtlpStrCpyS(Narrow, sizeof Narrow, "abc"), 0);
    CHECK_EQ(RtlpStrCpyS(Narrow, sizeof Narrow, "abcd"), RTLP_ERANGE);
    CHECK_EQ(Narrow[0], 0);
    CHECK_EQ(RtlpStrNCpyS(Narrow, sizeof Narrow, "abcdef", MAXULONG_PTR), RTLP_STRUNCATE);
    CHECK_MEM(Narrow, "abc", 4);
    CHECK_EQ(RtlpStrNCpyS(Narrow, sizeof Narrow, "abcdef", 1), 0);
    CHECK_EQ(RtlpStrCatS(Narrow, sizeof Narrow, "bc"), 0);
    CHECK_MEM(Narrow, "abc", 4);
    CHECK_EQ(RtlpStrCatS(Narrow, sizeof Narrow, "d"), RTLP_ERANGE);
    CHECK_EQ(RtlpStrCpyS(NULL, 4, "a"), RTLP_EINVAL);
    CHECK_EQ(RtlpMemCpyS(Narrow, 2, "abc", 3), RTLP_ERANGE);
    CHECK_EQ(RtlpMemCpyS(Narrow, 3, "xyz", 3), 0);
}

static void Numbers(void)
{
    WCHAR Text[] = L"  0x1Fz";
    PWSTR End;
    CHECK_EQ(RtlpWcstoul(Text, &End, 0), 31);
    CHECK(End == Text + 6);
    CHECK_EQ(RtlpWcstoul(L"077", NULL, 0), 63);
    CHECK_EQ(RtlpWcstoul(L"99999999999", NULL, 10), MAXULONG);
    CHECK_EQ(RtlpAtoi(" -42x"), -42);
    CHECK_EQ(RtlpWtoi(L"17"), 17);
}

static int __cdecl ByValue(const VOID *Left, const VOID *Right)
{
    return *(const int *)Left - *(const int *)Right;
}

static void Sorts(void)
{
    int Values[33];
    for (int i = 0; i < 33; i++) {
        Values[i] = i * 19 % 33;
    }
    RtlpQsort(Values, 33, sizeof Values[0], ByValue);
    for (int i = 0; i < 33; i++) {
        CHECK_EQ(Values[i], i);
        CHECK(RtlpBsearch(&i, Values, 33, sizeof Values[0], ByValue) == &Values[i]);
    }
    int Missing = 33;
    CHECK(RtlpBsearch(&Missing, Values, 33, sizeof Values[0], ByValue) == NULL);
}

const struct WdmTest WdmTests[] = {{"copies", Copies}, {"compares", Compares}, {"searches", Searches},
                                   {"secure", Secure}, {"numbers", Numbers},   {"sorts", Sorts},
                                   {NULL, NULL}};
void (*const WdmTestSetup)(void) = NULL;
void (*const WdmTestTeardown)(void) = NULL;
