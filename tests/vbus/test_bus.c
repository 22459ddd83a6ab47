// SPDX-License-Identifier: MIT
// The bus as PnP and user mode see it: readers come, go, and are called by the right names.
#include "tests/vbus/client.h"

static ULONG Count;
static char Instance[NT_ID_MAX], Service[64];
static enum nt_device_state State;

static BOOLEAN Begins(const char *Text, const char *Part)
{
    while (*Part != '\0' && *Text == *Part) {
        Text++;
        Part++;
    }
    return *Part == '\0';
}

static void Visit(void *context, const struct nt_device *device)
{
    UNREFERENCED_PARAMETER(context);
    if (Begins(device->instance, "USB\\")) {
        Count++;
        RtlCopyMemory(Instance, device->instance, sizeof Instance);
        RtlCopyMemory(Service, device->service, sizeof Service);
        State = device->state;
    }
}

static ULONG Readers(void)
{
    Count = 0;
    nt_devices(Visit, NULL);
    return Count;
}

static BOOLEAN Same(const char *A, const char *B)
{
    return Begins(A, B) && Begins(B, A);
}

static void PlugAndUnplug(void)
{
    CHECK_EQ(Readers(), 0);
    ULONG port = ClientPlug(NULL);
    CHECK_EQ(port, 1);
    CHECK_EQ(Readers(), 1);
    CHECK(Same(Instance, "USB\\VID_1234&PID_ABCD\\1"));
    CHECK(Same(Service, "client"));
    CHECK_EQ(State, NT_DEVICE_STARTED);
    CHECK_EQ(ClientPlug(NULL), 2);
    CHECK_STATUS(ClientControl(IOCTL_VBUS_UNPLUG, &port, sizeof port, NULL, 0), STATUS_SUCCESS);
    CHECK(Client.Surprised);
    CHECK_EQ(Client.Removes, 1);
    CHECK_EQ(Readers(), 1);
    CHECK_STATUS(ClientControl(IOCTL_VBUS_UNPLUG, &port, sizeof port, NULL, 0), STATUS_NO_SUCH_DEVICE);
    CHECK_EQ(ClientPlug(NULL), 1); // the lowest free port
    CHECK_EQ(Readers(), 2);
}

static void Property(DEVICE_REGISTRY_PROPERTY Which, PCWSTR Expected, ULONG Size)
{
    WCHAR text[128];
    ULONG length;

    CHECK_STATUS(IoGetDeviceProperty(Client.Pdo, Which, sizeof text, text, &length), STATUS_SUCCESS);
    CHECK_EQ(length, Size);
    CHECK_MEM(text, Expected, Size);
}

static void Names(void)
{
    static const WCHAR hardware[] = L"USB\\VID_1234&PID_ABCD&REV_0102\0USB\\VID_1234&PID_ABCD\0";
    static const WCHAR compatible[] =
        L"USB\\Class_0B&SubClass_00&Prot_00\0USB\\Class_0B&SubClass_00\0USB\\Class_0B\0";
    static const WCHAR location[] = L"Port 1 of the virtual bus";
    ULONG address, length;

    ClientPlug(NULL);
    Property(DevicePropertyHardwareID, hardware, sizeof hardware);
    Property(DevicePropertyCompatibleIDs, compatible, sizeof compatible);
    Property(DevicePropertyDeviceDescription, L"Reader", sizeof L"Reader");
    Property(DevicePropertyLocationInformation, location, sizeof location);
    CHECK_STATUS(IoGetDeviceProperty(Client.Pdo, DevicePropertyAddress, sizeof address, &address, &length),
                 STATUS_SUCCESS);
    CHECK_EQ(address, 1);
}

static void VendorClassIsNotBound(void)
{
    struct emu_model model = ClientModel(0x000404BA);
    model.interface_class = 0xFF;
    ClientPlugModel(&model, NULL);
    CHECK_EQ(Client.Adds, 0);
    CHECK_EQ(Readers(), 1);
    CHECK_EQ(State, NT_DEVICE_UNBOUND);
}

