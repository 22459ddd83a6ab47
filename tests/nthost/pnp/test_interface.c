// SPDX-License-Identifier: MIT
// Device interfaces, properties and registry keys of a device.
#include "tests/nthost/io/fixture.h"

static char Seen[1024];
static LONG Departures;

static void Event(void *context, const char *link, bool enabled)
{
    CHECK(context == Seen);
    TestNote(enabled ? "arrived" : "departed");
    for (ULONG i = 0; i < sizeof Seen - 1; i++) {
        Seen[i] = link[i];
        if (link[i] == 0) {
            break;
        }
    }
    Departures += !enabled;
}

static void Setup(void)
{
    TestBoot();
}

static void Teardown(void)
{
    TestShutdown();
}

static const uint8_t *Class(void)
{
    return (const uint8_t *)&TestInterfaceClass;
}

static void Count(void *context, const char *link)
{
    CHECK(TestFind(link, "#{7e57c1a5-1234-5678-0102-030405060708}") != NULL);
    CHECK(TestFind(link, "\\??\\TEST#CHILD#") == link);
    ++*(ULONG *)context;
}

static ULONG Interfaces(void)
{
    ULONG count = 0;
    nt_interfaces(Class(), Count, &count);
    return count;
}

static void ArrivalsAndDepartures(void)
{
    nt_file *file;
    CHECK_EQ(Interfaces(), 0);
    CHECK_EQ(nt_interface_subscribe(Class(), Event, Seen), 0);
    TestPlug(5);
    CHECK(TestLogHas("START"));
    CHECK(TestLogHas("arrived"));
    CHECK_EQ(Interfaces(), 1);
    CHECK_STATUS(nt_open(Seen, &file), 0);
    nt_close(file);
    Seen[1] = '\\'; // the Win32 spelling
    CHECK_STATUS(nt_open(Seen, &file), 0);
    nt_close(file);
    TestUnplug(5);
    CHECK(TestLogHas("departed"));
    CHECK_EQ(Interfaces(), 0);
    CHECK_STATUS(nt_open(Seen, &file), STATUS_OBJECT_NAME_NOT_FOUND);
    nt_interface_unsubscribe(Class(), Event, Seen);
    Departures = 0;
    TestPlug(5);
    TestUnplug(5);
    CHECK_EQ(Departures, 0);
}

static void AFailedStartAnnouncesNothing(void)
{
    CHECK_EQ(nt_interface_subscribe(Class(), Event, Seen), 0);
    TestFault = FailsStart;
    TestPlug(0);
    TestFault = NoFault;
    CHECK(!TestLogHas("arrived"));
    CHECK(!TestLogHas("departed"));
    nt_interface_unsubscribe(Class(), Event, Seen);
}

static NTSTATUS NTAPI Heard(PVOID Notification, PVOID Context)
{
    PDEVICE_INTERFACE_CHANGE_NOTIFICATION change = Notification;
    CHECK(Context == Seen);
    CHECK_MEM(&change->InterfaceClassGuid, &TestInterfaceClass, sizeof(GUID));
    CHECK_EQ(KeGetCurrentIrql(), PASSIVE_LEVEL);
    TestNote("heard");
    return STATUS_SUCCESS;
}

// The driver object that a device's file leads to.
static PDEVICE_OBJECT DeviceOf(PCWSTR Name, PFILE_OBJECT *File)
{
    UNICODE_STRING name;
    PDEVICE_OBJECT device;
    RtlInitUnicodeString(&name, Name);
    CHECK_STATUS(IoGetDeviceObjectPointer(&name, FILE_READ_DATA, File, &device), STATUS_SUCCESS);
    return device;
}

static void DriversHearOfInterfaces(void)
{
    PVOID entry;
    PFILE_OBJECT file;
    TestPlug(0);
    PDEVICE_OBJECT bus = DeviceOf(L"\\Device\\TestBus", &file);
    TestLog[0] = 0;
    CHECK_STATUS(IoRegisterPlugPlayNotification(EventCategoryDeviceInterfaceChange,
                                                PNPNOTIFY_DEVICE_INTERFACE_INCLUDE_EXISTING_INTERFACES,
                                                (PVOID)&TestInterfaceClass, bus->DriverObject, Heard, Seen,
                                                &entry),
                 STATUS_SUCCESS);
    CHECK(TestLogHas("heard"));
    TestLog[0] = 0;
    TestPlug(1);
    CHECK(TestLogHas("heard"));
    CHECK_STATUS(IoUnregisterPlugPlayNotification(entry), STATUS_SUCCESS);
    TestLog[0] = 0;
    TestUnplug(1);
    CHECK(!TestLogHas("heard"));
    ObDereferenceObject(file);
}

