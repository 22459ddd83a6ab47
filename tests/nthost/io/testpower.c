// SPDX-License-Identifier: MIT
// The function driver owns its stack's power policy: S0 goes with D0, anything else with D3.
#include "tests/nthost/io/testdriver.h"

static NTSTATUS Pass(TEST_FN *Fn, PIRP Irp)
{
    if (TestFault != NoStartNext) {
        PoStartNextPowerIrp(Irp);
    }
    IoSkipCurrentIrpStackLocation(Irp);
    return TestFault == UsesIoCallDriver ? IoCallDriver(Fn->Lower, Irp) : PoCallDriver(Fn->Lower, Irp);
}

static VOID NTAPI DevicePowerDone(PDEVICE_OBJECT Device, UCHAR Minor, POWER_STATE State, PVOID Context,
                                  PIO_STATUS_BLOCK Iosb)
{
    TEST_FN *fn = Context;
    PIRP irp = fn->SystemPower;
    UNREFERENCED_PARAMETER(Device);
    UNREFERENCED_PARAMETER(Minor);
    UNREFERENCED_PARAMETER(State);
    TestNote(NT_SUCCESS(Iosb->Status) ? "D-done" : "D-failed");
    if (irp != NULL) {
        fn->SystemPower = NULL;
        PoStartNextPowerIrp(irp);
        TestComplete(irp, STATUS_SUCCESS);
    }
}

static NTSTATUS NTAPI SystemPowerBelowDone(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    TEST_FN *fn = Context;
    UNREFERENCED_PARAMETER(Device);
    SYSTEM_POWER_STATE system = IoGetCurrentIrpStackLocation(Irp)->Parameters.Power.State.SystemState;
    POWER_STATE state = {.DeviceState = system == PowerSystemWorking ? PowerDeviceD0 : PowerDeviceD3};
    fn->SystemPower = Irp;
    if (PoRequestPowerIrp(fn->Pdo, IRP_MN_SET_POWER, state, DevicePowerDone, fn, NULL) != STATUS_PENDING) {
        fn->SystemPower = NULL;
        IoMarkIrpPending(Irp);
        return STATUS_CONTINUE_COMPLETION;
    }
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static NTSTATUS SetSystem(TEST_FN *Fn, PIRP Irp)
{
    TestNote(IoGetCurrentIrpStackLocation(Irp)->Parameters.Power.State.SystemState == PowerSystemWorking
                 ? "fn:S0"
                 : "fn:Sx");
    IoMarkIrpPending(Irp);
    if (TestFault == NeverCompletesPower) {
        return STATUS_PENDING;
    }
    IoCopyCurrentIrpStackLocationToNext(Irp);
    IoSetCompletionRoutine(Irp, SystemPowerBelowDone, Fn, TRUE, TRUE, TRUE);
    PoCallDriver(Fn->Lower, Irp);
    return STATUS_PENDING;
}

static NTSTATUS Set(TEST_FN *Fn, PIRP Irp, PIO_STACK_LOCATION Location)
{
    POWER_STATE state = Location->Parameters.Power.State;
    if (TestFault == FailsSetPower) {
        return TestComplete(Irp, STATUS_UNSUCCESSFUL);
    }
    if (TestFault == PassesFailedPower) {
        Irp->IoStatus.Status = STATUS_UNSUCCESSFUL;
        return Pass(Fn, Irp);
    }
    if (TestFault == AnswersPowerNotSupported) {
        return TestComplete(Irp, STATUS_NOT_SUPPORTED);
    }
    if (TestFault == CompletesPower) {
        return TestComplete(Irp, STATUS_SUCCESS);
    }
    if (Location->Parameters.Power.Type == SystemPowerState && TestFault != UsesIoCallDriver &&
        TestFault != NoStartNext) {
        return SetSystem(Fn, Irp);
    }
    if (Location->Parameters.Power.Type == DevicePowerState) {
        TestNote(state.DeviceState == PowerDeviceD0 ? "fn:D0" : "fn:Dx");
        PoSetPowerState(Fn->Self, DevicePowerState, state);
    }
    return Pass(Fn, Irp);
}

NTSTATUS NTAPI TestFnPower(PDEVICE_OBJECT Device, PIRP Irp)
{
    TEST_FN *fn = Device->DeviceExtension;
    PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(Irp);
    switch (location->MinorFunction) {
    case IRP_MN_SET_POWER:
        return Set(fn, Irp, location);
    case IRP_MN_QUERY_POWER:
        TestNote("fn:query");
        if (TestFault == FailsQueryPower) {
            PoStartNextPowerIrp(Irp);
            return TestComplete(Irp, STATUS_DEVICE_BUSY);
        }
        return Pass(fn, Irp);
    default:
        IoSkipCurrentIrpStackLocation(Irp);
        return PoCallDriver(fn->Lower, Irp);
    }
}
