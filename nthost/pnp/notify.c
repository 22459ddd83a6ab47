// SPDX-License-Identifier: MIT
// Who wants to hear of interfaces coming and going, and of devices about to be removed. Delivery is the
// worker's, in order, under one mutex: taking that away a registration waits for a callback that is running,
// except from within it.
#include "nthost/pnp/pnp.h"
#include "nthost/verifier/faults.h"

typedef struct _PNP_REGISTRATION {
    LIST_ENTRY ListEntry;
    GUID Class;
    PDEVICE_OBJECT Target; // lowest device of the stack watched, for target device change; referenced
    PFILE_OBJECT File;
    PDRIVER_OBJECT Driver; // a driver's registration...
    PDRIVER_NOTIFICATION_CALLBACK_ROUTINE Callback;
    PNP_SUBSCRIBER *Subscriber; // ... or the user side's
    PVOID Routine, Context;
    BOOLEAN Dead; // removed from within a callback
} PNP_REGISTRATION;

typedef struct _PNP_EVENT {
    PNP_ACTION Action;
    GUID Class;
    UNICODE_STRING Link;
    BOOLEAN Enabled;
} PNP_EVENT;

static LIST_ENTRY PnpRegistrations = {&PnpRegistrations, &PnpRegistrations};
static KMUTEX PnpDelivery;
static ULONG PnpDelivering;

VOID PnpBootNotify(VOID)
{
    KeInitializeMutex(&PnpDelivery, 0);
}

static VOID PnpLockDelivery(VOID)
{
    KeWaitForSingleObject(&PnpDelivery, Executive, KernelMode, FALSE, NULL);
}

static VOID PnpFreeRegistration(PNP_REGISTRATION *Registration)
{
    RemoveEntryList(&Registration->ListEntry);
    if (Registration->Target != NULL) {
        ObDereferenceObject(Registration->Target);
    }
    os_free(Registration);
}

static VOID PnpUnlockDelivery(VOID)
{
    for (PLIST_ENTRY entry = PnpRegistrations.Flink; PnpDelivering == 0 && entry != &PnpRegistrations;) {
        PNP_REGISTRATION *registration = CONTAINING_RECORD(entry, PNP_REGISTRATION, ListEntry);
        entry = entry->Flink;
        if (registration->Dead) {
            PnpFreeRegistration(registration);
        }
    }
    KeReleaseMutex(&PnpDelivery, FALSE);
}

static NTSTATUS PnpCallDriver(PNP_REGISTRATION *Registration, PVOID Notification)
{
    VF_FRAME frame;
    IopEnterDriver(&frame, Registration->Driver, (PVOID)(ULONG_PTR)Registration->Callback);
    NTSTATUS status = Registration->Callback(Notification, Registration->Context);
    IopLeaveDriver(&frame, "PnP notification");
    return status;
}

static VOID PnpTell(PNP_REGISTRATION *Registration, const PNP_EVENT *Event)
{
    UNICODE_STRING link = Event->Link;
    if (Registration->Subscriber != NULL) {
        Registration->Subscriber(Registration->Routine, Registration->Context, &link, Event->Enabled);
        return;
    }
    DEVICE_INTERFACE_CHANGE_NOTIFICATION change = {
        1, sizeof change, Event->Enabled ? GUID_DEVICE_INTERFACE_ARRIVAL : GUID_DEVICE_INTERFACE_REMOVAL,
        Event->Class, &link};
    (void)PnpCallDriver(Registration, &change);
}

static BOOLEAN PnpHears(const PNP_REGISTRATION *Registration, const GUID *Class)
{
    return !Registration->Dead && Registration->Target == NULL &&
           RtlCompareMemory(&Registration->Class, Class, sizeof *Class) == sizeof *Class;
}

static VOID PnpDeliver(PNP_ACTION *Action)
{
    PNP_EVENT *event = CONTAINING_RECORD(Action, PNP_EVENT, Action);
    PnpLockDelivery();
    PnpDelivering++;
    for (PLIST_ENTRY entry = PnpRegistrations.Flink; entry != &PnpRegistrations; entry = entry->Flink) {
        PNP_REGISTRATION *registration = CONTAINING_RECORD(entry, PNP_REGISTRATION, ListEntry);
        if (PnpHears(registration, &event->Class)) {
            PnpTell(registration, event);
        }
    }
    PnpDelivering--;
    PnpUnlockDelivery();
    os_free(event->Link.Buffer);
}