static void OrderlyRemovalKeepsTheReader(void)
{
    ULONG port = ClientPlug("t1");
    CHECK_EQ(Readers(), 1);
    CHECK_STATUS(nt_device_remove(Instance), STATUS_SUCCESS);
    CHECK_EQ(Client.Removes, 1);
    CHECK(!Client.Surprised);
    CHECK_STATUS(nt_device_start(Instance), STATUS_SUCCESS);
    CHECK_EQ(Client.Adds, 2);
    CHECK_STATUS(ClientConfigure(), STATUS_SUCCESS);
    ClientStatus(1, 1);
    CHECK_STATUS(nt_device_remove(Instance), STATUS_SUCCESS);
    CHECK_STATUS(ClientControl(IOCTL_VBUS_UNPLUG, &port, sizeof port, NULL, 0), STATUS_SUCCESS);
    CHECK_EQ(Readers(), 0);
}

static void StopAndStart(void)
{
    ClientPlug(NULL);
    CHECK_EQ(Readers(), 1);
    CHECK_STATUS(nt_device_stop(Instance), STATUS_SUCCESS);
    CHECK_STATUS(nt_device_start(Instance), STATUS_SUCCESS);
    CHECK_STATUS(ClientConfigure(), STATUS_SUCCESS);
    ClientStatus(1, 2);
}

static void CardsMove(void)
{
    ULONG port = ClientPlug("t0");
    CHECK_STATUS(ClientMove(IOCTL_VBUS_INSERT, port, 0, "t1"), STATUS_INVALID_DEVICE_STATE);
    CHECK_STATUS(ClientMove(IOCTL_VBUS_REMOVE, port, 0, NULL), STATUS_SUCCESS);
    CHECK_STATUS(ClientMove(IOCTL_VBUS_REMOVE, port, 0, NULL), STATUS_INVALID_DEVICE_STATE);
    CHECK_STATUS(ClientMove(IOCTL_VBUS_INSERT, port, 0, "nothing like it"), STATUS_OBJECT_NAME_NOT_FOUND);
    CHECK_STATUS(ClientMove(IOCTL_VBUS_INSERT, port, 1, "t1"), STATUS_INVALID_PARAMETER);
    CHECK_STATUS(ClientMove(IOCTL_VBUS_INSERT, port, 0, "t1"), STATUS_SUCCESS);
    CHECK_STATUS(ClientMove(IOCTL_VBUS_INSERT, port + 1, 0, "t1"), STATUS_NO_SUCH_DEVICE);
}

static void RequestsAreChecked(void)
{
    static struct vbus_plug plug;
    struct emu_statistics statistics;
    ULONG port = ClientPlug(NULL), other = 77;
    size_t returned;

    plug.model = ClientModel(0x000404BA);
    CHECK_STATUS(ClientControl(IOCTL_VBUS_PLUG, &plug, sizeof plug - 1, &other, sizeof other),
                 STATUS_BUFFER_TOO_SMALL);
    CHECK_STATUS(ClientControl(IOCTL_VBUS_PLUG, &plug, sizeof plug, &other, 3), STATUS_BUFFER_TOO_SMALL);
    plug.model.endpoints = 4;
    CHECK_STATUS(ClientControl(IOCTL_VBUS_PLUG, &plug, sizeof plug, &other, sizeof other),
                 STATUS_INVALID_PARAMETER);
    plug.model.endpoints = 3;
    RtlFillMemory(plug.cards, sizeof plug.cards, 'x'); // no terminator anywhere
    CHECK_STATUS(ClientControl(IOCTL_VBUS_PLUG, &plug, sizeof plug, &other, sizeof other),
                 STATUS_INVALID_PARAMETER);
    CHECK_STATUS(ClientControl(IOCTL_VBUS_UNPLUG, &port, 3, NULL, 0), STATUS_BUFFER_TOO_SMALL);
    CHECK_STATUS(ClientControl(IOCTL_VBUS_INSERT, &port, sizeof port, NULL, 0), STATUS_BUFFER_TOO_SMALL);
    CHECK_STATUS(ClientControl(IOCTL_VBUS_STATISTICS, &port, sizeof port, &statistics, sizeof statistics - 1),
                 STATUS_BUFFER_TOO_SMALL);
    CHECK_STATUS(ClientControl(VBUS_CTL(99, 0u), NULL, 0, NULL, 0), STATUS_INVALID_DEVICE_REQUEST);
    CHECK_STATUS(nt_device_control(ClientBus, IOCTL_VBUS_UNPLUG, NULL, 0, NULL, 0, &returned),
                 STATUS_BUFFER_TOO_SMALL);
    CHECK_EQ(Readers(), 1);
}

