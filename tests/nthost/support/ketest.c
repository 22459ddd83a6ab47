// SPDX-License-Identifier: MIT
#include "tests/nthost/support/ketest.h"
#include "nthost/rtl/rtl.h"

enum { SEEDS = 40 };

CHAR KeTestPrinted[4096];
CHAR KeTestReport[CHILD_REPORT_SIZE];

static KE_TEST *KeTestFragment;
static VOID (*KeTestBoot)(KE_TEST *Test);
static void (*KeTestBugCheck)(void *Context, const char *Report);

static void KeTestPrint(void *Context, const char *Text)
{
    (void)Context;
    RtlpAppend(KeTestPrinted, sizeof KeTestPrinted, "%s", Text);
}

static VOID KeTestRun(KE_TEST *Test, KI_BOOT Boot)
{
    Boot.Verifier = TRUE;
    Boot.Print = KeTestPrint;
    Boot.BugCheck = KeTestBugCheck;
    KeTestPrinted[0] = 0;
    CHECK(KiBoot(&Boot));
    Test();
    KiShutdown();
}

VOID KeTestReal(KE_TEST *Test)
{
    KI_BOOT Boot = {0};
    KeTestRun(Test, Boot);
}

VOID KeTestVirtual(KE_TEST *Test, ULONG64 Seed)
{
    KI_BOOT Boot = {.Virtual = TRUE, .Seed = Seed};
    KeTestRun(Test, Boot);
}

VOID KeTestOnVirtual(KE_TEST *Test)
{
    KeTestVirtual(Test, 0);
}

VOID KeTestSeeds(KE_TEST *Test)
{
    for (ULONG64 Seed = 1; Seed <= SEEDS; Seed++) {
        KeTestVirtual(Test, Seed);
    }
}

VOID KeTestGuarded(KE_TEST *Test)
{
    KI_BOOT Boot = {.Virtual = TRUE, .GuardPages = TRUE};
    KeTestRun(Test, Boot);
}

static void KeTestAsBadDriver(void)
{
    VF_FRAME Frame;
    VF_DRIVER Driver = VfRegisterDriver("bad");
    VfEnterDriver(&Frame, Driver, NULL);
    KeTestFragment();
    VfLeaveDriver(&Frame, "fragment");
    VfRetireDriver(Driver);
}

static void KeTestInChild(void)
{
    KeTestBugCheck = child_report;
    KeTestBoot(KeTestAsBadDriver);
}

VOID KeTestBreaksUnder(KE_TEST *Fragment, PCSTR Text, VOID (*Boot)(KE_TEST *Test))
{
    KeTestFragment = Fragment;
    KeTestBoot = Boot;
    int Ended = child_run(KeTestInChild, KeTestReport);
    if (Ended != 1 || !child_contains(KeTestReport, Text)) {
        child_show(KeTestReport);
    }
    CHECK_EQ(Ended, 1);
    CHECK(child_contains(KeTestReport, Text));
}

VOID KeTestBreaks(KE_TEST *Fragment, VF_RULE Rule)
{
    CHAR Text[64] = "";
    RtlpAppend(Text, sizeof Text, "rule: %s\n", VfRuleName(Rule));
    KeTestBreaksUnder(Fragment, Text, KeTestOnVirtual);
}
