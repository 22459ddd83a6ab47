// SPDX-License-Identifier: MIT
// Each kind of call goes wrong when the plan says so, and only then.
#include "nthost/verifier/faults.h"
#include "tests/nthost/support/ketest.h"

enum { TAG = 'tluF', LATE_US = 5000 };

static VF_DRIVER Driver;
static struct nt_fault_counts Counts;

// The fragment as driver "faulty" under the plan.
static VOID Under(const struct nt_fault_plan *Plan, KE_TEST *Fragment)
{
    VF_FRAME Frame;
    Driver = VfRegisterDriver("faulty");
    nt_faults_plan(Plan);
    VfEnterDriver(&Frame, Driver, NULL);
    Fragment();
    VfLeaveDriver(&Frame, "fragment");
    KiReapThreads();
    nt_faults_count(&Counts);
    nt_faults_plan(NULL);
    VfRetireDriver(Driver);
}

static VOID UnderText(PCSTR Text, KE_TEST *Fragment)
{
    struct nt_fault_plan Plan;
    CHECK_EQ(nt_fault_parse(Text, &Plan), 0);
    Under(&Plan, Fragment);
}

// ---- which ----

static ULONG Failed[8], FailedCount;

__attribute__((noinline)) static VOID AllocateOnce(ULONG Index)
{
    PVOID Block = ExAllocatePoolWithTag(NonPagedPool, 16, TAG);
    if (Block == NULL) {
        Failed[FailedCount++] = Index;
    } else {
        ExFreePoolWithTag(Block, TAG);
    }
}

// Two places, the first of them three times. A place is a stack, so nothing is inlined, unrolled, or left by
// a jump.
__attribute__((noinline)) static void AllocatesFourTimes(void)
{
    static volatile ULONG Times = 3;
    FailedCount = 0;
    for (ULONG i = 1; i <= Times; i++) {
        AllocateOnce(i);
    }
    AllocateOnce(4);
    __asm__ volatile("");
}

static VOID Expect(PCSTR Plan, ULONG Count, ULONG First)
{
    UnderText(Plan, AllocatesFourTimes);
    CHECK_EQ(FailedCount, Count);
    CHECK_EQ(Counts.injected, Count);
    CHECK_EQ(Counts.occurrences, 4);
    CHECK_EQ(Counts.sites, 2);
    CHECK(Count == 0 || Failed[0] == First);
}

static void SelectOnVirtual(void)
{
    Expect("allocation:fail:none", 0, 0);
    Expect("allocation:fail:nth=2", 1, 2);
    Expect("allocation:fail:nth=5", 0, 0);
    Expect("allocation:fail:from=3", 2, 3);
    Expect("allocation:fail:site=1", 1, 1);
    Expect("allocation:fail:site=2", 1, 4);
    Expect("allocation:fail:site=3", 0, 0);
    Expect("allocation:fail:each", 2, 1);
    CHECK_EQ(Failed[1], 4);
    Expect("allocation:fail:chance=1000000/1", 4, 1);
    Expect("allocation:fail:chance=0/1", 0, 0);
    Expect("allocation:fail:nth=2:driver=faulty", 1, 2);
}

static void PlansSelect(void)
{
    KeTestVirtual(SelectOnVirtual, 0);
}

static void OthersOnVirtual(void)
{
    UnderText("allocation:fail:from=1:driver=other", AllocatesFourTimes);
    CHECK_EQ(FailedCount, 0);
    CHECK_EQ(Counts.occurrences, 0);
    UnderText("irp:fail:from=1", AllocatesFourTimes);
    CHECK_EQ(FailedCount, 0);
    UnderText("allocation:late:from=1", AllocatesFourTimes); // nothing an allocation could do
    CHECK_EQ(FailedCount, 0);
    nt_faults_plan(NULL);
    AllocatesFourTimes(); // the kernel's own calls never fail
    CHECK_EQ(FailedCount, 0);
}

static void OthersAreSpared(void)
{
    KeTestVirtual(OthersOnVirtual, 0);
}

static ULONG Sites, SiteCalls;

static void TakeSite(void *Context, const struct nt_fault_site *Site)
{
    (void)Context;
    CHECK_EQ(Site->number, ++Sites);
    CHECK_EQ(Site->kind, NT_FAULT_ALLOCATION);
    CHECK(child_contains(Site->driver, "faulty"));
    CHECK(child_contains(Site->stack, "AllocateOnce"));
    SiteCalls += (ULONG)Site->occurrences;
}

