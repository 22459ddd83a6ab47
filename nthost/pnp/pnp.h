// SPDX-License-Identifier: MIT
// Inside the PnP manager: the device tree, its one worker thread, services, interfaces. Only the worker
// changes the tree and sends PnP and system power IRPs; others read it under PnpLock or ask the worker.
#pragma once
#include "nthost/image/image.h"
#include "nthost/io/io.h"
#include <wdmguid.h>

// ---- the worker ----

typedef struct _PNP_ACTION PNP_ACTION;
typedef VOID PNP_ROUTINE(PNP_ACTION *Action);
struct _PNP_ACTION {
    LIST_ENTRY ListEntry;
    PNP_ROUTINE *Run; // in the worker at PASSIVE_LEVEL
    PKEVENT Done;     // NULL: the action is in memory of os_allocate and freed after Run
    PVOID Object;     // referenced while queued: device or driver; NULL: none
    PVOID Context;
    ULONG Value;
    NTSTATUS Status;
};

NTSTATUS PnpBoot(VOID);
VOID PnpShutdown(VOID); // removes all devices, unloads all drivers, ends the worker
VOID PnpQueue(PNP_ACTION *Action);
// At any IRQL up to DISPATCH_LEVEL; without memory the report is lost.
VOID PnpPost(PNP_ROUTINE *Run, PVOID Object, ULONG Value);
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS PnpCallWorker(PNP_ROUTINE *Run, PVOID Context, ULONG Value); // waits; returns Action->Status
_IRQL_requires_(PASSIVE_LEVEL)
VOID PnpWaitIdle(VOID);

// ---- services ----

typedef struct _PNP_SERVICE {
    LIST_ENTRY ListEntry;
    UNICODE_STRING Name;
    UNICODE_STRING HardwareIds; // MULTI_SZ
    PDRIVER_INITIALIZE Entry;   // of a native driver
    PCHAR ImagePath;            // else
    IMG_IMAGE *Image;           // while loaded
    IOP_COUNTS Counts;
    PDRIVER_OBJECT Driver; // while loaded
} PNP_SERVICE;

// What drives it: `Entry`, or the image at `ImagePath`.
NTSTATUS PnpAddService(PCUNICODE_STRING Name, PCUNICODE_STRING HardwareIds, PDRIVER_INITIALIZE Entry,
                       PCSTR ImagePath);
PNP_SERVICE *PnpFindService(PCUNICODE_STRING Name);
VOID PnpFreeServices(VOID);

// ---- the tree ----

typedef enum _PNP_STATE {
    PnpUnbound, // enumerated, no driver
    PnpAdded,   // AddDevice done
    PnpStarted,
    PnpStopped,
    PnpFailed,    // loading, AddDevice or START failed; nothing is attached
    PnpSurprised, // SURPRISE_REMOVAL sent, REMOVE waits for files
    PnpRemoved,   // REMOVE sent; the device may be started anew
} PNP_STATE;

typedef struct _PNP_NODE {
    LIST_ENTRY SiblingEntry; // in Parent->Children, or among those whose REMOVE waits
    LIST_ENTRY Children;
    struct _PNP_NODE *Parent;
    PDEVICE_OBJECT Pdo; // referenced
    UNICODE_STRING Instance, DeviceId, InstanceId, HardwareIds, CompatibleIds, Description, Location;
    DEVICE_CAPABILITIES Capabilities;
    PNP_BUS_INFORMATION Bus;
    BOOLEAN HasBus;
    BOOLEAN Present; // in the last BusRelations
    BOOLEAN Gone;    // see PnpSurpriseTree
    PNP_SERVICE *Service;
    PNP_STATE State;
    NTSTATUS Problem;
    ULONG PnpState; // bits of the last QUERY_PNP_DEVICE_STATE
    LIST_ENTRY Interfaces;
    LONG SystemState; // SYSTEM_POWER_STATE last set, po/
} PNP_NODE;

extern KSPIN_LOCK PnpLock;
extern PNP_NODE *PnpRoot;
extern LIST_ENTRY PnpWaitingNodes; // detached from the tree, REMOVE due when files are closed

PNP_NODE *PnpNodeOf(PDEVICE_OBJECT Pdo); // NULL: none; stable for the node's own drivers and the worker
PNP_NODE *PnpFindInstance(PCUNICODE_STRING Instance); // worker only
NTSTATUS PnpCreateNode(PNP_NODE *Parent, PDEVICE_OBJECT Pdo, PNP_NODE **Node);
VOID PnpDestroyNode(PNP_NODE *Node);

