// SPDX-License-Identifier: MIT
// Device controls from user mode: buffers, statuses, waiting, cancelling.
#include "nthost/ob/ob.h"
#include "tests/nthost/io/fixture.h"

static nt_file *File;

static void Setup(void)
{
    TestBoot();
    TestPlug(0);
    File = TestOpen(TEST_FN_PATH "0");
}

static void Teardown(void)
{
    nt_close(File);
    TestShutdown();
}

static nt_status Control(uint32_t code, const void *in, size_t in_length, void *out, size_t out_length,
                         size_t *returned)
{
    return nt_device_control(File, code, in, in_length, out, out_length, returned);
}

static void BufferedCopiesInAndOut(void)
{
    size_t returned;
    UCHAR in[5] = {1, 2, 3, 4, 5}, out[8] = {0};
    CHECK_STATUS(Control(TEST_ECHO, in, sizeof in, out, 3, &returned), 0);
    CHECK_EQ(returned, 3);
    CHECK_MEM(out, ((UCHAR[]){2, 3, 4, 0, 0}), 5);
    CHECK_STATUS(Control(TEST_ECHO, in, sizeof in, in, sizeof in, &returned), 0);
    CHECK_MEM(in, ((UCHAR[]){2, 3, 4, 5, 6}), 5);
    CHECK_STATUS(Control(TEST_ECHO, NULL, 0, NULL, 0, &returned), 0);
    CHECK_EQ(returned, 0);
}

static void WarningsCarryDataErrorsDoNot(void)
{
    size_t returned;
    ULONG out = 0;
    CHECK_STATUS(Control(TEST_OVERFLOW, NULL, 0, &out, sizeof out, &returned), STATUS_BUFFER_OVERFLOW);
    CHECK_EQ(out, 0x12345678);
    CHECK_EQ(returned, 4);
    out = 0;
    CHECK_STATUS(Control(TEST_FAIL, NULL, 0, &out, sizeof out, &returned), STATUS_UNSUCCESSFUL);
    CHECK_EQ(out, 0);
    CHECK_EQ(returned, 4);
}

static void DirectAndNeither(void)
{
    size_t returned;
    UCHAR data[5000] = {77}, byte = 42, answer = 0;
    CHECK_STATUS(Control(TEST_IN_DIRECT, NULL, 0, data, sizeof data, &returned), 0);
    CHECK_EQ(returned, 77);
    CHECK_STATUS(Control(TEST_OUT_DIRECT, NULL, 0, data, sizeof data, &returned), 0);
    CHECK_EQ(data[200], 200);
    CHECK_EQ(returned, sizeof data);
    CHECK_STATUS(Control(TEST_NEITHER, &byte, 1, &answer, 1, &returned), 0);
    CHECK_EQ(answer, 42);
}

static void LaterCompletions(void)
{
    size_t returned;
    uint64_t start = nt_now_us();
    CHECK_STATUS(Control(TEST_LATER, NULL, 0, NULL, 0, &returned), 0);
    CHECK(nt_now_us() - start >= 1000000);
    CHECK_STATUS(Control(TEST_WORK, NULL, 0, NULL, 0, &returned), 0);
    CHECK_STATUS(Control(TEST_DOWN, NULL, 0, NULL, 0, &returned), 0);
    CHECK_STATUS(Control(TEST_DOWN_OWN, NULL, 0, NULL, 0, &returned), 0);
    CHECK_STATUS(Control(0xDEAD0000, NULL, 0, NULL, 0, &returned), STATUS_INVALID_DEVICE_REQUEST);
}

static void OverlappedReleaseAndCancel(void)
{
    size_t returned;
    nt_request *first = nt_device_control_begin(File, TEST_PEND, NULL, 0, NULL, 0);
    nt_request *second = nt_device_control_begin(File, TEST_PEND, NULL, 0, NULL, 0);
    CHECK(first != NULL && second != NULL);
    CHECK(!nt_request_wait(first, 0));
    CHECK(!nt_request_wait(first, 5000000));
    CHECK_STATUS(Control(TEST_RELEASE, NULL, 0, NULL, 0, &returned), 0);
    CHECK(nt_request_wait(first, -1));
    CHECK_STATUS(nt_request_end(first, &returned), 0);
    CHECK(!nt_request_wait(second, 0));
    nt_request_cancel(second);
    CHECK_STATUS(nt_request_end(second, &returned), STATUS_CANCELLED);
    CHECK_STATUS(Control(TEST_RELEASE, NULL, 0, NULL, 0, &returned), STATUS_NOT_FOUND);
}