static BOOLEAN Refuse;

static NTSTATUS NTAPI TargetHeard(PVOID Notification, PVOID Context)
{
    PTARGET_DEVICE_CUSTOM_NOTIFICATION event = Notification;
    CHECK(event->FileObject == Context);
    if (RtlEqualMemory(&event->Event, &TestInterfaceClass, sizeof(GUID))) {
        CHECK_EQ(event->CustomDataBuffer[0], 42);
        TestNote("custom");
        return STATUS_SUCCESS;
    }
    TestNote("target");
    return Refuse ? STATUS_UNSUCCESSFUL : STATUS_SUCCESS;
}

static VOID NTAPI Reported(PVOID Context)
{
    CHECK(Context == &Refuse);
    TestNote("reported");
}

static void TargetsAreAskedAndTold(void)
{
    PVOID entry;
    PFILE_OBJECT file, busFile;
    TARGET_DEVICE_CUSTOM_NOTIFICATION custom = {
        .Version = 1, .Size = sizeof custom, .Event = TestInterfaceClass};
    TestPlug(0);
    PDEVICE_OBJECT bus = DeviceOf(L"\\Device\\TestBus", &busFile);
    (void)DeviceOf(L"\\Device\\TestFn0", &file);
    CHECK_STATUS(IoRegisterPlugPlayNotification(EventCategoryTargetDeviceChange, 0, file, bus->DriverObject,
                                                TargetHeard, file, &entry),
                 STATUS_SUCCESS);
    TestLog[0] = 0;
    Refuse = TRUE;
    CHECK_STATUS(nt_device_remove("TEST\\CHILD\\0"), STATUS_UNSUCCESSFUL);
    CHECK(TestLogHas("target"));
    CHECK(!TestLogHas("QUERY_REMOVE")); // the IRP is never sent
    Refuse = FALSE;
    CHECK_STATUS(nt_device_remove("TEST\\CHILD\\0"), STATUS_PLUGPLAY_QUERY_VETOED); // the file is still open
    custom.CustomDataBuffer[0] = 42;
    CHECK_STATUS(
        IoReportTargetDeviceChangeAsynchronous(bus->DriverObject->DeviceObject, &custom, Reported, &Refuse),
        STATUS_PENDING);
    nt_pnp_wait();
    CHECK(TestLogHas("custom reported"));
    CHECK_STATUS(IoReportTargetDeviceChangeAsynchronous(bus, &custom, NULL, NULL),
                 STATUS_INVALID_DEVICE_REQUEST);
    CHECK_STATUS(IoUnregisterPlugPlayNotification(entry), STATUS_SUCCESS);
    ObDereferenceObject(file);
    ObDereferenceObject(busFile);
}

