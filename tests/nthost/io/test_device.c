// SPDX-License-Identifier: MIT
// What a device can have besides requests: a timer, and a word when the system shuts down.
#include "nthost/io/io.h"
#include "tests/nthost/io/testdriver.h"

static PDRIVER_OBJECT Driver;
static PDEVICE_OBJECT Device;
static ULONG Ticks, Shutdowns;

static VOID NTAPI Tick(PDEVICE_OBJECT Object, PVOID Context)
{
    CHECK(Object == Device && Context == &Ticks);
    CHECK_EQ(KeGetCurrentIrql(), DISPATCH_LEVEL);
    Ticks++;
}

static NTSTATUS NTAPI Shutdown(PDEVICE_OBJECT Object, PIRP Irp)
{
    CHECK(Object == Device);
    Shutdowns++;
    Irp->IoStatus.Status = STATUS_SUCCESS;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI AddNothing(PDRIVER_OBJECT Object, PDEVICE_OBJECT Pdo)
{
    UNREFERENCED_PARAMETER(Object);
    UNREFERENCED_PARAMETER(Pdo);
    return STATUS_NO_SUCH_DEVICE;
}

static VOID NTAPI Unload(PDRIVER_OBJECT Object)
{
    IoDeleteDevice(Object->DeviceObject);
}

static NTSTATUS NTAPI Forward(PDEVICE_OBJECT Object, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Object);
    return TestComplete(Irp, Irp->IoStatus.Status);
}

static NTSTATUS NTAPI Entry(PDRIVER_OBJECT Object, PUNICODE_STRING Path)
{
    UNREFERENCED_PARAMETER(Path);
    Driver = Object;
    Object->DriverExtension->AddDevice = AddNothing;
    Object->DriverUnload = Unload;
    Object->MajorFunction[IRP_MJ_SHUTDOWN] = Shutdown;
    Object->MajorFunction[IRP_MJ_PNP] = Object->MajorFunction[IRP_MJ_POWER] =
        Object->MajorFunction[IRP_MJ_SYSTEM_CONTROL] = Forward;
    CHECK_STATUS(IoCreateDevice(Object, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device), STATUS_SUCCESS);
    Device->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    return STATUS_SUCCESS;
}

static void Setup(void)
{
    static const char *const ids[] = {"ROOT\\LONE", NULL};
    char instance[NT_ID_MAX];
    struct nt_service service = {"lone", (nt_entry_point *)(PVOID)Entry, ids};
    Ticks = Shutdowns = 0;
    TestBoot();
    CHECK_EQ(nt_service_add(&service), 0);
    CHECK_EQ(nt_root_device_add(ids[0], instance), 0);
}

static void TimerTicksOnceASecond(void)
{
    Setup();
    CHECK_STATUS(IoInitializeTimer(Device, Tick, &Ticks), STATUS_SUCCESS);
    nt_sleep_us(5000000);
    CHECK_EQ(Ticks, 0);
    IoStartTimer(Device);
    nt_sleep_us(3500000);
    CHECK_EQ(Ticks, 3);
    IoStopTimer(Device);
    nt_sleep_us(5000000);
    CHECK_EQ(Ticks, 3);
    IoStartTimer(Device); // the device's end stops it
    TestShutdown();
}

static void ShutdownIsToldOnceARegistration(void)
{
    Setup();
    CHECK_STATUS(IoRegisterShutdownNotification(Device), STATUS_SUCCESS);
    CHECK_STATUS(IoRegisterShutdownNotification(Device), STATUS_SUCCESS);
    TestShutdown();
    CHECK_EQ(Shutdowns, 2);
    Setup();
    CHECK_STATUS(IoRegisterShutdownNotification(Device), STATUS_SUCCESS);
    IoUnregisterShutdownNotification(Device);
    TestShutdown();
    CHECK_EQ(Shutdowns, 0);
}

static void InitializesTimerTwice(void)
{
    TestPlug(0);
    nt_file *file = TestOpen(TEST_FN_PATH "0");
    (void)nt_device_control(file, TEST_NULL, NULL, 0, NULL, 0, NULL);
}

static void OneTimerADevice(void)
{
    TestBreaks("DeviceTimerTwice", TwoTimers, InitializesTimerTwice);
}

const struct WdmTest WdmTests[] = {{"a device's timer ticks once a second", TimerTicksOnceASecond},
                                   {"shutdown is told once a registration", ShutdownIsToldOnceARegistration},
                                   {"one timer a device", OneTimerADevice},
                                   {NULL, NULL}};
void (*const WdmTestSetup)(void) = NULL;
void (*const WdmTestTeardown)(void) = NULL;
