// SPDX-License-Identifier: MIT
// Time, and the thread that expires timers and runs their DPCs.
#include "nthost/ke/ke.h"
#include "nthost/ke/inlines.h"
#include "nthost/ke/lock.h"
#include "nthost/verifier/verifier.h"

enum { KI_TICK = 156250 };
enum { SHARED_INTERRUPT_TIME = 0x08, SHARED_SYSTEM_TIME = 0x14, SHARED_TICK_COUNT = 0x320 };

unsigned char NtHostUserSharedData[0x1000] __attribute__((aligned(0x1000)));

static ULONG64 KiBootUptime, KiBootSystemTime;
static PKTHREAD KiClockThread;
static uint32_t KiClockWord; // 1: look at the timers and the DPCs
static BOOLEAN KiClockStop;

ULONG64 KiUptime(VOID)
{
    return KiOptions.Virtual ? KiVirtualNow : os_uptime() - KiBootUptime;
}

ULONG64 KiHostTime(ULONG64 Due)
{
    return Due > MAXLONGLONG - KiBootUptime ? MAXLONGLONG : KiBootUptime + Due;
}

// One store, since a reader takes all eight bytes at once. Drivers read without any order, as on Windows.
typedef ULONG64 __attribute__((aligned(4))) KI_TIME;
__attribute__((no_sanitize("thread"))) static VOID KiStore(ULONG Offset, ULONG64 Value)
{
    *(volatile KI_TIME *)(PVOID)(NtHostUserSharedData + Offset) = Value;
}

VOID KiUpdateTime(VOID)
{
    ULONG64 Uptime = KiUptime();
    KiStore(SHARED_INTERRUPT_TIME, Uptime);
    KiStore(SHARED_SYSTEM_TIME, KiBootSystemTime + Uptime);
    KiStore(SHARED_TICK_COUNT, Uptime / KI_TICK);
}

ULONG64 KiDueTime(LARGE_INTEGER Time)
{
    if (Time.QuadPart <= 0) {
        ULONG64 Interval = 0 - (ULONG64)Time.QuadPart;
        ULONG64 Now = KiUptime();
        return Interval > MAXLONGLONG - Now ? MAXLONGLONG : Now + Interval;
    }
    return (ULONG64)Time.QuadPart > KiBootSystemTime ? (ULONG64)Time.QuadPart - KiBootSystemTime : 0;
}

ULONG NTAPI KeQueryTimeIncrement(VOID)
{
    return KI_TICK;
}

ULONGLONG NTAPI KiExportQueryInterruptTime(VOID)
{
    return KiUptime();
}

VOID NTAPI KiExportQuerySystemTimePrecise(PLARGE_INTEGER Time)
{
    Time->QuadPart = (LONGLONG)(KiBootSystemTime + KiUptime());
}

LARGE_INTEGER NTAPI KeQueryPerformanceCounter(PLARGE_INTEGER Frequency)
{
    LARGE_INTEGER Counter;
    if (Frequency != NULL) {
        Frequency->QuadPart = 10000000;
    }
    if (KiOptions.Virtual) {
        KiAdvanceVirtual(1); // else a loop that waits for time to pass would never end
    }
    Counter.QuadPart = (LONGLONG)KiUptime();
    return Counter;
}

VOID NTAPI KeStallExecutionProcessor(ULONG Microseconds)
{
    NT_ENTRY(KeStallExecutionProcessor);
    if (KiOptions.Virtual) {
        KiAdvanceVirtual((ULONG64)Microseconds * 10);
        KiPreempt(NULL);
        return;
    }
    ULONG64 End = os_uptime() + (ULONG64)Microseconds * 10;
    while (os_uptime() < End) {
        YieldProcessor();
    }
}

VOID KiWakeClock(VOID)
{
    if (__atomic_exchange_n(&KiClockWord, 1, __ATOMIC_ACQ_REL) == 0) {
        if (KiOptions.Virtual) {
            KiReadyVirtual(KiClockThread);
        } else {
            os_wake(&KiClockWord, 1);
        }
    }
}

static VOID KiClockSleep(PKTHREAD Thread)
{
    if (__atomic_load_n(&KiClockWord, __ATOMIC_ACQUIRE) != 0) {
        return;
    }
    if (KiOptions.Virtual) {
        KiIdleVirtual(Thread);
    } else {
        ULONG64 Due = KiNextDue();
        ULONG64 Tick = KiUptime() + KI_TICK;
        os_wait(&KiClockWord, 0, KiHostTime(Due < Tick ? Due : Tick));
    }
}

static void KiRunClock(void *Argument)
{
    PKTHREAD Thread = Argument;
    KiBeginThread(Thread);
    while (!__atomic_load_n(&KiClockStop, __ATOMIC_ACQUIRE)) {
        __atomic_store_n(&KiClockWord, 0, __ATOMIC_RELEASE);
        KiUpdateTime();
        KiExpireTimers();
        if (KiDpcsQueued()) {
            KiDrainDpcs(Thread);
        }
        KiClockSleep(Thread);
    }
    KiEndThread(Thread);
}

BOOLEAN KiStartClock(VOID)
{
    KiClockStop = FALSE;
    KiClockWord = 0;
    KiClockThread = KiCreateThread();
    if (KiClockThread == NULL) {
        return FALSE;
    }
    ObReferenceObject(KiClockThread); // for KiStopClock
    return KiStartHostThread(KiClockThread, KiRunClock);
}

VOID KiStopClock(VOID)
{
    __atomic_store_n(&KiClockStop, TRUE, __ATOMIC_RELEASE);
    KiWakeClock();
    KeWaitForSingleObject(KiClockThread, Executive, KernelMode, FALSE, NULL);
    ObDereferenceObject(KiClockThread);
}

VOID KiBootClock(VOID)
{
    KiBootUptime = os_uptime();
    // A fixed date makes virtual runs repeat to the last bit: 2026-01-01.
    KiBootSystemTime = KiOptions.Virtual ? 134116992000000000u : os_system_time();
    KiUpdateTime();
}
