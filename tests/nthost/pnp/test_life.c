// SPDX-License-Identifier: MIT
// A device's life as its drivers see it: which IRPs come, in which order, and what a failure leads to.
#include "tests/nthost/io/fixture.h"

static void Setup(void)
{
    TestFault = NoFault;
    TestBoot();
}

static void Teardown(void)
{
    TestShutdown();
    TestFault = NoFault;
}

static void PlugAndUnplug(void)
{
    TestPlug(3);
    CHECK_EQ(TestState(3, NULL), NT_DEVICE_STARTED);
    CHECK(TestLogHas("DriverEntry AddDevice START"));
    CHECK(TestLogHas("QUERY_STATE"));
    TestLog[0] = 0;
    TestUnplug(3);
    CHECK(TestLogHas("SURPRISE REMOVE Unload"));
    CHECK(!TestLogHas("QUERY_REMOVE"));
    CHECK_EQ(TestState(3, NULL), NT_DEVICE_GONE);
}

static void TheDriverStaysForItsLastDevice(void)
{
    TestPlug(1);
    TestPlug(2);
    TestUnplug(1);
    CHECK(!TestLogHas("Unload"));
    TestUnplug(2);
    CHECK(TestLogHas("Unload"));
    TestPlug(1);
    CHECK_EQ(TestState(1, NULL), NT_DEVICE_STARTED);
}

static void OrderlyRemovalAndReturn(void)
{
    TestPlug(0);
    TestLog[0] = 0;
    CHECK_STATUS(nt_device_remove("TEST\\CHILD\\0"), 0);
    CHECK(TestLogHas("QUERY_REMOVE REMOVE"));
    CHECK(!TestLogHas("SURPRISE"));
    CHECK_EQ(TestState(0, NULL), NT_DEVICE_GONE);
    CHECK_STATUS(nt_device_start("TEST\\CHILD\\0"), 0);
    CHECK_EQ(TestState(0, NULL), NT_DEVICE_STARTED);
    CHECK_STATUS(nt_device_start("TEST\\CHILD\\0"), STATUS_INVALID_DEVICE_STATE);
    CHECK_STATUS(nt_device_remove("TEST\\CHILD\\9"), STATUS_NO_SUCH_DEVICE);
}

static void OpenFilesVetoRemoval(void)
{
    TestPlug(0);
    nt_file *file = TestOpen(TEST_FN_PATH "0");
    TestLog[0] = 0;
    CHECK_STATUS(nt_device_remove("TEST\\CHILD\\0"), STATUS_PLUGPLAY_QUERY_VETOED);
    CHECK(TestLogHas("QUERY_REMOVE CANCEL_REMOVE"));
    CHECK_EQ(TestState(0, NULL), NT_DEVICE_STARTED);
    nt_close(TestOpen(TEST_FN_PATH "0")); // opens are allowed again
    nt_close(file);
    CHECK_STATUS(nt_device_remove("TEST\\CHILD\\0"), 0);
}

static void ADriverVetoesRemoval(void)
{
    TestPlug(0);
    TestFault = FailsQueryRemove;
    TestLog[0] = 0;
    CHECK_STATUS(nt_device_remove("TEST\\CHILD\\0"), STATUS_DEVICE_BUSY);
    CHECK(TestLogHas("QUERY_REMOVE CANCEL_REMOVE"));
    TestFault = NoFault;
    CHECK_EQ(TestState(0, NULL), NT_DEVICE_STARTED);
}

static void RemovalWaitsForFilesAfterASurprise(void)
{
    nt_file *late;
    TestPlug(0);
    nt_file *file = TestOpen(TEST_FN_PATH "0");
    nt_request *request = nt_device_control_begin(file, TEST_PEND, NULL, 0, NULL, 0);
    TestLog[0] = 0;
    TestUnplug(0);
    CHECK(TestLogHas("SURPRISE"));
    CHECK(!TestLogHas("REMOVE"));
    CHECK_EQ(TestState(0, NULL), NT_DEVICE_GONE);
    CHECK_STATUS(nt_request_end(request, NULL), STATUS_DELETE_PENDING);
    CHECK_STATUS(nt_open(TEST_FN_PATH "0", &late), STATUS_NO_SUCH_DEVICE);
    // The same place is taken anew while the old device waits.
    TestPlug(0);
    CHECK_EQ(TestState(0, NULL), NT_DEVICE_STARTED);
    nt_close(file);
    nt_pnp_wait();
    CHECK(TestLogHas("CLEANUP CLOSE REMOVE"));
}

static void StopAndStart(void)
{
    TestPlug(0);
    TestLog[0] = 0;
    CHECK_STATUS(nt_device_stop("TEST\\CHILD\\0"), 0);
    CHECK(TestLogHas("QUERY_STOP STOP"));
    CHECK_EQ(TestState(0, NULL), NT_DEVICE_STOPPED);
    CHECK_STATUS(nt_device_start("TEST\\CHILD\\0"), 0);
    CHECK(TestLogHas("STOP START"));
    CHECK(!TestLogHas("AddDevice"));
    CHECK(!TestLogHas("QUERY_STATE"));
    TestFault = FailsQueryStop;
    CHECK_STATUS(nt_device_stop("TEST\\CHILD\\0"), STATUS_DEVICE_BUSY);
    TestFault = NoFault;
    CHECK(TestLogHas("CANCEL_STOP"));
    CHECK_EQ(TestState(0, NULL), NT_DEVICE_STARTED);
}

