// SPDX-License-Identifier: MIT
// Follows a schedule and records the points that could be departed from. What happened is known by histories:
// each thread and each object has one, and where a thread touches an object both become one new value, made
// of the two. So runs that differ only in the order of what touches different objects have the same values.
#include "nthost/ke/explore.h"
#include "nthost/user/explore.h"

enum { KI_OBJECTS = 4096, KI_PROBES = 16 };

typedef struct _KI_TOUCHED {
    PVOID Object;
    ULONG64 History;
    ULONG Boot;
} KI_TOUCHED;

BOOLEAN KiExploring;

static const struct nt_schedule *KiSchedule;
static struct nt_schedule KiScheduleCopy;
static struct nt_trace *KiTrace;
static ULONG KiDeparted;
static BOOLEAN KiAstray; // an option that there was not
static uint32_t KiPoints;

static KI_TOUCHED KiTouched[KI_OBJECTS];
static KI_TOUCHED KiOthers; // objects for which there is no room
static ULONG KiTouchBoot;
static ULONG64 KiHistory;

void nt_schedule_use(const struct nt_schedule *schedule)
{
    KiSchedule = NULL;
    if (schedule != NULL) {
        KiScheduleCopy = *schedule;
        KiSchedule = &KiScheduleCopy;
    }
}

bool nt_schedule_kept(void)
{
    return KiSchedule == NULL || (KiDeparted == KiSchedule->count && !KiAstray);
}

void nt_schedule_trace(struct nt_trace *trace)
{
    KiTrace = trace;
}

VOID KiBootExplore(PKTHREAD Thread)
{
    KiExploring = KiOptions.Virtual && KiOptions.Seed == 0 && KiSchedule != NULL;
    KiDeparted = 0;
    KiAstray = FALSE;
    KiPoints = 0;
    KiTouchBoot++;
    KiHistory = KiOthers.History = 0;
    Thread->History = 1;
    if (KiTrace != NULL) {
        KiTrace->points = KiTrace->switches = 0;
    }
}

// Of its own, so that a debugger can stop here.
__attribute__((noinline)) static VOID KiDepart(uint32_t Point, uint32_t Option)
{
    __asm__ volatile("" : : "r"(Point), "r"(Option));
    KiDeparted++;
}

ULONG KiChooseExplored(ULONG Count, ULONG64 State, BOOLEAN Free)
{
    if (Count < 2) {
        return 0;
    }
    uint32_t Point = KiPoints++;
    if (KiTrace != NULL) {
        if (Point < KiTrace->room) {
            KiTrace->at[Point] = (struct nt_trace_point){KiMixHistory(State, Free), Count, Free};
        }
        KiTrace->points = KiPoints;
    }
    if (KiDeparted == KiSchedule->count || KiSchedule->departures[KiDeparted].point != Point) {
        return 0;
    }
    uint32_t Option = KiSchedule->departures[KiDeparted].option;
    KiDepart(Point, Option);
    KiAstray = KiAstray || Option >= Count;
    return Option < Count ? Option : 0;
}

VOID KiCountSwitch(VOID)
{
    if (KiTrace != NULL) {
        KiTrace->switches++;
    }
}

// ---- what commutes ----

// splitmix64's finisher; the order of the two counts.
ULONG64 KiMixHistory(ULONG64 One, ULONG64 Other)
{
    ULONG64 Value = One * 0x9E3779B97F4A7C15u + Other + 0x632BE59BD9B4E019u;
    Value = (Value ^ (Value >> 30)) * 0xBF58476D1CE4E5B9u;
    Value = (Value ^ (Value >> 27)) * 0x94D049BB133111EBu;
    return Value ^ (Value >> 31);
}

// An address used anew has the old history: that orders more than need be, never less.
static KI_TOUCHED *KiFindTouched(PVOID Object)
{
    ULONG64 Hash = KiMixHistory((ULONG64)(ULONG_PTR)Object, 0);
    for (ULONG i = 0; i < KI_PROBES; i++) {
        KI_TOUCHED *Touched = &KiTouched[(Hash + i) % KI_OBJECTS];
        if (Touched->Boot != KiTouchBoot) {
            *Touched = (KI_TOUCHED){Object, 0, KiTouchBoot};
        }
        if (Touched->Object == Object) {
            return Touched;
        }
    }
    return &KiOthers;
}

VOID KiTouchExplored(PVOID Object)
{
    PKTHREAD Thread = KiCurrentThread();
    if (Object == NULL) {
        return;
    }
    KI_TOUCHED *Touched = KiFindTouched(Object);
    Touched->History = KiMixHistory(Thread->History, Touched->History);
    Thread->History = Touched->History;
    KiHistory += Touched->History;
}

void NT_MS_ABI NtHostInterlocked(void volatile *Target)
{
    KiPreemptVirtual((PVOID)(ULONG_PTR)Target);
}

VOID KiInherit(PKTHREAD Thread)
{
    Thread->History = KiMixHistory(Thread->History, KiCurrentThread()->History);
    KiHistory += Thread->History;
}

ULONG64 KiHistoryNow(VOID)
{
    return KiHistory;
}
