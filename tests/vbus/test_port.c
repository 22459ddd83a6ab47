// SPDX-License-Identifier: MIT
// Ports and power: reset, cycle, selective suspend, wake-up.
#include "tests/vbus/client.h"

typedef VOID NTAPI IDLE_CALLBACK(PVOID Context);

static ULONG Port;

static void Boot(void)
{
    ClientBoot();
    Port = ClientPlug("t1");
    CHECK_STATUS(ClientConfigure(), STATUS_SUCCESS);
}

static REQUEST_POWER_COMPLETE PowerDone;
static NTSTATUS PowerStatus;

static VOID NTAPI PowerDone(PDEVICE_OBJECT DeviceObject, UCHAR MinorFunction, POWER_STATE PowerState,
                            PVOID Context, PIO_STATUS_BLOCK IoStatus)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(MinorFunction);
    UNREFERENCED_PARAMETER(PowerState);
    PowerStatus = IoStatus->Status;
    KeSetEvent(Context, IO_NO_INCREMENT, FALSE);
}

static NTSTATUS Power(DEVICE_POWER_STATE State)
{
    POWER_STATE power = {.DeviceState = State};
    KEVENT done;
    KeInitializeEvent(&done, NotificationEvent, FALSE);
    CHECK_STATUS(PoRequestPowerIrp(Client.Pdo, IRP_MN_SET_POWER, power, PowerDone, &done, NULL),
                 STATUS_PENDING);
    (VOID) KeWaitForSingleObject(&done, Executive, KernelMode, FALSE, NULL);
    return PowerStatus;
}

static void PowerCardOn(void)
{
    static const UCHAR power_on[10] = {0x62, 0, 0, 0, 0, 0, 1};
    CLIENT_TRANSFER urb;
    UCHAR reply[64];
    ClientOut(power_on, sizeof power_on);
    CHECK_STATUS(ClientTransfer(&urb, CLIENT_BULK_IN, reply, sizeof reply), STATUS_SUCCESS);
}

static void Reset(void)
{
    CLIENT_REQUEST request;
    CLIENT_TRANSFER urb;
    UCHAR reply[64];
    PowerCardOn();
    ClientStatus(2, 0);
    ClientFill(&urb, CLIENT_BULK_IN, reply, sizeof reply);
    ClientBegin(&request, IOCTL_INTERNAL_USB_SUBMIT_URB, &urb);
    CHECK_STATUS(ClientSend(IOCTL_INTERNAL_USB_RESET_PORT, NULL), STATUS_SUCCESS);
    CHECK_STATUS(ClientEnd(&request), STATUS_CANCELLED);
    ClientStatus(3, 1); // configured as before, but the card has lost its power
}

static void Status(void)
{
    ULONG status = 0;
    CHECK_STATUS(ClientSend(IOCTL_INTERNAL_USB_GET_PORT_STATUS, &status), STATUS_SUCCESS);
    CHECK_EQ(status, USBD_PORT_ENABLED | USBD_PORT_CONNECTED);
    CHECK_STATUS(ClientSend(IOCTL_INTERNAL_USB_GET_PORT_STATUS, NULL), STATUS_INVALID_PARAMETER);
}

static void Cycle(void)
{
    CHECK_STATUS(ClientMove(IOCTL_VBUS_REMOVE, Port, 0, NULL), STATUS_SUCCESS);
    CHECK_STATUS(ClientMove(IOCTL_VBUS_INSERT, Port, 0, "t0"), STATUS_SUCCESS);
    CHECK_STATUS(ClientSend(IOCTL_INTERNAL_USB_CYCLE_PORT, NULL), STATUS_SUCCESS);
    nt_pnp_wait();
    CHECK(Client.Surprised);
    CHECK_EQ(Client.Removes, 1);
    CHECK_EQ(Client.Adds, 2); // the same reader in the same port
    CHECK_STATUS(ClientConfigure(), STATUS_SUCCESS);
    ClientStatus(1, 1); // with its card
    CHECK_STATUS(ClientControl(IOCTL_VBUS_UNPLUG, &Port, sizeof Port, NULL, 0), STATUS_SUCCESS);
    CHECK_EQ(Client.Adds, 2);
}

