// SPDX-License-Identifier: MIT
// What the macros of the headers do in a checked driver, with a free library. The linker hands DbgPrint and
// DbgBreakPoint to this file (--wrap).
#define DBG         1
#define DRIVER_NAME "MACRO"
#include "tests/smclib/card.h"

ULONG __cdecl __wrap_DbgPrint(const char *Format, ...);
VOID NTAPI __wrap_DbgBreakPoint(void);

static ULONG Printed;
static ULONG Broken;

ULONG __cdecl __wrap_DbgPrint(const char *Format, ...)
{
    CHECK(Format[0] == '%');
    Printed++;
    return 0;
}

VOID NTAPI __wrap_DbgBreakPoint(void)
{
    Broken++;
}

static ULONG Print(ULONG Level)
{
    Printed = 0;
    Broken = 0;
    SmartcardDebug(Level, ("%s!Print\n", DRIVER_NAME)) // as drivers write it, without a semicolon
        return Printed;
}

static void DebugLevelChoosesWhatIsPrinted(void)
{
    CHECK_EQ(Print(DEBUG_ERROR), 1); // always
    CHECK_EQ(Print(DEBUG_TRACE), 0);
    SmartcardSetDebugLevel(DEBUG_TRACE);
    CHECK_EQ(Print(DEBUG_TRACE), 1);
    CHECK_EQ(Print(DEBUG_IOCTL | DEBUG_TRACE), 1);
    CHECK_EQ(Print(DEBUG_IOCTL), 0);
    SmartcardSetDebugLevel(DEBUG_ALL);
    CHECK_EQ(Print(DEBUG_PROTOCOL), 1);
    CHECK_EQ(Broken, 0);
    SmartcardSetDebugLevel(0);
}

static void BreakComesWithEveryInvocation(void)
{
    SmartcardSetDebugLevel(DEBUG_BREAK);
    CHECK_EQ(Print(DEBUG_TRACE), 0); // printed or not
    CHECK_EQ(Broken, 1);
    CHECK_EQ(Print(DEBUG_ERROR), 1);
    CHECK_EQ(Broken, 1);
    SmartcardSetDebugLevel(0);
    CHECK_EQ(Print(DEBUG_ERROR), 1);
    CHECK_EQ(Broken, 0);
}

static void UnsafeDataIsUnderTheSpinLock(void)
{
    PSMARTCARD_EXTENSION SmartcardExtension = Ext; // the name the macros want
    KIRQL irql;

    CHECK_EQ(KeGetCurrentIrql(), PASSIVE_LEVEL);
    AccessUnsafeData(&irql);
    CHECK_EQ(irql, PASSIVE_LEVEL);
    CHECK_EQ(KeGetCurrentIrql(), DISPATCH_LEVEL);
    EndAccessUnsafeData(irql);
    CHECK_EQ(KeGetCurrentIrql(), PASSIVE_LEVEL);
}

const struct WdmTest WdmTests[] = {
    {"the debug level chooses what is printed", DebugLevelChoosesWhatIsPrinted},
    {"a break comes with every invocation", BreakComesWithEveryInvocation},
    {"unsafe data is under the spin lock", UnsafeDataIsUnderTheSpinLock},
    {NULL, NULL},
};
void (*const WdmTestSetup)(void) = CardSetup;
void (*const WdmTestTeardown)(void) = CardTeardown;
