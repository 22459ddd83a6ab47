// SPDX-License-Identifier: MIT
// One offence against the rules of IRPs, remove locks or work items per fault.
#include "tests/nthost/io/testdriver.h"

static VOID NTAPI NoCancel(PDEVICE_OBJECT Device, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Device);
    IoReleaseCancelSpinLock(Irp->CancelIrql);
}

static VOID NTAPI NoTick(PDEVICE_OBJECT Device, PVOID Context)
{
    UNREFERENCED_PARAMETER(Device);
    UNREFERENCED_PARAMETER(Context);
}

static VOID NTAPI NoWork(PDEVICE_OBJECT Device, PVOID Context)
{
    UNREFERENCED_PARAMETER(Device);
    UNREFERENCED_PARAMETER(Context);
}

static NTSTATUS NTAPI NoNotification(PVOID Notification, PVOID Context)
{
    UNREFERENCED_PARAMETER(Notification);
    UNREFERENCED_PARAMETER(Context);
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI LetGo(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(Device);
    UNREFERENCED_PARAMETER(Irp);
    UNREFERENCED_PARAMETER(Context);
    return STATUS_CONTINUE_COMPLETION;
}

static PIRP SendOwn(TEST_FN *Fn)
{
    PIRP irp = IoAllocateIrp(Fn->Lower->StackSize, FALSE);
    IoGetNextIrpStackLocation(irp)->MajorFunction = IRP_MJ_INTERNAL_DEVICE_CONTROL;
    IoSetCompletionRoutine(irp, LetGo, NULL, TRUE, TRUE, TRUE);
    IoCallDriver(Fn->Lower, irp);
    return irp;
}

static NTSTATUS BreakIrp(TEST_FN *Fn, PIRP Irp)
{
    KIRQL irql;
    switch (TestFault) {
    case CompletesTwice:
        TestComplete(Irp, STATUS_SUCCESS);
        return TestComplete(Irp, STATUS_SUCCESS);
    case CompletesPending:
        return TestComplete(Irp, STATUS_PENDING);
    case CompletesCancelable:
        IoSetCancelRoutine(Irp, NoCancel);
        return TestComplete(Irp, STATUS_SUCCESS);
    case PendsWithoutMark:
        TestComplete(Irp, STATUS_SUCCESS);
        return STATUS_PENDING;
    case MarksWithoutPending:
        IoMarkIrpPending(Irp);
        return TestComplete(Irp, STATUS_SUCCESS);
    case ReturnsOtherStatus:
        TestComplete(Irp, STATUS_SUCCESS);
        return STATUS_UNSUCCESSFUL;
    case TooMuchInformation:
        Irp->IoStatus.Information = 100;
        return TestComplete(Irp, STATUS_SUCCESS);
    case ReturnsRaised:
        KeRaiseIrql(DISPATCH_LEVEL, &irql);
        return TestComplete(Irp, STATUS_SUCCESS);
    case CallsWithoutLocation:
        for (;;) {
            IoSetNextIrpStackLocation(Irp);
            if (Irp->CurrentLocation == 1) {
                return IoCallDriver(Fn->Lower, Irp);
            }
        }
    case CallsAfterCompletion:
        TestComplete(Irp, STATUS_SUCCESS);
        return IoCallDriver(Fn->Lower, Irp);
    case ForwardsCancelable:
        IoSetCancelRoutine(Irp, NoCancel);
        IoSkipCurrentIrpStackLocation(Irp);
        return IoCallDriver(Fn->Lower, Irp);
    case FreesForeign:
        IoFreeIrp(Irp);
        return STATUS_SUCCESS;
    case CallsNoDevice:
        IoSkipCurrentIrpStackLocation(Irp);
        return IoCallDriver(NULL, Irp);
    case ReusesManaged:
        IoReuseIrp(Irp, STATUS_SUCCESS);
        return STATUS_SUCCESS;
    case LosesIrp:
        return STATUS_SUCCESS;
    case CompletesBelow:
        IoCopyCurrentIrpStackLocationToNext(Irp);
        (void)IoCallDriver(Fn->Lower, Irp);
        return TestComplete(Irp, STATUS_SUCCESS);
    default:
        return TestComplete(Irp, STATUS_SUCCESS);
    }
}

static VOID BreakLock(TEST_FN *Fn)
{
    static IO_REMOVE_LOCK bare;
    switch (TestFault) {
    case ReleasesWrongTag:
        (void)IoAcquireRemoveLock(&Fn->RemoveLock, Fn);
        IoReleaseRemoveLock(&Fn->RemoveLock, Fn->Pdo);
        break;
    case WaitsWithWrongTag:
        IoReleaseRemoveLockAndWait(&Fn->RemoveLock, Fn);
        break;
    case InitializesLockAgain:
        IoInitializeRemoveLock(&Fn->RemoveLock, TEST_TAG, 0, 0);
        break;
    case UsesBareLock:
        (void)IoAcquireRemoveLock(&bare, Fn);
        break;
    default:
        break;
    }
}

static VOID BreakOther(TEST_FN *Fn)
{
    static DECLSPEC_ALIGN(16) UCHAR raw[sizeof(IRP) + sizeof(IO_STACK_LOCATION)];
    PVOID entry;
    PIRP irp;
    KIRQL irql;
    switch (TestFault) {
    case FreesInUse:
        IoFreeIrp(SendOwn(Fn));
        break;
    case ReusesInUse:
        IoReuseIrp(SendOwn(Fn), STATUS_SUCCESS);
        break;
    case FreesGarbage:
        IoInitializeIrp((PIRP)raw, sizeof raw, 1);
        IoFreeIrp((PIRP)raw);
        break;
    case LeavesTimerSet:
        KeInitializeTimer(&Fn->Timer);
        KeSetTimer(&Fn->Timer, (LARGE_INTEGER){.QuadPart = -100000000}, NULL);
        break;
    case LeavesProvider:
        (void)IoWMIRegistrationControl(Fn->Self, WMIREG_ACTION_REGISTER);
        break;
    case SendsPnpRaised:
        irp = IoAllocateIrp(Fn->Lower->StackSize, FALSE);
        irp->IoStatus.Status = STATUS_NOT_SUPPORTED;
        IoGetNextIrpStackLocation(irp)->MajorFunction = IRP_MJ_PNP;
        KeRaiseIrql(DISPATCH_LEVEL, &irql);
        IoCallDriver(Fn->Lower, irp);
        break;
    case TwoTimers:
        (void)IoInitializeTimer(Fn->Self, NoTick, NULL);
        (void)IoInitializeTimer(Fn->Self, NoTick, NULL);
        break;
    case DetachesTwice:
        IoDetachDevice(Fn->Lower);
        IoDetachDevice(Fn->Lower);
        break;
    case DeletesAttached:
        IoDeleteDevice(Fn->Self);
        break;
    case LeavesNotification:
        (void)IoRegisterPlugPlayNotification(EventCategoryDeviceInterfaceChange, 0,
                                             (PVOID)&TestInterfaceClass, Fn->Self->DriverObject,
                                             NoNotification, NULL, &entry);
        break;
    case DoesNotReclaim:
        SendOwn(Fn);
        break;
    case LeavesIrp:
        (void)IoAllocateIrp(1, FALSE);
        break;
    case QueuesWorkTwice:
        IoQueueWorkItem(Fn->Work, NoWork, DelayedWorkQueue, NULL);
        IoQueueWorkItem(Fn->Work, NoWork, DelayedWorkQueue, NULL);
        break;
    case FreesQueuedWork:
        IoQueueWorkItem(Fn->Work, NoWork, DelayedWorkQueue, NULL);
        IoFreeWorkItem(Fn->Work);
        break;
    case DeletesTwice:
        IoDetachDevice(Fn->Lower);
        IoDeleteDevice(Fn->Self);
        IoDeleteDevice(Fn->Self);
        break;
    default:
        BreakLock(Fn);
        break;
    }
}

NTSTATUS TestMisbehave(TEST_FN *Fn, PIRP Irp)
{
    if (TestFault >= FreesInUse) {
        BreakOther(Fn);
    }
    return BreakIrp(Fn, Irp);
}