static void PortSuspended(void)
{
    CLIENT_REQUEST request;
    CLIENT_TRANSFER urb;
    UCHAR reply[64];
    PowerCardOn();
    ClientFill(&urb, CLIENT_BULK_IN, reply, sizeof reply);
    ClientBegin(&request, IOCTL_INTERNAL_USB_SUBMIT_URB, &urb);
    CHECK_STATUS(Power(PowerDeviceD3), STATUS_SUCCESS);
    CHECK_STATUS(ClientEnd(&request), STATUS_CANCELLED);
    CHECK_STATUS(ClientTransfer(&urb, CLIENT_BULK_IN, reply, sizeof reply), STATUS_UNSUCCESSFUL);
    CHECK_EQ(urb.Hdr.Status, USBD_STATUS_DEV_NOT_RESPONDING);
    CHECK_STATUS(Power(PowerDeviceD0), STATUS_SUCCESS);
    ClientStatus(2, 1); // pipes and configuration live on, the card has lost its power
    CHECK_STATUS(ClientTransfer(&urb, CLIENT_INTERRUPT, reply, 8), STATUS_SUCCESS);
    CHECK_MEM(reply, "\x50\x03", 2); // and is announced again
}

static PIRP WaitIrp;
static NTSTATUS WaitWake(PKEVENT Done)
{
    POWER_STATE power = {.SystemState = PowerSystemSleeping3};
    KeInitializeEvent(Done, NotificationEvent, FALSE);
    return PoRequestPowerIrp(Client.Pdo, IRP_MN_WAIT_WAKE, power, PowerDone, Done, &WaitIrp);
}

static BOOLEAN Signalled(PKEVENT Event)
{
    LARGE_INTEGER second = {.QuadPart = -10000000};
    return KeWaitForSingleObject(Event, Executive, KernelMode, FALSE, &second) == STATUS_SUCCESS;
}

static void WokenByCard(void)
{
    CLIENT_TRANSFER urb;
    UCHAR reply[8];
    KEVENT done;
    CHECK_STATUS(ClientTransfer(&urb, CLIENT_INTERRUPT, reply, sizeof reply), STATUS_SUCCESS);
    CHECK_STATUS(WaitWake(&done), STATUS_PENDING);
    CHECK_STATUS(Power(PowerDeviceD2), STATUS_SUCCESS);
    CHECK(!Signalled(&done));
    CHECK_STATUS(ClientMove(IOCTL_VBUS_REMOVE, Port, 0, NULL), STATUS_SUCCESS);
    CHECK(Signalled(&done));
    CHECK_STATUS(PowerStatus, STATUS_SUCCESS);
    CHECK_STATUS(Power(PowerDeviceD0), STATUS_SUCCESS);
    ClientStatus(1, 2);
    // What nobody has heard of before the suspend is told by waking, too.
    CHECK_STATUS(ClientMove(IOCTL_VBUS_INSERT, Port, 0, "t0"), STATUS_SUCCESS);
    CHECK_STATUS(WaitWake(&done), STATUS_PENDING);
    CHECK_STATUS(Power(PowerDeviceD2), STATUS_SUCCESS);
    CHECK(Signalled(&done));
    CHECK_STATUS(Power(PowerDeviceD0), STATUS_SUCCESS);
}

static void WaitWakeEnds(void)
{
    KEVENT done;
    CHECK_STATUS(WaitWake(&done), STATUS_PENDING);
    CHECK_STATUS(ClientMove(IOCTL_VBUS_REMOVE, Port, 0, NULL), STATUS_SUCCESS);
    CHECK(!Signalled(&done)); // awake
    CHECK(IoCancelIrp(WaitIrp));
    CHECK(Signalled(&done));
    CHECK_STATUS(PowerStatus, STATUS_CANCELLED);
    CHECK_STATUS(WaitWake(&done), STATUS_PENDING);
    CHECK_STATUS(ClientControl(IOCTL_VBUS_UNPLUG, &Port, sizeof Port, NULL, 0), STATUS_SUCCESS);
    CHECK(Signalled(&done));
    CHECK_STATUS(PowerStatus, STATUS_CANCELLED);
}

static void NoWakeUp(void)
{
    struct emu_model model = ClientModel(0x000404BA);
    KEVENT done;
    ClientPlugModel(&model, NULL);
    CHECK_STATUS(WaitWake(&done), STATUS_PENDING);
    CHECK(Signalled(&done));
    CHECK_STATUS(PowerStatus, STATUS_NOT_SUPPORTED);
}

static ULONG Idles;

// As a function driver does: goes to sleep from here and waits for it.
static VOID NTAPI GoIdle(PVOID Context)
{
    CHECK(Context == &Idles);
    CHECK_EQ(KeGetCurrentIrql(), PASSIVE_LEVEL);
    CHECK_STATUS(Power(PowerDeviceD2), STATUS_SUCCESS);
    Idles++;
}

