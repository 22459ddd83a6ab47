// SPDX-License-Identifier: MIT
// Host threads against plugging, removal, cancelling and power, under schedules chosen by a seed. Whatever
// the order, no rule breaks, nothing hangs and every request ends.
#include "tests/nthost/io/fixture.h"

enum { SEEDS = 60, THREADS = 3 };

static volatile LONG Ended;
static KEVENT AllEnded;

// A system thread stands for an application's: it enters the kernel by the same door.
static VOID NTAPI Application(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    for (int round = 0; round < 3; round++) {
        nt_file *file;
        if (nt_open(TEST_FN_PATH "0", &file) != 0) {
            nt_sleep_us(100);
            continue;
        }
        nt_request *pending = nt_device_control_begin(file, TEST_PEND, NULL, 0, NULL, 0);
        (void)nt_device_control(file, TEST_WORK, NULL, 0, NULL, 0, NULL);
        nt_request_cancel(pending);
        (void)nt_request_end(pending, NULL);
        nt_close(file);
    }
    if (InterlockedIncrement(&Ended) == THREADS) {
        KeSetEvent(&AllEnded, IO_NO_INCREMENT, FALSE);
    }
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static void Scenario(void)
{
    KeInitializeEvent(&AllEnded, NotificationEvent, FALSE);
    Ended = 0;
    TestPlug(0);
    for (int i = 0; i < THREADS; i++) {
        HANDLE thread;
        CHECK_STATUS(PsCreateSystemThread(&thread, THREAD_ALL_ACCESS, NULL, NULL, NULL, Application, NULL),
                     STATUS_SUCCESS);
        ZwClose(thread);
    }
    TestUnplug(0);
    TestPlug(0);
    (void)nt_system_power(NT_POWER_S3);
    (void)nt_system_power(NT_POWER_S0);
    (void)nt_device_remove("TEST\\CHILD\\0");
    (void)nt_device_start("TEST\\CHILD\\0");
    KeWaitForSingleObject(&AllEnded, Executive, KernelMode, FALSE, NULL);
    TestUnplug(0);
}

static void EverySchedule(void)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        TestBootSeed(seed);
        Scenario();
        TestShutdown();
    }
}

const struct WdmTest WdmTests[] = {
    {"schedules", EverySchedule},
    {NULL, NULL},
};
void (*const WdmTestSetup)(void) = NULL;
void (*const WdmTestTeardown)(void) = NULL;