VOID PnpNotify(const GUID *Class, PCUNICODE_STRING Link, BOOLEAN Enabled)
{
    PNP_EVENT *event = IopAllocateZeroed(sizeof *event);
    if (event == NULL || !NT_SUCCESS(IopDuplicateString(Link, &event->Link))) {
        os_free(event);
        return;
    }
    event->Action.Run = PnpDeliver;
    event->Class = *Class;
    event->Enabled = Enabled;
    PnpQueue(&event->Action);
}

// Registrations are made and taken away under the delivery mutex, which a callback's own thread already has.
static VOID PnpRegister(PNP_REGISTRATION *Registration)
{
    PnpLockDelivery();
    InsertTailList(&PnpRegistrations, &Registration->ListEntry);
    PnpUnlockDelivery();
}

NTSTATUS PnpSubscribe(const GUID *Class, PNP_SUBSCRIBER *Subscriber, PVOID Routine, PVOID Context)
{
    PNP_REGISTRATION *registration = IopAllocateZeroed(sizeof *registration);
    if (registration == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    registration->Class = *Class;
    registration->Subscriber = Subscriber;
    registration->Routine = Routine;
    registration->Context = Context;
    PnpRegister(registration);
    return STATUS_SUCCESS;
}

VOID PnpUnsubscribe(const GUID *Class, PVOID Routine, PVOID Context)
{
    PnpLockDelivery();
    for (PLIST_ENTRY entry = PnpRegistrations.Flink; entry != &PnpRegistrations; entry = entry->Flink) {
        PNP_REGISTRATION *registration = CONTAINING_RECORD(entry, PNP_REGISTRATION, ListEntry);
        if (PnpHears(registration, Class) && registration->Routine == Routine &&
            registration->Context == Context) {
            registration->Dead = TRUE;
        }
    }
    PnpUnlockDelivery();
}

VOID PnpFreeSubscribers(VOID)
{
    while (!IsListEmpty(&PnpRegistrations)) {
        PnpFreeRegistration(CONTAINING_RECORD(PnpRegistrations.Flink, PNP_REGISTRATION, ListEntry));
    }
}

static VOID PnpTellExisting(PNP_REGISTRATION *Registration)
{
    PWSTR list;
    if (!NT_SUCCESS(PnpListInterfaces(&Registration->Class, NULL, FALSE, &list))) {
        return;
    }
    for (PWSTR at = list; *at != 0;) {
        PNP_EVENT event = {.Class = Registration->Class, .Enabled = TRUE};
        RtlInitUnicodeString(&event.Link, at);
        PnpTell(Registration, &event);
        at += event.Link.Length / sizeof(WCHAR) + 1;
    }
    ExFreePool(list);
}

NTSTATUS NTAPI IoRegisterPlugPlayNotification(IO_NOTIFICATION_EVENT_CATEGORY EventCategory,
                                              ULONG EventCategoryFlags, PVOID EventCategoryData,
                                              PDRIVER_OBJECT DriverObject,
                                              PDRIVER_NOTIFICATION_CALLBACK_ROUTINE CallbackRoutine,
                                              PVOID Context, PVOID *NotificationEntry)
{
    NT_ENTRY(IoRegisterPlugPlayNotification);
    NT_MAY_FAIL(OBJECT, STATUS_INSUFFICIENT_RESOURCES);
    *NotificationEntry = NULL;
    PNP_REGISTRATION *registration = IopAllocateZeroed(sizeof *registration);
    if (registration == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    registration->Driver = DriverObject;
    registration->Callback = CallbackRoutine;
    registration->Context = Context;
    if (EventCategory == EventCategoryDeviceInterfaceChange) {
        registration->Class = *(const GUID *)EventCategoryData;
    } else if (EventCategory == EventCategoryTargetDeviceChange) {
        registration->File = EventCategoryData;
        registration->Target = IopStackBottom(registration->File->DeviceObject);
        ObReferenceObject(registration->Target);
    } // else: hardware profiles never change here
    InterlockedIncrement(&IopDriver(DriverObject)->Notifications);
    *NotificationEntry = registration;
    PnpRegister(registration);
    if (EventCategory == EventCategoryDeviceInterfaceChange &&
        (EventCategoryFlags & PNPNOTIFY_DEVICE_INTERFACE_INCLUDE_EXISTING_INTERFACES) != 0) {
        PnpTellExisting(registration);
    }
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI IoUnregisterPlugPlayNotificationEx(PVOID NotificationEntry)
{
    NT_ENTRY(IoUnregisterPlugPlayNotificationEx);
    PNP_REGISTRATION *registration = NotificationEntry;
    PnpLockDelivery();
    registration->Dead = TRUE;
    InterlockedDecrement(&IopDriver(registration->Driver)->Notifications);
    PnpUnlockDelivery();
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI IoUnregisterPlugPlayNotification(PVOID NotificationEntry)
{
    NT_ENTRY(IoUnregisterPlugPlayNotification);
    return IoUnregisterPlugPlayNotificationEx(NotificationEntry);
}

// A failure of a callback is a veto; only queries can be vetoed.
static NTSTATUS PnpTellTargets(PDEVICE_OBJECT Target, PTARGET_DEVICE_REMOVAL_NOTIFICATION Notification)
{
    NTSTATUS status = STATUS_SUCCESS;
    PnpLockDelivery();
    PnpDelivering++;
    for (PLIST_ENTRY entry = PnpRegistrations.Flink; entry != &PnpRegistrations && NT_SUCCESS(status);
         entry = entry->Flink) {
        PNP_REGISTRATION *registration = CONTAINING_RECORD(entry, PNP_REGISTRATION, ListEntry);
        if (!registration->Dead && registration->Target == Target) {
            Notification->FileObject = registration->File;
            status = PnpCallDriver(registration, Notification);
        }
    }
    PnpDelivering--;
    PnpUnlockDelivery();
    return status;
}

NTSTATUS PnpAskTargets(PNP_NODE *Node, const GUID *Event)
{
    TARGET_DEVICE_REMOVAL_NOTIFICATION notification = {
        .Version = 1, .Size = sizeof notification, .Event = *Event};
    return PnpTellTargets(Node->Pdo, &notification);
}

typedef struct _PNP_CUSTOM_EVENT {
    PNP_ACTION Action;
    PDEVICE_CHANGE_COMPLETE_CALLBACK Complete;
    PVOID Context;
    TARGET_DEVICE_CUSTOM_NOTIFICATION Notification; // last: of variable length
} PNP_CUSTOM_EVENT;

static VOID PnpDeliverCustom(PNP_ACTION *Action)
{
    PNP_CUSTOM_EVENT *event = CONTAINING_RECORD(Action, PNP_CUSTOM_EVENT, Action);
    // The removal notification is the custom one's beginning.
    (void)PnpTellTargets(Action->Object, (PTARGET_DEVICE_REMOVAL_NOTIFICATION)&event->Notification);
    if (event->Complete != NULL) {
        event->Complete(event->Context);
    }
}

NTSTATUS NTAPI IoReportTargetDeviceChangeAsynchronous(PDEVICE_OBJECT PhysicalDeviceObject,
                                                      PVOID NotificationStructure,
                                                      PDEVICE_CHANGE_COMPLETE_CALLBACK Callback,
                                                      PVOID Context)
{
    NT_ENTRY(IoReportTargetDeviceChangeAsynchronous);
    PTARGET_DEVICE_CUSTOM_NOTIFICATION notification = NotificationStructure;
    if (PnpNodeOf(PhysicalDeviceObject) == NULL) {
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    SIZE_T size = FIELD_OFFSET(PNP_CUSTOM_EVENT, Notification) + notification->Size;
    PNP_CUSTOM_EVENT *event = IopAllocateZeroed(max(size, sizeof *event));
    if (event == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    event->Action.Run = PnpDeliverCustom;
    event->Action.Object = PhysicalDeviceObject;
    event->Complete = Callback;
    event->Context = Context;
    RtlCopyMemory(&event->Notification, notification, notification->Size);
    PnpQueue(&event->Action);
    return STATUS_PENDING;
}
