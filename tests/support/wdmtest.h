// SPDX-License-Identifier: MIT
// Tests written as WDM code: cmocka needs the C library's headers, which cannot meet the DDK's in one source,
// so the assertions go through wdmtest.c. A test source defines WdmTests[]; the fixture routines may be NULL.
#pragma once

struct WdmTest {
    const char *Name;
    void (*Routine)(void);
};

extern const struct WdmTest WdmTests[]; // ends with a NULL name
extern void (*const WdmTestSetup)(void);
extern void (*const WdmTestTeardown)(void);

void WdmTestTrue(int Condition, const char *Text, const char *File, int Line);
void WdmTestEqual(unsigned long long Actual, unsigned long long Expected, const char *Text, const char *File,
                  int Line);
void WdmTestMemory(const void *Actual, const void *Expected, unsigned long long Length, const char *File,
                   int Line);

#ifdef __clang_analyzer__
#define CHECK(condition) ((condition) ? (void)0 : __builtin_trap()) // a failed check ends the test
#else
#define CHECK(condition) WdmTestTrue((condition) != 0, #condition, __FILE__, __LINE__)
#endif
#define CHECK_EQ(actual, expected)                                                                           \
    WdmTestEqual((unsigned long long)(actual), (unsigned long long)(expected), #actual " == " #expected,     \
                 __FILE__, __LINE__)
#define CHECK_STATUS(actual, expected)                                                                       \
    WdmTestEqual((unsigned)(actual), (unsigned)(expected), #actual " == " #expected, __FILE__, __LINE__)
#define CHECK_MEM(actual, expected, length) WdmTestMemory(actual, expected, length, __FILE__, __LINE__)
