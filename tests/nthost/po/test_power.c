// SPDX-License-Identifier: MIT
// System power through the tree, device power on request, and the rules of both.
#include "tests/nthost/io/fixture.h"

static PIRP WakeIrp;

static void Sleep(void)
{
    TestPlug(0);
    TestLog[0] = 0;
    CHECK_STATUS(nt_system_power(NT_POWER_S3), 0);
    CHECK_STATUS(nt_system_power(NT_POWER_S0), 0);
}

static void DownAndUp(void)
{
    TestBoot();
    TestPlug(0);
    TestLog[0] = 0;
    CHECK_STATUS(nt_system_power(NT_POWER_S3), 0);
    CHECK(TestLogHas("fn:query fn:Sx fn:Dx pdo:Dx D-done bus:Sx"));
    TestLog[0] = 0;
    CHECK_STATUS(nt_system_power(NT_POWER_S0), 0);
    CHECK(TestLogHas("bus:S0 fn:S0 fn:D0 pdo:D0 D-done"));
    TestShutdown();
}

static void AllStates(void)
{
    TestBoot();
    TestPlug(0);
    for (int state = NT_POWER_S1; state <= NT_POWER_S5; state++) {
        TestLog[0] = 0;
        CHECK_STATUS(nt_system_power((enum nt_system_power)state), 0);
        CHECK(TestLogHas("fn:Dx"));
        CHECK_STATUS(nt_system_power(NT_POWER_S0), 0);
        CHECK(TestLogHas("fn:D0"));
    }
    TestShutdown();
}

static void ARefusedQuery(void)
{
    TestBoot();
    TestPlug(0);
    TestFault = FailsQueryPower;
    TestLog[0] = 0;
    CHECK_STATUS(nt_system_power(NT_POWER_S3), STATUS_DEVICE_BUSY);
    TestFault = NoFault;
    CHECK(TestLogHas("fn:query"));
    CHECK(!TestLogHas("fn:Sx"));
    CHECK(TestLogHas("fn:S0")); // nothing came of it
    TestShutdown();
}

static VOID NTAPI Requested(PDEVICE_OBJECT Device, UCHAR Minor, POWER_STATE State, PVOID Context,
                            PIO_STATUS_BLOCK Iosb)
{
    UNREFERENCED_PARAMETER(Device);
    UNREFERENCED_PARAMETER(State);
    TestNote(Minor == IRP_MN_WAIT_WAKE ? "woke" : "requested");
    if (Minor == IRP_MN_WAIT_WAKE) {
        CHECK_STATUS(Iosb->Status, STATUS_CANCELLED);
    }
    KeSetEvent(Context, IO_NO_INCREMENT, FALSE);
}

static PDEVICE_OBJECT Function(PFILE_OBJECT *File)
{
    UNICODE_STRING name;
    PDEVICE_OBJECT device;
    RtlInitUnicodeString(&name, L"\\Device\\TestFn0");
    CHECK_STATUS(IoGetDeviceObjectPointer(&name, FILE_READ_DATA, File, &device), STATUS_SUCCESS);
    return device;
}

static void RequestsAtAnyIrqlAndInTurn(void)
{
    PFILE_OBJECT file;
    KEVENT first, second;
    KIRQL irql;
    POWER_STATE d2 = {.DeviceState = PowerDeviceD2}, d0 = {.DeviceState = PowerDeviceD0};
    TestBoot();
    TestPlug(0);
    PDEVICE_OBJECT device = Function(&file);
    KeInitializeEvent(&first, NotificationEvent, FALSE);
    KeInitializeEvent(&second, NotificationEvent, FALSE);
    TestLog[0] = 0;
    KeRaiseIrql(DISPATCH_LEVEL, &irql); // the stack is pageable: a worker sends it
    CHECK_STATUS(PoRequestPowerIrp(device, IRP_MN_SET_POWER, d2, Requested, &first, NULL), STATUS_PENDING);
    CHECK_STATUS(PoRequestPowerIrp(device, IRP_MN_SET_POWER, d0, Requested, &second, NULL), STATUS_PENDING);
    KeLowerIrql(irql);
    KeWaitForSingleObject(&first, Executive, KernelMode, FALSE, NULL);
    KeWaitForSingleObject(&second, Executive, KernelMode, FALSE, NULL);
    CHECK(TestLogHas("fn:Dx pdo:Dx requested fn:D0 pdo:D0 requested"));
    CHECK_STATUS(PoRequestPowerIrp(device, IRP_MN_POWER_SEQUENCE, d0, NULL, NULL, NULL),
                 STATUS_INVALID_PARAMETER_2);
    ObDereferenceObject(file);
    TestShutdown();
}

