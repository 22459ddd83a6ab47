// SPDX-License-Identifier: MIT
// Everything at once, under the real clock: exchanges, interrupt transfers cancelled, cards moved, the reader
// unplugged. For the sanitizers; what comes of a request is not foreseeable, that it ends is.
#include "tests/vbus/client.h"

enum { ROUNDS = 300, WORKERS = 3 };

static ULONG Port;
static LONG Running;
static KEVENT AllDone;

static void Boot(void)
{
    ClientBootReal();
    Port = ClientPlug("t1");
    CHECK_STATUS(ClientConfigure(), STATUS_SUCCESS);
    KeInitializeEvent(&AllDone, NotificationEvent, FALSE);
}

static VOID Finished(VOID)
{
    if (InterlockedDecrement(&Running) == 0) {
        KeSetEvent(&AllDone, IO_NO_INCREMENT, FALSE);
    }
    (VOID) PsTerminateSystemThread(STATUS_SUCCESS);
}

static VOID NTAPI Exchanger(PVOID Context)
{
    UCHAR message[10] = {0x65}, reply[64];
    CLIENT_TRANSFER urb;
    UNREFERENCED_PARAMETER(Context);
    for (ULONG i = 0; i < ROUNDS; i++) {
        message[6] = (UCHAR)i;
        if (NT_SUCCESS(ClientTransfer(&urb, CLIENT_BULK_OUT, message, sizeof message)) &&
            NT_SUCCESS(ClientTransfer(&urb, CLIENT_BULK_IN, reply, sizeof reply))) {
            CHECK_EQ(reply[6], (UCHAR)i);
        }
    }
    Finished();
}

static VOID NTAPI Listener(PVOID Context)
{
    CLIENT_REQUEST request;
    CLIENT_TRANSFER urb;
    UCHAR data[8];
    UNREFERENCED_PARAMETER(Context);
    for (ULONG i = 0; i < ROUNDS; i++) {
        ClientFill(&urb, CLIENT_INTERRUPT, data, sizeof data);
        ClientBegin(&request, IOCTL_INTERNAL_USB_SUBMIT_URB, &urb);
        (VOID) ClientDone(&request, i % 2);
        (VOID) IoCancelIrp(request.Irp);
        (VOID) ClientEnd(&request);
    }
    Finished();
}

static VOID NTAPI Mover(PVOID Context)
{
    struct vbus_card card = {.port = Port, .name = "t0"};
    size_t returned;
    UNREFERENCED_PARAMETER(Context);
    for (ULONG i = 0; i < ROUNDS; i++) {
        ULONG code = i % 2 == 0 ? IOCTL_VBUS_REMOVE : IOCTL_VBUS_INSERT;
        (VOID) nt_device_control(ClientBus, code, &card, sizeof card, NULL, 0, &returned);
    }
    Finished();
}

static void Start(void)
{
    static const PKSTART_ROUTINE workers[WORKERS] = {Exchanger, Listener, Mover};
    HANDLE thread;
    Running = WORKERS;
    for (ULONG i = 0; i < WORKERS; i++) {
        CHECK_STATUS(PsCreateSystemThread(&thread, THREAD_ALL_ACCESS, NULL, NULL, NULL, workers[i], NULL),
                     STATUS_SUCCESS);
        CHECK_STATUS(ZwClose(thread), STATUS_SUCCESS);
    }
}

static void WaitForAll(void)
{
    (VOID) KeWaitForSingleObject(&AllDone, Executive, KernelMode, FALSE, NULL);
}

static void Together(void)
{
    Start();
    WaitForAll();
    ClientStatus(1, 1); // an even number of moves leaves the slot as it was
}

// The workers use the PDO's stack beyond its REMOVE unless somebody keeps it: the bus only reports it
// missing.
static void Unplug(void)
{
    size_t returned;
    Start();
    nt_sleep_us(3000);
    CHECK(NT_SUCCESS(IoAcquireRemoveLock(Client.Lock, NULL)));
    CHECK_STATUS(nt_device_control(ClientBus, IOCTL_VBUS_UNPLUG, &Port, sizeof Port, NULL, 0, &returned),
                 STATUS_SUCCESS);
    WaitForAll();
    IoReleaseRemoveLock(Client.Lock, NULL);
    nt_pnp_wait();
    CHECK_EQ(Client.Removes, 1);
}

const struct WdmTest WdmTests[] = {
    {"together", Together},
    {"unplugged meanwhile", Unplug},
    {NULL, NULL},
};
void (*const WdmTestSetup)(void) = Boot;
void (*const WdmTestTeardown)(void) = ClientShutdown;