// Walks the subtree, worker only; stops at the first failure. `ChildrenFirst` also reverses siblings.
typedef NTSTATUS PNP_VISITOR(PNP_NODE *Node, PVOID Context);
NTSTATUS PnpWalk(PNP_NODE *Node, BOOLEAN ChildrenFirst, PNP_VISITOR *Visitor, PVOID Context);

// ---- steps of a device's life, worker only ----

NTSTATUS PnpSend(PNP_NODE *Node, IO_STACK_LOCATION *Location, PULONG_PTR Information); // major is filled in
NTSTATUS PnpSendMinor(PNP_NODE *Node, UCHAR Minor);
NTSTATUS PnpQueryIdentity(PNP_NODE *Node);
NTSTATUS PnpQueryCapabilities(PNP_NODE *Node);
VOID PnpEnumerate(PNP_NODE *Node);   // BusRelations: new children are started, missing ones removed
NTSTATUS PnpBringUp(PNP_NODE *Node); // bind, start, enumerate
NTSTATUS PnpBind(PNP_NODE *Node);    // service, AddDevice
NTSTATUS PnpStart(PNP_NODE *Node);   // START and what follows
VOID PnpQueryState(PNP_NODE *Node);
NTSTATUS PnpStopTree(PNP_NODE *Node);
NTSTATUS PnpRestartTree(PNP_NODE *Node);
NTSTATUS PnpRemoveTree(PNP_NODE *Node); // orderly; a veto's status
// SURPRISE_REMOVAL, then REMOVE as soon as no file is open. `Gone`: the bus has it no more, the node goes as
// well.
VOID PnpSurpriseTree(PNP_NODE *Node, BOOLEAN Gone);
VOID PnpRemoveStack(PNP_NODE *Node); // REMOVE, without a question
VOID PnpBlockOpens(PNP_NODE *Node, BOOLEAN Block);
VOID PnpBindAll(VOID);                  // a service came: unbound nodes are tried again
VOID PnpUnloadIdle(PNP_ACTION *Action); // Object: the driver
VOID PnpRetryWaiting(PNP_ACTION *Action);

// From io/.
VOID PnpFilesClosed(PDEVICE_OBJECT Bottom);
VOID PnpDeviceDeleted(PDRIVER_OBJECT Driver); // a device object is gone for good

// ---- the root bus ----

NTSTATUS PnpBootRoot(VOID);
VOID PnpShutdownRoot(VOID);
NTSTATUS PnpAddRootDevice(PCUNICODE_STRING HardwareId, PDEVICE_OBJECT *Pdo);
VOID PnpMarkRootMissing(PDEVICE_OBJECT Pdo); // no effect on the devices of other buses

// ---- interfaces and notifications ----

typedef struct _PNP_INTERFACE {
    LIST_ENTRY NodeEntry;
    LIST_ENTRY ListEntry; // all of them
    PNP_NODE *Node;
    GUID Class;
    UNICODE_STRING Link; // \??\...
    BOOLEAN Enabled;
    BOOLEAN Announced; // arrival was posted
} PNP_INTERFACE;

extern LIST_ENTRY PnpInterfaces; // under PnpLock

VOID PnpAnnounceInterfaces(PNP_NODE *Node); // START has succeeded
VOID PnpDisableInterfaces(PNP_NODE *Node);  // REMOVE was sent; the verifier minds those left enabled
VOID PnpFreeInterfaces(PNP_NODE *Node);
VOID PnpNotify(const GUID *Class, PCUNICODE_STRING Link, BOOLEAN Enabled); // posts the event
NTSTATUS PnpAskTargets(PNP_NODE *Node, const GUID *Event); // registered for target device change
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS PnpListInterfaces(const GUID *Class, PNP_NODE *Node, BOOLEAN Disabled,
                           PWSTR *List); // MULTI_SZ, pool

VOID PnpBootNotify(VOID);
typedef VOID PNP_SUBSCRIBER(PVOID Routine, PVOID Context, PCUNICODE_STRING Link, BOOLEAN Enabled);
NTSTATUS PnpSubscribe(const GUID *Class, PNP_SUBSCRIBER *Subscriber, PVOID Routine, PVOID Context);
VOID PnpUnsubscribe(const GUID *Class, PVOID Routine, PVOID Context);
VOID PnpFreeSubscribers(VOID);
