// SPDX-License-Identifier: MIT
#include "tests/nthost/io/fixture.h"
#include "nthost/rtl/rtl.h"

TEST_FAULT TestFault;
char TestLog[4096];
static void (*TestFragment)(void);
char TestReport[CHILD_REPORT_SIZE];
static void (*TestBugCheck)(void *, const char *);
static nt_file *TestBusFile;

VOID TestNote(PCSTR Text)
{
    static KSPIN_LOCK lock;
    KIRQL irql;
    KeAcquireSpinLock(&lock, &irql);
    RtlpAppend(TestLog, sizeof TestLog, "%s ", Text);
    KeReleaseSpinLock(&lock, irql);
}

PCSTR TestFind(PCSTR Text, PCSTR Part)
{
    for (; *Text != 0; Text++) {
        ULONG i = 0;
        while (Part[i] != 0 && Text[i] == Part[i]) {
            i++;
        }
        if (Part[i] == 0) {
            return Text;
        }
    }
    return NULL;
}

static void AddServices(void)
{
    static const char *const bus[] = {TEST_BUS_ID, NULL};
    static const char *const child[] = {"TEST\\SPECIFIC", TEST_CHILD_ID, NULL};
    struct nt_service services[] = {
        {"testbus", (nt_entry_point *)(PVOID)TestBusEntry, bus},
        {"testfn", (nt_entry_point *)(PVOID)TestFnEntry, child},
    };
    for (ULONG i = 0; i < RTL_NUMBER_OF(services); i++) {
        CHECK_EQ(nt_service_add(&services[i]), 0);
    }
}

static void Boot(const struct nt_options *options)
{
    char instance[NT_ID_MAX];
    TestLog[0] = 0;
    CHECK_EQ(nt_boot(options), 0);
    AddServices();
    CHECK_EQ(nt_root_device_add(TEST_BUS_ID, instance), 0);
    TestBusFile = TestOpen(TEST_BUS_PATH);
}

void TestBoot(void)
{
    struct nt_options options = {.clock = NT_CLOCK_VIRTUAL, .verifier = true, .bugcheck = TestBugCheck};
    options.legacy_power = TestFault == UsesIoCallDriver || TestFault == NoStartNext;
    Boot(&options);
}

void TestBootSeed(uint64_t seed)
{
    struct nt_options options = {.clock = NT_CLOCK_VIRTUAL, .seed = seed, .verifier = true};
    Boot(&options);
}

void TestBootReal(bool verifier)
{
    struct nt_options options = {.clock = NT_CLOCK_REAL, .verifier = verifier, .bugcheck = TestBugCheck};
    Boot(&options);
}

void TestShutdown(void)
{
    nt_close(TestBusFile);
    nt_shutdown();
}

static void BusControl(ULONG Code, ULONG Number)
{
    size_t returned;
    CHECK_STATUS(nt_device_control(TestBusFile, Code, &Number, sizeof Number, NULL, 0, &returned), 0);
    nt_pnp_wait();
}

void TestPlug(ULONG Number)
{
    BusControl(TEST_BUS_PLUG, Number);
}

void TestUnplug(ULONG Number)
{
    BusControl(TEST_BUS_UNPLUG, Number);
}

typedef struct _SEARCH {
    char Instance[NT_ID_MAX];
    enum nt_device_state State;
    uint32_t Problem;
} SEARCH;

static void Compare(void *context, const struct nt_device *device)
{
    SEARCH *search = context;
    // A device that waits for its files may share the name with its successor.
    if (device->state != NT_DEVICE_GONE && TestFind(device->instance, search->Instance) == device->instance) {
        search->State = device->state;
        search->Problem = device->problem;
    }
}

enum nt_device_state TestState(ULONG Number, uint32_t *Problem)
{
    SEARCH search = {.State = NT_DEVICE_GONE};
    RtlpAppend(search.Instance, sizeof search.Instance, "TEST\\CHILD\\%u", Number);
    nt_devices(Compare, &search);
    if (Problem != NULL) {
        *Problem = search.Problem;
    }
    return search.State;
}

nt_file *TestOpen(PCSTR Path)
{
    nt_file *file;
    CHECK_STATUS(nt_open(Path, &file), 0);
    return file;
}

static void RunFragment(void)
{
    TestBugCheck = child_report;
    TestBoot();
    TestFragment();
    TestShutdown();
}

void TestBreaks(PCSTR Rule, TEST_FAULT Fault, void (*Fragment)(void))
{
    char line[80] = "rule: ";
    RtlpAppend(line, sizeof line, "%s\n", Rule);
    TestFault = Fault;
    TestFragment = Fragment;
    TestReport[0] = 0;
    int ended = child_run(RunFragment, TestReport);
    TestFault = NoFault;
    if (ended != 1 || !child_contains(TestReport, line)) {
        child_show(Rule);
        child_show(TestReport);
    }
    CHECK_EQ(ended, 1);
    CHECK(child_contains(TestReport, line));
}