static void CleanupLetsTheDriverCancelThenClose(void)
{
    nt_file *other = TestOpen(TEST_FN_PATH "0");
    nt_request *request = nt_device_control_begin(other, TEST_PEND, NULL, 0, NULL, 0);
    TestLog[0] = 0;
    nt_close(other);
    CHECK(TestLogHas("CLEANUP"));
    CHECK(!TestLogHas("CLOSE"));
    CHECK_STATUS(nt_request_end(request, NULL), STATUS_CANCELLED);
    CHECK(TestLogHas("CLEANUP CLOSE"));
}

static void AccessIsChecked(void)
{
    // TEST_BUS_PLUG needs FILE_WRITE_ACCESS; testfn, which gets it here, knows no such code.
    static const struct {
        unsigned access;
        NTSTATUS status;
    } cases[] = {{NT_ACCESS_NONE, STATUS_ACCESS_DENIED},
                 {NT_ACCESS_READ, STATUS_ACCESS_DENIED},
                 {NT_ACCESS_WRITE, STATUS_INVALID_DEVICE_REQUEST},
                 {NT_ACCESS_READ | NT_ACCESS_WRITE, STATUS_INVALID_DEVICE_REQUEST}};
    for (ULONG i = 0; i < RTL_NUMBER_OF(cases); i++) {
        nt_file *file;
        CHECK_STATUS(nt_open_for(TEST_FN_PATH "0", cases[i].access, &file), 0);
        CHECK_STATUS(nt_device_control(file, TEST_BUS_PLUG, NULL, 0, NULL, 0, NULL), cases[i].status);
        CHECK_STATUS(nt_device_control(file, TEST_NULL, NULL, 0, NULL, 0, NULL), 0);
        nt_close(file);
    }
}

static void TheLastReferenceMayGoAtDispatch(void)
{
    UNICODE_STRING name;
    PFILE_OBJECT file;
    PDEVICE_OBJECT device;
    KIRQL irql;
    RtlInitUnicodeString(&name, TEST_SUBLINK);
    CHECK_STATUS(IoGetDeviceObjectPointer(&name, FILE_READ_DATA, &file, &device), STATUS_SUCCESS);
    TestLog[0] = 0;
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    ObDereferenceObject(file);
    CHECK(!TestLogHas("CLOSE"));
    KeLowerIrql(irql);
    ObpAwaitDeletions();
    CHECK(TestLogHas("CLOSE"));
}

static void CountsByContractName(void)
{
    struct nt_routine_count rows[16];
    uint64_t controls = 0, entries = 0;
    size_t returned;
    for (int i = 0; i < 7; i++) {
        CHECK_STATUS(Control(TEST_NULL, NULL, 0, NULL, 0, &returned), 0);
    }
    int count = nt_service_counts("testfn", rows, 16);
    CHECK(count > 3);
    for (int i = 0; i < count; i++) {
        controls += TestFind(rows[i].routine, "DispatchDeviceControl") != NULL ? rows[i].calls : 0;
        entries += TestFind(rows[i].routine, "DriverEntry") != NULL ? rows[i].calls : 0;
    }
    CHECK_EQ(controls, 7);
    CHECK_EQ(entries, 1);
    CHECK(nt_service_counts("nobody", rows, 16) < 0);
}

static void BadPathsAreRefused(void)
{
    nt_file *file;
    CHECK_STATUS(nt_open("\\\\.\\Nothing", &file), STATUS_OBJECT_NAME_NOT_FOUND);
    CHECK_STATUS(nt_open("", &file), STATUS_OBJECT_NAME_INVALID);
    CHECK(file == NULL);
    CHECK_STATUS(nt_open("\xFF\xFE", &file), STATUS_OBJECT_NAME_INVALID);
}

const struct WdmTest WdmTests[] = {
    {"buffered controls copy in and out", BufferedCopiesInAndOut},
    {"a warning carries data, an error does not", WarningsCarryDataErrorsDoNot},
    {"direct and neither", DirectAndNeither},
    {"completion from a DPC, a work item, the device below", LaterCompletions},
    {"overlapped: release and cancel", OverlappedReleaseAndCancel},
    {"cleanup lets the driver cancel, close follows", CleanupLetsTheDriverCancelThenClose},
    {"access bits", AccessIsChecked},
    {"a file is closed at PASSIVE_LEVEL", TheLastReferenceMayGoAtDispatch},
    {"routine counts", CountsByContractName},
    {"bad paths", BadPathsAreRefused},
    {NULL, NULL},
};
void (*const WdmTestSetup)(void) = Setup;
void (*const WdmTestTeardown)(void) = Teardown;