static void VisitSites(void)
{
    AllocatesFourTimes();
    Sites = SiteCalls = 0;
    nt_fault_sites(TakeSite, NULL);
    CHECK_EQ(Sites, 2);
    CHECK_EQ(SiteCalls, 4);
}

static void SitesOnVirtual(void)
{
    UnderText("allocation:fail:none", VisitSites);
}

static void SitesAreNamed(void)
{
    KeTestVirtual(SitesOnVirtual, 0);
}

// ---- what fails ----

static VOID NTAPI EndsAtOnce(PVOID Context)
{
    (void)Context;
}

static NTSTATUS TryThread(VOID)
{
    HANDLE Handle;
    NTSTATUS Status = PsCreateSystemThread(&Handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, EndsAtOnce, NULL);
    if (NT_SUCCESS(Status)) {
        ZwClose(Handle);
    }
    return Status;
}

static NTSTATUS TryIrp(VOID)
{
    PIRP Irp = IoAllocateIrp(1, FALSE);
    if (Irp == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    IoFreeIrp(Irp);
    return STATUS_SUCCESS;
}

static NTSTATUS TryMdl(VOID)
{
    UCHAR Buffer[8];
    PMDL Mdl = IoAllocateMdl(Buffer, sizeof Buffer, FALSE, FALSE, NULL);
    if (Mdl == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    IoFreeMdl(Mdl);
    return STATUS_SUCCESS;
}

static NTSTATUS TryWait(VOID)
{
    KEVENT Event;
    LARGE_INTEGER Time;
    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    ULONG64 Start = KiUptime();
    NTSTATUS Status = KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, KeTestMs(&Time, 100));
    CHECK_STATUS(Status, STATUS_TIMEOUT);
    return KiUptime() - Start < 100ULL * 10000 ? STATUS_INSUFFICIENT_RESOURCES : STATUS_SUCCESS;
}

static NTSTATUS TryWaitAny(VOID)
{
    KEVENT Event;
    LARGE_INTEGER Time;
    PVOID Objects[] = {&Event, &Event};
    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    ULONG64 Start = KiUptime();
    NTSTATUS Status = KeWaitForMultipleObjects(2, Objects, WaitAny, Executive, KernelMode, FALSE,
                                               KeTestMs(&Time, 100), NULL);
    CHECK_STATUS(Status, STATUS_TIMEOUT);
    return KiUptime() - Start < 100ULL * 10000 ? STATUS_INSUFFICIENT_RESOURCES : STATUS_SUCCESS;
}

// What is there already is no time-out.
static NTSTATUS TryWaitSatisfied(VOID)
{
    KEVENT Event;
    LARGE_INTEGER Time;
    KeInitializeEvent(&Event, NotificationEvent, TRUE);
    return KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, KeTestMs(&Time, 100));
}

static NTSTATUS (*Probe)(VOID);
static NTSTATUS ProbeStatus;

static void RunProbe(void)
{
    ProbeStatus = Probe();
}

static void ProbesOnVirtual(void)
{
    static const struct {
        NTSTATUS (*Probe)(VOID);
        ULONG Kind, Occurrences;
    } Rows[] = {{TryThread, NT_FAULT_THREAD, 1},  {TryIrp, NT_FAULT_IRP, 1},
                {TryMdl, NT_FAULT_ALLOCATION, 1}, {TryWait, NT_FAULT_WAIT, 1},
                {TryWaitAny, NT_FAULT_WAIT, 1},   {TryWaitSatisfied, NT_FAULT_WAIT, 0}};
    for (ULONG i = 0; i < RTL_NUMBER_OF(Rows); i++) {
        struct nt_fault_plan Plan = {NT_FAULT_NONE, NT_FAULT_FAIL, Rows[i].Kind, "", 1, 0, 0, 0, NULL, NULL};
        Probe = Rows[i].Probe;
        Under(&Plan, RunProbe);
        CHECK_STATUS(ProbeStatus, STATUS_SUCCESS);
        CHECK_EQ(Counts.occurrences, Rows[i].Occurrences);
        Plan.mode = NT_FAULT_NTH;
        Under(&Plan, RunProbe);
        CHECK_STATUS(ProbeStatus, Rows[i].Occurrences != 0 ? STATUS_INSUFFICIENT_RESOURCES : STATUS_SUCCESS);
        CHECK_EQ(Counts.injected, Rows[i].Occurrences);
    }
}

