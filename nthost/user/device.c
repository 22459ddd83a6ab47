// SPDX-License-Identifier: MIT
// Devices and services as the user side sees them. What changes the tree is done by the PnP manager's worker.
#include "nthost/pnp/pnp.h"
#include "nthost/po/po.h"
#include "nthost/rtl/rtl.h"
#include "nthost/user/user.h"

enum { USER_SERVICE_MAX = 64, USER_IDS_MAX = 1024, USER_DEVICES_STEP = 16 };

// ---- services ----

// A NULL-terminated array as MULTI_SZ.
static BOOLEAN widen_list(const char *const *list, WCHAR *buffer, unsigned characters, UNICODE_STRING *wide)
{
    unsigned used = 0;
    for (; *list != NULL; list++) {
        UNICODE_STRING one;
        if (used + 1 >= characters || !user_widen(*list, buffer + used, characters - used - 1, &one)) {
            return FALSE;
        }
        used += one.MaximumLength / sizeof(WCHAR);
    }
    buffer[used++] = 0;
    *wide = (UNICODE_STRING){(USHORT)(used * sizeof(WCHAR)), (USHORT)(used * sizeof(WCHAR)), buffer};
    return TRUE;
}

static VOID bind_all(PNP_ACTION *action)
{
    UNREFERENCED_PARAMETER(action);
    PnpBindAll();
}

static int add_service(const struct nt_service *service, const char *image)
{
    WCHAR name_buffer[USER_SERVICE_MAX], ids_buffer[USER_IDS_MAX];
    UNICODE_STRING name, ids;
    if (!user_widen(service->name, name_buffer, USER_SERVICE_MAX, &name) ||
        !widen_list(service->hardware_ids, ids_buffer, USER_IDS_MAX, &ids)) {
        return -USER_EINVAL;
    }
    PDRIVER_INITIALIZE entry = (PDRIVER_INITIALIZE)(PVOID)service->entry;
    NTSTATUS status = PnpAddService(&name, &ids, entry, image);
    if (NT_SUCCESS(status)) {
        PnpCallWorker(bind_all, NULL, 0);
    }
    return user_errno(status);
}

int local_service_add(const struct nt_service *service)
{
    KiEnter();
    return add_service(service, NULL);
}

typedef struct _IMAGE_CHECK {
    const char *path;
    char *report;
    size_t size;
} IMAGE_CHECK;

static VOID check_image(PNP_ACTION *action)
{
    IMAGE_CHECK *check = action->Context;
    action->Status = ImgCheck(check->path);
    if (!NT_SUCCESS(action->Status)) {
        RtlpAppend(check->report, check->size, "%s", ImgReport());
    }
}

int local_service_add_image(const struct nt_service *service, const char *image, char *report,
                            size_t report_size)
{
    IMAGE_CHECK check = {image, report, report_size};
    KiEnter();
    if (report_size == 0 || !ImgStarted()) {
        return -USER_EINVAL;
    }
    report[0] = 0;
    NTSTATUS status = PnpCallWorker(check_image, &check, 0);
    return NT_SUCCESS(status) ? add_service(service, image) : user_errno(status);
}

static const struct {
    unsigned index;
    const char *routine;
} counted[] = {
    {IOP_COUNT_DRIVER_ENTRY, "DriverEntry"},
    {IOP_COUNT_ADD_DEVICE, "AddDevice"},
    {IRP_MJ_PNP, "DispatchPnP"},
    {IRP_MJ_POWER, "DispatchPower"},
    {IRP_MJ_CREATE, "DispatchCreate"},
    {IRP_MJ_DEVICE_CONTROL, "DispatchDeviceControl"},
    {IRP_MJ_INTERNAL_DEVICE_CONTROL, "DispatchInternalDeviceControl"},
    {IRP_MJ_CLEANUP, "DispatchCleanup"},
    {IRP_MJ_CLOSE, "DispatchClose"},
    {IRP_MJ_SYSTEM_CONTROL, "DispatchSystemControl"},
    {IOP_COUNT_UNLOAD, "Unload"},
};

int local_service_counts(const char *service, struct nt_routine_count *rows, size_t capacity)
{
    WCHAR buffer[USER_SERVICE_MAX];
    UNICODE_STRING name;
    size_t count = 0;
    KiEnter();
    PNP_SERVICE *found = user_widen(service, buffer, USER_SERVICE_MAX, &name) ? PnpFindService(&name) : NULL;
    if (found == NULL) {
        return -USER_ENOENT;
    }
    for (size_t i = 0; i < sizeof counted / sizeof counted[0]; i++) {
        uint64_t calls = (uint64_t)found->Counts.Calls[counted[i].index];
        if (calls == 0) {
            continue;
        }
        if (count < capacity) {
            rows[count] = (struct nt_routine_count){counted[i].routine, calls};
        }
        count++;
    }
    return (int)count;
}

// ---- devices ----

typedef struct _ROOT_ADDITION {
    UNICODE_STRING id;
    PNP_NODE *node;
    char *instance;
} ROOT_ADDITION;

static VOID add_root(PNP_ACTION *action)
{
    ROOT_ADDITION *addition = action->Context;
    PDEVICE_OBJECT pdo;
    action->Status = PnpAddRootDevice(&addition->id, &pdo);
    PNP_NODE *node = NT_SUCCESS(action->Status) ? PnpNodeOf(pdo) : NULL;
    if (node != NULL) {
        user_narrow(&node->Instance, addition->instance, NT_ID_MAX);
    }
}