static void Statistics(void)
{
    struct emu_statistics statistics;
    ULONG port = ClientPlug("t1");

    CHECK_STATUS(ClientConfigure(), STATUS_SUCCESS);
    ClientStatus(1, 1);
    CHECK_STATUS(ClientControl(IOCTL_VBUS_STATISTICS, &port, sizeof port, &statistics, sizeof statistics),
                 STATUS_SUCCESS);
    CHECK_EQ(statistics.commands, 1);
    CHECK_EQ(statistics.responses, 1);
    CHECK_EQ(statistics.bytes_out, 10);
    CHECK_EQ(statistics.bytes_in, 10);
    CHECK_EQ(statistics.controls, 2);
}

static void PinPad(void)
{
    static const UCHAR power_on[10] = {0x62, 0, 0, 0, 0, 0, 1};
    static const UCHAR verify[38] = {0x69, 28, 0, 0, 0,    0,    2,    0,    0,    0,    0,    0x1E, 0x82,
                                     8,    0,  8, 4, 2,    0xFF, 9,    4,    0,    0,    0,    0,    0,
                                     0x20, 0,  1, 8, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
    struct emu_model model = ClientModel(0x000404BA);
    struct vbus_user user = {.user = {.pin = "4321", .delay_us = 1000}};
    CLIENT_TRANSFER urb;
    UCHAR reply[64];
    model.ccid[52] = 1;
    user.port = ClientPlugModel(&model, "t1");
    CHECK_STATUS(ClientControl(IOCTL_VBUS_USER, &user, sizeof user - 1, NULL, 0), STATUS_BUFFER_TOO_SMALL);
    CHECK_STATUS(ClientControl(IOCTL_VBUS_USER, &user, sizeof user, NULL, 0), STATUS_SUCCESS);
    CHECK_STATUS(ClientConfigure(), STATUS_SUCCESS);
    ClientOut(power_on, sizeof power_on);
    CHECK_STATUS(ClientTransfer(&urb, CLIENT_BULK_IN, reply, sizeof reply), STATUS_SUCCESS);
    ClientOut(verify, sizeof verify);
    CHECK_STATUS(ClientTransfer(&urb, CLIENT_BULK_IN, reply, sizeof reply), STATUS_SUCCESS);
    CHECK_EQ(urb.TransferBufferLength, 12);
    CHECK_MEM(reply + 10, "\x63\xC2", 2); // the wrong one
}

static void ManyReaders(void)
{
    enum { READERS = 64 };
    for (ULONG i = 1; i <= READERS; i++) {
        CHECK_EQ(ClientPlug("t1"), i);
    }
    CHECK_EQ(Readers(), READERS);
    for (ULONG i = 1; i <= READERS; i += 2) {
        CHECK_STATUS(ClientControl(IOCTL_VBUS_UNPLUG, &i, sizeof i, NULL, 0), STATUS_SUCCESS);
    }
    CHECK_EQ(Readers(), READERS / 2); // the rest goes with the bus
}

static void OpenLink(void *context, const char *link)
{
    nt_file *file;
    (*(ULONG *)context)++;
    CHECK_STATUS(nt_open(link, &file), STATUS_SUCCESS);
    nt_close(file);
}

static void InterfaceOfTheBus(void)
{
    static const uint8_t guid[16] = VBUS_INTERFACE_GUID;
    ULONG links = 0;
    nt_interfaces(guid, OpenLink, &links);
    CHECK_EQ(links, 1);
}

const struct WdmTest WdmTests[] = {
    {"plug and unplug", PlugAndUnplug},
    {"names", Names},
    {"a vendor class is not bound", VendorClassIsNotBound},
    {"an orderly removal keeps the reader", OrderlyRemovalKeepsTheReader},
    {"stop and start", StopAndStart},
    {"cards move", CardsMove},
    {"requests are checked", RequestsAreChecked},
    {"statistics", Statistics},
    {"PIN pad", PinPad},
    {"many readers", ManyReaders},
    {"interface of the bus", InterfaceOfTheBus},
    {NULL, NULL},
};
void (*const WdmTestSetup)(void) = ClientBoot;
void (*const WdmTestTeardown)(void) = ClientShutdown;