static void WaitWakeCanBeCancelled(void)
{
    PFILE_OBJECT file;
    KEVENT done;
    POWER_STATE s3 = {.SystemState = PowerSystemSleeping3};
    TestBoot();
    TestPlug(0);
    PDEVICE_OBJECT device = Function(&file);
    KeInitializeEvent(&done, NotificationEvent, FALSE);
    CHECK_STATUS(PoRequestPowerIrp(device, IRP_MN_WAIT_WAKE, s3, Requested, &done, &WakeIrp), STATUS_PENDING);
    CHECK(WakeIrp != NULL);
    CHECK_EQ(KeReadStateEvent(&done), 0);
    CHECK_STATUS(nt_system_power(NT_POWER_S1), 0); // not in the way of other power IRPs
    CHECK_STATUS(nt_system_power(NT_POWER_S0), 0);
    CHECK(IoCancelIrp(WakeIrp));
    CHECK_EQ(KeReadStateEvent(&done), 1);
    CHECK(TestLogHas("wake-cancelled woke"));
    ObDereferenceObject(file);
    TestShutdown();
}

static void StateIsRemembered(void)
{
    PFILE_OBJECT file;
    POWER_STATE d3 = {.DeviceState = PowerDeviceD3};
    TestBoot();
    TestPlug(0);
    PDEVICE_OBJECT device = Function(&file);
    CHECK_EQ(PoSetPowerState(device, DevicePowerState, d3).DeviceState, PowerDeviceD0);
    CHECK_EQ(PoSetPowerState(device, DevicePowerState, d3).DeviceState, PowerDeviceD3);
    ObDereferenceObject(file);
    TestShutdown();
}

#define RULE(name, rule, fault)                                                                              \
    static void name(void)                                                                                   \
    {                                                                                                        \
        TestBreaks(rule, fault, Sleep);                                                                      \
    }
RULE(SetFailed, "PowerSetFailed", FailsSetPower)
RULE(FailedPassedDown, "PowerFailedPassedDown", PassesFailedPower)
RULE(NotSupported, "PowerNotSupported", AnswersPowerNotSupported)
RULE(NotPassedDown, "PowerNotPassedDown", CompletesPower)
RULE(IoCallDriverOnOldSystems, "PowerCallDriver", UsesIoCallDriver)
RULE(StartNextOnOldSystems, "PowerStartNext", NoStartNext)
RULE(TenMinutes, "PowerTimeout", NeverCompletesPower)

const struct WdmTest WdmTests[] = {
    {"down and up, in order", DownAndUp},
    {"every system state", AllStates},
    {"a refused query", ARefusedQuery},
    {"requests at any IRQL, one after the other", RequestsAtAnyIrqlAndInTurn},
    {"wait/wake can be cancelled", WaitWakeCanBeCancelled},
    {"the power state is remembered", StateIsRemembered},
    {"rule PowerSetFailed", SetFailed},
    {"rule PowerFailedPassedDown", FailedPassedDown},
    {"rule PowerNotSupported", NotSupported},
    {"rule PowerNotPassedDown", NotPassedDown},
    {"rule PowerCallDriver", IoCallDriverOnOldSystems},
    {"rule PowerStartNext", StartNextOnOldSystems},
    {"rule PowerTimeout", TenMinutes},
    {NULL, NULL},
};
void (*const WdmTestSetup)(void) = NULL;
void (*const WdmTestTeardown)(void) = NULL;
