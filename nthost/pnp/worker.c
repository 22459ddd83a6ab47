// SPDX-License-Identifier: MIT
#include "nthost/pnp/pnp.h"

static LIST_ENTRY PnpActions = {&PnpActions, &PnpActions};
static KSPIN_LOCK PnpActionsLock;
static KSEMAPHORE PnpActionsReady;
static KEVENT PnpIdle; // nothing queued, nothing running
static PVOID PnpThread;
static BOOLEAN PnpEnding;

static PNP_ACTION *PnpNextAction(VOID)
{
    KIRQL irql;
    KeAcquireSpinLock(&PnpActionsLock, &irql);
    PNP_ACTION *action = NULL;
    if (!IsListEmpty(&PnpActions)) {
        action = CONTAINING_RECORD(RemoveHeadList(&PnpActions), PNP_ACTION, ListEntry);
    } else {
        KeSetEvent(&PnpIdle, IO_NO_INCREMENT, FALSE);
    }
    KeReleaseSpinLock(&PnpActionsLock, irql);
    return action;
}

static VOID PnpRunAction(PNP_ACTION *Action)
{
    PKEVENT done = Action->Done;
    PVOID object = Action->Object;
    Action->Run(Action);
    if (object != NULL) {
        ObDereferenceObject(object);
    }
    if (done != NULL) {
        KeSetEvent(done, IO_NO_INCREMENT, FALSE); // the action is its waiter's
    } else {
        os_free(Action);
    }
}

static VOID NTAPI PnpWorker(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    while (!PnpEnding) {
        KeWaitForSingleObject(&PnpActionsReady, Executive, KernelMode, FALSE, NULL);
        for (PNP_ACTION *action = PnpNextAction(); action != NULL; action = PnpNextAction()) {
            PnpRunAction(action);
        }
    }
    PsTerminateSystemThread(STATUS_SUCCESS);
}

VOID PnpQueue(PNP_ACTION *Action)
{
    KIRQL irql;
    if (Action->Object != NULL) {
        ObReferenceObject(Action->Object);
    }
    KeAcquireSpinLock(&PnpActionsLock, &irql);
    KeClearEvent(&PnpIdle);
    InsertTailList(&PnpActions, &Action->ListEntry);
    KeReleaseSpinLock(&PnpActionsLock, irql);
    KeReleaseSemaphore(&PnpActionsReady, IO_NO_INCREMENT, 1, FALSE);
}

VOID PnpPost(PNP_ROUTINE *Run, PVOID Object, ULONG Value)
{
    PNP_ACTION *action = IopAllocateZeroed(sizeof *action);
    if (action != NULL) {
        action->Run = Run;
        action->Object = Object;
        action->Value = Value;
        PnpQueue(action);
    }
}

NTSTATUS PnpCallWorker(PNP_ROUTINE *Run, PVOID Context, ULONG Value)
{
    KEVENT done;
    PNP_ACTION action = {.Run = Run, .Done = &done, .Context = Context, .Value = Value};
    KeInitializeEvent(&done, NotificationEvent, FALSE);
    PnpQueue(&action);
    KeWaitForSingleObject(&done, Executive, KernelMode, FALSE, NULL);
    return action.Status; // NOLINT(clang-analyzer-core.StackAddressEscape): the worker is done with it
}

VOID PnpWaitIdle(VOID)
{
    KeWaitForSingleObject(&PnpIdle, Executive, KernelMode, FALSE, NULL);
}

static NTSTATUS PnpStartWorker(VOID)
{
    HANDLE handle;
    OBJECT_ATTRIBUTES attributes;
    InitializeObjectAttributes(&attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    NTSTATUS status =
        PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, &attributes, NULL, NULL, PnpWorker, NULL);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = ObReferenceObjectByHandle(handle, THREAD_ALL_ACCESS, NULL, KernelMode, &PnpThread, NULL);
    ZwClose(handle);
    return status;
}

static VOID PnpEndWorker(PNP_ACTION *Action)
{
    UNREFERENCED_PARAMETER(Action);
    PnpEnding = TRUE;
}

NTSTATUS PnpBoot(VOID)
{
    PnpEnding = FALSE;
    KeInitializeSemaphore(&PnpActionsReady, 0, MAXLONG);
    KeInitializeEvent(&PnpIdle, NotificationEvent, TRUE);
    PnpBootNotify();
    NTSTATUS status = PnpStartWorker();
    return NT_SUCCESS(status) ? PnpBootRoot() : status;
}

static VOID PnpRemoveAll(PNP_ACTION *Action)
{
    UNREFERENCED_PARAMETER(Action);
    while (!IsListEmpty(&PnpRoot->Children)) {
        PNP_NODE *node = CONTAINING_RECORD(PnpRoot->Children.Blink, PNP_NODE, SiblingEntry);
        (void)PnpRemoveTree(node); // a veto does not keep the system up
        PnpMarkRootMissing(node->Pdo);
        PnpSurpriseTree(node, TRUE);
    }
}

VOID PnpShutdown(VOID)
{
    PnpCallWorker(PnpRemoveAll, NULL, 0);
    PnpWaitIdle();
    PnpCallWorker(PnpEndWorker, NULL, 0);
    KeWaitForSingleObject(PnpThread, Executive, KernelMode, FALSE, NULL);
    ObDereferenceObject(PnpThread);
    PnpShutdownRoot();
    PnpFreeServices();
    PnpFreeSubscribers();
}