static void PropertiesAndKeys(void)
{
    PFILE_OBJECT file;
    WCHAR text[64];
    ULONG needed, value;
    HANDLE key;
    UNICODE_STRING name;
    UCHAR buffer[64];
    TestPlug(0);
    CHECK_EQ(nt_registry_set_dword("Enum\\TEST\\CHILD\\0\\Device Parameters", "Answer", 42), 0);
    PDEVICE_OBJECT pdo = DeviceOf(L"\\Device\\TestFn0", &file);
    CHECK_STATUS(IoGetDeviceProperty(pdo, DevicePropertyHardwareID, sizeof text, text, &needed),
                 STATUS_INVALID_DEVICE_REQUEST); // no PDO
    ObDereferenceObject(file);
    pdo = DeviceOf(L"\\Device\\TestBus", &file);
    pdo = pdo->DriverObject->DeviceObject; // newest first: the child
    CHECK_STATUS(IoGetDeviceProperty(pdo, DevicePropertyHardwareID, 4, text, &needed),
                 STATUS_BUFFER_TOO_SMALL);
    CHECK_EQ(needed, sizeof L"TEST\\CHILD" + sizeof(WCHAR));
    CHECK_STATUS(IoGetDeviceProperty(pdo, DevicePropertyHardwareID, sizeof text, text, &needed),
                 STATUS_SUCCESS);
    CHECK_MEM(text, L"TEST\\CHILD\0", needed);
    CHECK_STATUS(IoGetDeviceProperty(pdo, DevicePropertyEnumeratorName, sizeof text, text, &needed),
                 STATUS_SUCCESS);
    CHECK_MEM(text, L"TEST", needed);
    CHECK_STATUS(IoGetDeviceProperty(pdo, DevicePropertyUINumber, sizeof value, &value, &needed),
                 STATUS_SUCCESS);
    CHECK_STATUS(IoGetDeviceProperty(pdo, DevicePropertyClassName, sizeof text, text, &needed),
                 STATUS_OBJECT_NAME_NOT_FOUND);
    DEVPROPKEY unified = {{0xa45c254e, 0xdf1c, 0x4efd, {0x80, 0x20, 0x67, 0xd1, 0x46, 0xa8, 0x50, 0xe0}}, 24};
    DEVPROPTYPE type;
    CHECK_STATUS(IoGetDevicePropertyData(pdo, &unified, 0, 0, sizeof text, text, &needed, &type),
                 STATUS_SUCCESS);
    CHECK_EQ(type, DEVPROP_TYPE_STRING);
    CHECK_MEM(text, L"TEST", needed);
    unified.pid = 999;
    CHECK_STATUS(IoGetDevicePropertyData(pdo, &unified, 0, 0, sizeof text, text, &needed, &type),
                 STATUS_OBJECT_NAME_NOT_FOUND);
    CHECK_STATUS(IoGetDeviceProperty(pdo, 99, sizeof text, text, &needed), STATUS_INVALID_PARAMETER_2);
    CHECK_STATUS(IoOpenDeviceRegistryKey(pdo, PLUGPLAY_REGKEY_DEVICE, KEY_READ, &key), STATUS_SUCCESS);
    RtlInitUnicodeString(&name, L"answer");
    CHECK_STATUS(ZwQueryValueKey(key, &name, KeyValuePartialInformation, buffer, sizeof buffer, &needed),
                 STATUS_SUCCESS);
    CHECK_EQ(*(PULONG)((PKEY_VALUE_PARTIAL_INFORMATION)buffer)->Data, 42);
    CHECK_STATUS(ZwClose(key), STATUS_SUCCESS);
    CHECK_STATUS(IoOpenDeviceRegistryKey(pdo, 7, KEY_READ, &key), STATUS_INVALID_PARAMETER);
    ObDereferenceObject(file);
}

static void LogEntry(void *context, const struct nt_event *event)
{
    CHECK(TestFind(event->driver, "testbus") == event->driver);
    CHECK(TestFind(event->device, "TestBus") == event->device);
    CHECK_EQ(event->code, 0xC0040004);
    CHECK_EQ(event->unique, 77);
    CHECK_EQ(event->dump_count, 2);
    CHECK_EQ(event->dump[1], 0xBEEF);
    CHECK(TestFind(event->strings, "one|two") == event->strings);
    ++*(ULONG *)context;
}

static void TheEventLogKeepsEntries(void)
{
    static const WCHAR strings[] = L"one\0two";
    PFILE_OBJECT file;
    ULONG count = 0;
    PDEVICE_OBJECT bus = DeviceOf(L"\\Device\\TestBus", &file);
    UCHAR size = (UCHAR)(sizeof(IO_ERROR_LOG_PACKET) + sizeof(ULONG) + sizeof strings);
    CHECK(IoAllocateErrorLogEntry(bus, ERROR_LOG_MAXIMUM_SIZE + 1) == NULL);
    PIO_ERROR_LOG_PACKET packet = IoAllocateErrorLogEntry(bus, size);
    packet->ErrorCode = (NTSTATUS)0xC0040004;
    packet->UniqueErrorValue = 77;
    packet->DumpDataSize = 2 * sizeof(ULONG);
    packet->DumpData[1] = 0xBEEF;
    packet->NumberOfStrings = 2;
    packet->StringOffset = sizeof(IO_ERROR_LOG_PACKET) + sizeof(ULONG);
    RtlCopyMemory((PUCHAR)packet + packet->StringOffset, strings, sizeof strings);
    IoWriteErrorLogEntry(packet);
    CHECK_EQ(nt_events(LogEntry, &count), 1);
    CHECK_EQ(count, 1);
    ObDereferenceObject(file);
}

const struct WdmTest WdmTests[] = {
    {"arrivals and departures", ArrivalsAndDepartures},
    {"a failed START announces nothing", AFailedStartAnnouncesNothing},
    {"drivers hear of interfaces", DriversHearOfInterfaces},
    {"targets are asked and told", TargetsAreAskedAndTold},
    {"properties and registry keys", PropertiesAndKeys},
    {"the event log keeps entries", TheEventLogKeepsEntries},
    {NULL, NULL},
};
void (*const WdmTestSetup)(void) = Setup;
void (*const WdmTestTeardown)(void) = Teardown;