static void AFailedStartIsRemoved(void)
{
    uint32_t problem;
    TestFault = FailsStart;
    TestPlug(0);
    CHECK(TestLogHas("START REMOVE Unload"));
    CHECK_EQ(TestState(0, &problem), NT_DEVICE_FAILED);
    CHECK_STATUS(problem, STATUS_DEVICE_DATA_ERROR);
    TestFault = NoFault;
    CHECK_STATUS(nt_device_start("TEST\\CHILD\\0"), 0);
    CHECK_EQ(TestState(0, &problem), NT_DEVICE_STARTED);
    CHECK_EQ(problem, 0);
}

static void AFailedRestartIsASurprise(void)
{
    TestPlug(0);
    CHECK_STATUS(nt_device_stop("TEST\\CHILD\\0"), 0);
    TestFault = FailsStart;
    TestLog[0] = 0;
    CHECK_STATUS(nt_device_start("TEST\\CHILD\\0"), STATUS_DEVICE_DATA_ERROR);
    TestFault = NoFault;
    nt_pnp_wait();
    CHECK(TestLogHas("START SURPRISE REMOVE Unload"));
    CHECK_EQ(TestState(0, NULL), NT_DEVICE_FAILED);
}

static void AFailedAddDevice(void)
{
    uint32_t problem;
    TestFault = FailsAddDevice;
    TestPlug(0);
    TestFault = NoFault;
    CHECK_EQ(TestState(0, &problem), NT_DEVICE_FAILED);
    CHECK_STATUS(problem, STATUS_DEVICE_DATA_ERROR);
    CHECK(TestLogHas("AddDevice Unload"));
}

static void ADeviceThatReportsFailure(void)
{
    TestFault = ReportsFailed;
    TestPlug(0);
    CHECK(TestLogHas("QUERY_STATE SURPRISE REMOVE"));
    CHECK_EQ(TestState(0, NULL), NT_DEVICE_FAILED);
    TestFault = NoFault;
    TestUnplug(0);
    CHECK_EQ(TestState(0, NULL), NT_DEVICE_GONE);
}

static void ABusTakesItsChildrenAlong(void)
{
    TestPlug(0);
    TestPlug(1);
    nt_file *file = TestOpen(TEST_FN_PATH "0");
    TestLog[0] = 0;
    nt_device_surprise_remove("ROOT\\TESTBUS\\1");
    nt_pnp_wait();
    CHECK(TestLogHas("SURPRISE SURPRISE"));
    CHECK(!TestLogHas("REMOVE"));
    nt_close(file);
    nt_pnp_wait();
    CHECK(!TestLogHas("REMOVE")); // the bus's own file is still open
}

static void SimulatedSurpriseComesBack(void)
{
    TestPlug(0);
    nt_device_surprise_remove("TEST\\CHILD\\0");
    CHECK_EQ(TestState(0, NULL), NT_DEVICE_GONE);
    TestPlug(1); // the bus still has the first one, and reports both
    CHECK_EQ(TestState(0, NULL), NT_DEVICE_STARTED);
    CHECK_EQ(TestState(1, NULL), NT_DEVICE_STARTED);
}

static void ManyAtOnce(void)
{
    for (ULONG round = 0; round < 20; round++) {
        for (ULONG i = 0; i < 9; i++) {
            TestPlug(i);
        }
        for (ULONG i = 0; i < 9; i++) {
            CHECK_EQ(TestState(i, NULL), NT_DEVICE_STARTED);
            TestUnplug(i);
        }
    }
}

const struct WdmTest WdmTests[] = {
    {"plug and unplug", PlugAndUnplug},
    {"the driver stays for its last device", TheDriverStaysForItsLastDevice},
    {"orderly removal and return", OrderlyRemovalAndReturn},
    {"open files veto removal", OpenFilesVetoRemoval},
    {"a driver vetoes removal", ADriverVetoesRemoval},
    {"REMOVE waits for files after a surprise", RemovalWaitsForFilesAfterASurprise},
    {"stop and start", StopAndStart},
    {"a failed START is followed by REMOVE", AFailedStartIsRemoved},
    {"a failed restart is a surprise removal", AFailedRestartIsASurprise},
    {"a failed AddDevice", AFailedAddDevice},
    {"a device that reports its failure", ADeviceThatReportsFailure},
    {"a bus takes its children along", ABusTakesItsChildrenAlong},
    {"a simulated surprise comes back", SimulatedSurpriseComesBack},
    {"many devices, many rounds", ManyAtOnce},
    {NULL, NULL},
};
void (*const WdmTestSetup)(void) = Setup;
void (*const WdmTestTeardown)(void) = Teardown;
