// SPDX-License-Identifier: MIT
// The same storm under the real clock, where threads truly overlap; with and without the verifier.
#include "tests/nthost/io/fixture.h"

#include "nthost/os/os.h"

enum { THREADS = 6, ROUNDS = 200, PLUGS = 30 };

static volatile LONG Running, Completed;

static void Application(void *argument)
{
    UNREFERENCED_PARAMETER(argument);
    for (int round = 0; round < ROUNDS; round++) {
        nt_file *file;
        if (nt_open(TEST_FN_PATH "0", &file) != 0) {
            nt_sleep_us(50);
            continue;
        }
        nt_request *pending = nt_device_control_begin(file, TEST_PEND, NULL, 0, NULL, 0);
        for (int i = 0; i < 20; i++) {
            if (nt_device_control(file, TEST_NULL, NULL, 0, NULL, 0, NULL) == 0) {
                InterlockedIncrement(&Completed);
            }
        }
        nt_request_cancel(pending);
        (void)nt_request_end(pending, NULL);
        nt_close(file);
    }
    InterlockedDecrement(&Running);
}

static void Storm(bool verifier)
{
    TestBootReal(verifier);
    TestPlug(0);
    Completed = 0;
    Running = THREADS;
    for (int i = 0; i < THREADS; i++) {
        CHECK_EQ(os_thread_start(Application, NULL), 0);
    }
    for (int i = 0; i < PLUGS || InterlockedCompareExchange(&Running, 0, 0) != 0; i++) {
        TestUnplug(0);
        TestPlug(0);
        nt_sleep_us(1000);
    }
    CHECK(Completed > 0);
    TestShutdown();
}

static void WithVerifier(void)
{
    Storm(true);
}

static void WithoutVerifier(void)
{
    Storm(false);
}

const struct WdmTest WdmTests[] = {
    {"with the verifier", WithVerifier},
    {"without it", WithoutVerifier},
    {NULL, NULL},
};
void (*const WdmTestSetup)(void) = NULL;
void (*const WdmTestTeardown)(void) = NULL;
