// SPDX-License-Identifier: MIT
// A bare kernel around a test routine: under the real clock, the virtual one, and seeded schedules of it.
#pragma once
#include "nthost/ke/ke.h"
#include "nthost/verifier/verifier.h"
#include "tests/nthost/support/child.h"
#include "tests/support/wdmtest.h"

typedef void KE_TEST(void);

VOID KeTestReal(KE_TEST *Test);
VOID KeTestVirtual(KE_TEST *Test, ULONG64 Seed);
VOID KeTestSeeds(KE_TEST *Test); // some dozens
VOID KeTestGuarded(KE_TEST *Test);
extern CHAR KeTestPrinted[4096]; // by DbgPrint since boot

// In a child with the verifier on: the rule must be broken by driver "bad". `Report` may be NULL.
VOID KeTestBreaks(KE_TEST *Fragment, VF_RULE Rule);
VOID KeTestBreaksUnder(KE_TEST *Fragment, PCSTR Text, VOID (*Boot)(KE_TEST *Test)); // any text of the report
VOID KeTestOnVirtual(KE_TEST *Test);                                                // seed 0
extern CHAR KeTestReport[CHILD_REPORT_SIZE];

// Name_real, Name_virtual and Name_seeds, and their rows.
#define KE_TEST_CLOCKS(Name)                                                                                 \
    static void Name##_real(void)                                                                            \
    {                                                                                                        \
        KeTestReal(Name);                                                                                    \
    }                                                                                                        \
    static void Name##_virtual(void)                                                                         \
    {                                                                                                        \
        KeTestVirtual(Name, 0);                                                                              \
    }                                                                                                        \
    static void Name##_seeds(void)                                                                           \
    {                                                                                                        \
        KeTestSeeds(Name);                                                                                   \
    }
#define KE_TEST_ROWS(Name)                                                                                   \
    {#Name " real", Name##_real}, {#Name " virtual", Name##_virtual},                                        \
    {                                                                                                        \
#Name " seeds", Name##_seeds                                                                         \
    }
#define KE_RULE_TEST(Fragment, Rule)                                                                         \
    static void Fragment##_breaks(void)                                                                      \
    {                                                                                                        \
        KeTestBreaks(Fragment, VfRule##Rule);                                                                \
    }
#define KE_RULE_ROW(Fragment)                                                                                \
    {                                                                                                        \
#Fragment, Fragment##_breaks                                                                         \
    }

static inline PLARGE_INTEGER KeTestMs(PLARGE_INTEGER Time, LONG Milliseconds)
{
    Time->QuadPart = (LONGLONG)Milliseconds * -10000;
    return Time;
}