int local_root_device_add(const char *hardware_id, char instance[NT_ID_MAX])
{
    WCHAR buffer[NT_ID_MAX];
    ROOT_ADDITION addition = {.instance = instance};
    instance[0] = 0;
    KiEnter();
    if (!user_widen(hardware_id, buffer, NT_ID_MAX, &addition.id)) {
        return -USER_EINVAL;
    }
    return user_errno(PnpCallWorker(add_root, &addition, 0));
}

typedef struct _DEVICE_LIST {
    struct nt_device *devices;
    size_t count, capacity;
} DEVICE_LIST;

static enum nt_device_state device_state(PNP_STATE state)
{
    static const enum nt_device_state states[] = {
        [PnpUnbound] = NT_DEVICE_UNBOUND, [PnpAdded] = NT_DEVICE_STOPPED, [PnpStarted] = NT_DEVICE_STARTED,
        [PnpStopped] = NT_DEVICE_STOPPED, [PnpFailed] = NT_DEVICE_FAILED, [PnpSurprised] = NT_DEVICE_GONE,
        [PnpRemoved] = NT_DEVICE_GONE,
    };
    return states[state];
}

static void list_node(PNP_NODE *node, DEVICE_LIST *list)
{
    if (list->count < list->capacity) {
        struct nt_device *device = &list->devices[list->count];
        user_narrow(&node->Instance, device->instance, sizeof device->instance);
        device->service[0] = 0;
        if (node->Service != NULL) {
            user_narrow(&node->Service->Name, device->service, sizeof device->service);
        }
        device->state = device_state(node->State);
        device->problem = (uint32_t)node->Problem;
    }
    list->count++;
}

static void list_children(LIST_ENTRY *head, DEVICE_LIST *list)
{
    for (PLIST_ENTRY entry = head->Flink; entry != head; entry = entry->Flink) {
        PNP_NODE *node = CONTAINING_RECORD(entry, PNP_NODE, SiblingEntry);
        // A device under construction has no name yet.
        if (node->Instance.Length != 0) {
            list_node(node, list);
        }
        list_children(&node->Children, list);
    }
}

static void list_all(DEVICE_LIST *list)
{
    KIRQL irql;
    list->count = 0;
    KeAcquireSpinLock(&PnpLock, &irql);
    list_children(&PnpRoot->Children, list);
    list_children(&PnpWaitingNodes, list);
    KeReleaseSpinLock(&PnpLock, irql);
}

void local_devices(nt_device_visitor *visitor, void *context)
{
    DEVICE_LIST list = {NULL, 0, 0};
    KiEnter();
    do { // until the list fits
        os_free(list.devices);
        list.capacity = list.count + USER_DEVICES_STEP;
        list.devices = os_allocate(list.capacity * sizeof *list.devices, 16);
        if (list.devices == NULL) {
            return;
        }
        list_all(&list);
    } while (list.count > list.capacity);
    for (size_t i = 0; i < list.count; i++) {
        visitor(context, &list.devices[i]);
    }
    os_free(list.devices);
}

typedef struct _DEVICE_CHANGE {
    UNICODE_STRING instance;
    NTSTATUS (*change)(PNP_NODE *node);
} DEVICE_CHANGE;

static VOID change_device(PNP_ACTION *action)
{
    DEVICE_CHANGE *change = action->Context;
    PNP_NODE *node = PnpFindInstance(&change->instance);
    action->Status = node != NULL && node != PnpRoot ? change->change(node) : STATUS_NO_SUCH_DEVICE;
}

static nt_status change_instance(const char *instance, NTSTATUS (*routine)(PNP_NODE *))
{
    WCHAR buffer[NT_ID_MAX];
    DEVICE_CHANGE change = {.change = routine};
    KiEnter();
    if (!user_widen(instance, buffer, NT_ID_MAX, &change.instance)) {
        return (nt_status)STATUS_OBJECT_NAME_INVALID;
    }
    return (nt_status)PnpCallWorker(change_device, &change, 0);
}

static NTSTATUS start_device(PNP_NODE *node)
{
    switch (node->State) {
    case PnpStopped:
        return PnpRestartTree(node);
    case PnpUnbound:
    case PnpFailed:
    case PnpRemoved:
        return PnpBringUp(node);
    default:
        return STATUS_INVALID_DEVICE_STATE;
    }
}

static NTSTATUS surprise_device(PNP_NODE *node)
{
    PnpMarkRootMissing(node->Pdo);
    PnpSurpriseTree(node, TRUE);
    return STATUS_SUCCESS;
}

nt_status local_device_remove(const char *instance)
{
    return change_instance(instance, PnpRemoveTree);
}

nt_status local_device_stop(const char *instance)
{
    return change_instance(instance, PnpStopTree);
}

nt_status local_device_start(const char *instance)
{
    return change_instance(instance, start_device);
}

void local_device_surprise_remove(const char *instance)
{
    (void)change_instance(instance, surprise_device);
}

void local_pnp_wait(void)
{
    KiEnter();
    PnpWaitIdle();
}

// ---- power ----

static VOID change_power(PNP_ACTION *action)
{
    action->Status = PopSetSystemPower((SYSTEM_POWER_STATE)action->Value);
}

nt_status local_system_power(enum nt_system_power state)
{
    KiEnter();
    if ((unsigned)state > NT_POWER_S5) {
        return (nt_status)STATUS_INVALID_PARAMETER;
    }
    return (nt_status)PnpCallWorker(change_power, NULL, (ULONG)PowerSystemWorking + (ULONG)state);
}
