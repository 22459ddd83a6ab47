// SPDX-License-Identifier: MIT
// Requests that a thread of their own sends: they end, whether the driver works on them at once, leaves them
// pending or is told to drop them before it has seen them.
#include "tests/nthost/io/fixture.h"

enum { SEEDS = 20 };

static nt_file *Open(void)
{
    nt_file *file;
    CHECK_STATUS(nt_open(TEST_FN_PATH "0", &file), STATUS_SUCCESS);
    return file;
}

static void Ends(nt_file *file)
{
    UCHAR in[2] = {1, 2}, out[4] = {0};
    size_t returned = 0;
    nt_request *request = nt_device_control_start(file, TEST_ECHO, in, sizeof in, out, sizeof out);
    CHECK(nt_request_wait(request, -1));
    CHECK_STATUS(nt_request_end(request, &returned), STATUS_SUCCESS);
    CHECK_EQ(returned, 2);
    CHECK_EQ(out[1], 3);
    request = nt_device_control_start(file, TEST_FAIL, NULL, 0, out, sizeof out);
    CHECK_STATUS(nt_request_end(request, NULL), STATUS_UNSUCCESSFUL);
}

static void IsCancelled(nt_file *file)
{
    nt_request *request = nt_device_control_start(file, TEST_PEND, NULL, 0, NULL, 0);
    CHECK(!nt_request_wait(request, 1000));
    nt_request_cancel(request);
    CHECK_STATUS(nt_request_end(request, NULL), STATUS_CANCELLED);
    request = nt_device_control_start(file, TEST_PEND, NULL, 0, NULL, 0);
    nt_request_cancel(request); // perhaps not sent yet
    CHECK_STATUS(nt_request_end(request, NULL), STATUS_CANCELLED);
}

static void EverySchedule(void)
{
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        TestBootSeed(seed);
        TestPlug(0);
        nt_file *file = Open();
        Ends(file);
        IsCancelled(file);
        nt_close(file);
        TestShutdown();
    }
}

static void RealClock(void)
{
    TestBootReal(true);
    TestPlug(0);
    nt_file *file = Open();
    Ends(file);
    IsCancelled(file);
    nt_close(file);
    TestShutdown();
}

const struct WdmTest WdmTests[] = {
    {"schedules", EverySchedule},
    {"real clock", RealClock},
    {NULL, NULL},
};
void (*const WdmTestSetup)(void) = NULL;
void (*const WdmTestTeardown)(void) = NULL;