static void SelectiveSuspend(void)
{
    USB_IDLE_CALLBACK_INFO info = {(USB_IDLE_CALLBACK)(PVOID)GoIdle, &Idles};
    CLIENT_REQUEST idle, second;
    Idles = 0;
    ClientBegin(&idle, IOCTL_INTERNAL_USB_SUBMIT_IDLE_NOTIFICATION, &info);
    ClientBegin(&second, IOCTL_INTERNAL_USB_SUBMIT_IDLE_NOTIFICATION, &info);
    CHECK_STATUS(ClientEnd(&second), STATUS_DEVICE_BUSY);
    CHECK(!ClientDone(&idle, 1000));
    CHECK_EQ(Idles, 1);
    CHECK_STATUS(Power(PowerDeviceD0), STATUS_SUCCESS);
    CHECK_STATUS(ClientEnd(&idle), STATUS_SUCCESS);
    ClientStatus(1, 1);
    info.IdleCallback = NULL;
    CHECK_STATUS(ClientSend(IOCTL_INTERNAL_USB_SUBMIT_IDLE_NOTIFICATION, &info), STATUS_INVALID_PARAMETER);
}

static void IdleRequestCancelled(void)
{
    USB_IDLE_CALLBACK_INFO info = {(USB_IDLE_CALLBACK)(PVOID)GoIdle, &Idles};
    CLIENT_REQUEST idle;
    Idles = 0;
    ClientBegin(&idle, IOCTL_INTERNAL_USB_SUBMIT_IDLE_NOTIFICATION, &info);
    CHECK(IoCancelIrp(idle.Irp));
    CHECK_STATUS(ClientEnd(&idle), STATUS_CANCELLED);
    nt_sleep_us(1000000);
    CHECK_EQ(Idles, 0);
    ClientStatus(1, 1);
}

static void SystemSleeps(void)
{
    for (enum nt_system_power state = NT_POWER_S1; state <= NT_POWER_S4; state++) {
        CHECK_STATUS(nt_system_power(state), STATUS_SUCCESS);
        CHECK_STATUS(nt_system_power(NT_POWER_S0), STATUS_SUCCESS);
        ClientStatus((UCHAR)state, 1);
    }
}

static void Capabilities(void)
{
    DEVICE_CAPABILITIES caps = {.Size = sizeof caps, .Version = 1, .Address = MAXULONG, .UINumber = MAXULONG};
    KEVENT done;
    IO_STATUS_BLOCK io;
    KeInitializeEvent(&done, NotificationEvent, FALSE);
    PIRP irp = IoBuildSynchronousFsdRequest(IRP_MJ_PNP, Client.Lower, NULL, 0, NULL, &done, &io);
    CHECK(irp != NULL);
    if (irp == NULL) {
        return;
    }
    irp->IoStatus.Status = STATUS_NOT_SUPPORTED;
    PIO_STACK_LOCATION stack = IoGetNextIrpStackLocation(irp);
    stack->MinorFunction = IRP_MN_QUERY_CAPABILITIES;
    stack->Parameters.DeviceCapabilities.Capabilities = &caps;
    CHECK_STATUS(IoCallDriver(Client.Lower, irp), STATUS_SUCCESS);
    CHECK(caps.Removable && caps.DeviceD2 && caps.WakeFromD2 && caps.UniqueID && !caps.SurpriseRemovalOK);
    CHECK_EQ(caps.Address, Port);
    CHECK_EQ(caps.DeviceState[PowerSystemWorking], PowerDeviceD0);
    CHECK_EQ(caps.DeviceState[PowerSystemSleeping3], PowerDeviceD2);
    CHECK_EQ(caps.DeviceState[PowerSystemHibernate], PowerDeviceD3);
    CHECK_EQ(caps.DeviceWake, PowerDeviceD2);
}

const struct WdmTest WdmTests[] = {
    {"reset", Reset},
    {"status", Status},
    {"cycle", Cycle},
    {"suspended", PortSuspended},
    {"woken by a card", WokenByCard},
    {"wait/wake ends", WaitWakeEnds},
    {"no wake-up", NoWakeUp},
    {"selective suspend", SelectiveSuspend},
    {"idle request cancelled", IdleRequestCancelled},
    {"the system sleeps", SystemSleeps},
    {"capabilities", Capabilities},
    {NULL, NULL},
};
void (*const WdmTestSetup)(void) = Boot;
void (*const WdmTestTeardown)(void) = ClientShutdown;