static void KindsFail(void)
{
    KeTestVirtual(ProbesOnVirtual, 0);
}

// ---- what is late ----

static ULONG64 Began, Ran;

static VOID NTAPI NotesItsTime(PVOID Context)
{
    Ran = KiUptime();
    KeSetEvent(Context, IO_NO_INCREMENT, FALSE);
}

static VOID AwaitNote(PKEVENT Event)
{
    KeWaitForSingleObject(Event, Executive, KernelMode, FALSE, NULL);
}

static void StartsThread(void)
{
    HANDLE Handle;
    KEVENT Event;
    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    Began = KiUptime();
    CHECK_STATUS(PsCreateSystemThread(&Handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, NotesItsTime, &Event), 0);
    AwaitNote(&Event);
    ZwClose(Handle);
}

static void QueuesWork(void)
{
    KEVENT Event;
    WORK_QUEUE_ITEM Item;
    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    Began = KiUptime();
    ExInitializeWorkItem(&Item, NotesItsTime, &Event);
    ExQueueWorkItem(&Item, DelayedWorkQueue);
    AwaitNote(&Event);
}

static void WaitsForThread(void)
{
    StartsThread();
    Began = Ran;
    Ran = KiUptime();
}

static void LatenessOnVirtual(void)
{
    static const struct {
        KE_TEST *Fragment;
        PCSTR Late, Other;
    } Rows[] = {{StartsThread, "thread:late=5000:nth=1", "thread:late=5000:none"},
                {QueuesWork, "work-item:late=5000:nth=1", "thread:late=5000:nth=1"},
                {WaitsForThread, "wait:late=5000:nth=1", "wait:late=5000:nth=2"}};
    for (ULONG i = 0; i < RTL_NUMBER_OF(Rows); i++) {
        UnderText(Rows[i].Other, Rows[i].Fragment);
        CHECK(Ran - Began < LATE_US * 10ULL);
        UnderText(Rows[i].Late, Rows[i].Fragment);
        CHECK(Ran - Began >= LATE_US * 10ULL);
        CHECK_EQ(Counts.injected, 1);
    }
}

static void KindsAreLate(void)
{
    KeTestVirtual(LatenessOnVirtual, 0);
}

// ---- what is met ----

static LONG Met, MetDuring;
static KSPIN_LOCK Lock;

static void Meets(void *Context)
{
    CHECK(Context == &Met);
    Met++;
}

static void TakesLock(void)
{
    KIRQL Irql;
    KeInitializeSpinLock(&Lock);
    KeAcquireSpinLock(&Lock, &Irql);
    MetDuring = Met;
    KeReleaseSpinLock(&Lock, Irql);
}

static void MeetingOnVirtual(void)
{
    struct nt_fault_plan Plan = {NT_FAULT_NTH, NT_FAULT_MEET, NT_FAULT_CALL, "", 1, 0, 0, 0, Meets, &Met};
    Met = 0;
    Under(&Plan, TakesLock);
    VfAwaitMeeting();
    CHECK_EQ(MetDuring, 1); // before the first call went on
    CHECK_EQ(Met, 1);
    Plan.n = 2;
    Met = 0;
    Under(&Plan, TakesLock);
    VfAwaitMeeting();
    CHECK_EQ(MetDuring, 0);
    CHECK_EQ(Met, 1);
    Plan.n = 3;
    Met = 0;
    Under(&Plan, TakesLock);
    CHECK_EQ(Met, 0);
}

static void CallsMeet(void)
{
    KeTestVirtual(MeetingOnVirtual, 0);
}

const struct WdmTest WdmTests[] = {{"plans select", PlansSelect},
                                   {"others are spared", OthersAreSpared},
                                   {"sites are named", SitesAreNamed},
                                   {"kinds fail", KindsFail},
                                   {"kinds are late", KindsAreLate},
                                   {"calls meet", CallsMeet},
                                   {NULL, NULL}};
void (*const WdmTestSetup)(void) = NULL;
void (*const WdmTestTeardown)(void) = NULL;
