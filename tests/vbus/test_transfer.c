// SPDX-License-Identifier: MIT
// Bulk and interrupt transfers: pending, in order, cancelled, halted, and when their time has come.
#include "tests/vbus/client.h"

static ULONG Port;

static void Boot(void)
{
    ClientBoot();
    Port = ClientPlug("t1");
    CHECK_STATUS(ClientConfigure(), STATUS_SUCCESS);
}

typedef struct _PENDING {
    CLIENT_REQUEST Request;
    CLIENT_TRANSFER Urb;
    UCHAR Data[300];
} PENDING;

static void Begin(PENDING *Pending, ULONG Pipe, ULONG Length)
{
    ClientFill(&Pending->Urb, Pipe, Pending->Data, Length);
    ClientBegin(&Pending->Request, IOCTL_INTERNAL_USB_SUBMIT_URB, &Pending->Urb);
}

static NTSTATUS Pipe(USHORT Function, ULONG Pipe)
{
    struct _URB_PIPE_REQUEST urb = {.Hdr = {.Length = sizeof urb, .Function = Function}};
    urb.PipeHandle = Client.Pipes[Pipe];
    return ClientUrb(&urb);
}

static void GetSlotStatus(UCHAR Sequence)
{
    const UCHAR message[10] = {0x65, 0, 0, 0, 0, 0, Sequence};
    ClientOut(message, sizeof message);
}

static void Exchange(void)
{
    ClientStatus(7, 1);
    ClientStatus(8, 1);
}

static void InBeforeOut(void)
{
    static PENDING first, second;
    Begin(&first, CLIENT_BULK_IN, 64);
    Begin(&second, CLIENT_BULK_IN, 64);
    CHECK(!ClientDone(&first.Request, 10));
    GetSlotStatus(1);
    CHECK_STATUS(ClientEnd(&first.Request), STATUS_SUCCESS);
    CHECK_EQ(first.Data[6], 1);
    CHECK(!ClientDone(&second.Request, 10));
    GetSlotStatus(2);
    CHECK_STATUS(ClientEnd(&second.Request), STATUS_SUCCESS);
    CHECK_EQ(second.Data[6], 2);
}

static void Cancelled(void)
{
    static PENDING first, second, third;
    Begin(&first, CLIENT_BULK_IN, 64);
    Begin(&second, CLIENT_BULK_IN, 64);
    Begin(&third, CLIENT_INTERRUPT, 8);
    CHECK_STATUS(ClientEnd(&third.Request), STATUS_SUCCESS); // the card in the slot
    Begin(&third, CLIENT_INTERRUPT, 8);
    CHECK(IoCancelIrp(first.Request.Irp));
    CHECK_STATUS(ClientEnd(&first.Request), STATUS_CANCELLED);
    CHECK_EQ(first.Urb.Hdr.Status, USBD_STATUS_CANCELED);
    CHECK_EQ(first.Urb.TransferBufferLength, 0);
    GetSlotStatus(3);
    CHECK_STATUS(ClientEnd(&second.Request), STATUS_SUCCESS);
    CHECK_EQ(second.Data[6], 3);
    CHECK(IoCancelIrp(third.Request.Irp));
    CHECK_STATUS(ClientEnd(&third.Request), STATUS_CANCELLED);
}

static void Aborted(void)
{
    static PENDING in, interrupt;
    Begin(&interrupt, CLIENT_INTERRUPT, 8);
    CHECK_STATUS(ClientEnd(&interrupt.Request), STATUS_SUCCESS);
    Begin(&in, CLIENT_BULK_IN, 64);
    Begin(&interrupt, CLIENT_INTERRUPT, 8);
    CHECK_STATUS(Pipe(URB_FUNCTION_SYNC_RESET_PIPE_AND_CLEAR_STALL, CLIENT_BULK_IN),
                 STATUS_UNSUCCESSFUL); // busy
    CHECK_STATUS(Pipe(URB_FUNCTION_ABORT_PIPE, CLIENT_BULK_IN), STATUS_SUCCESS);
    CHECK_STATUS(ClientEnd(&in.Request), STATUS_CANCELLED);
    CHECK(!ClientDone(&interrupt.Request, 10)); // another pipe
    CHECK_STATUS(Pipe(URB_FUNCTION_ABORT_PIPE, CLIENT_INTERRUPT), STATUS_SUCCESS);
    CHECK_STATUS(ClientEnd(&interrupt.Request), STATUS_CANCELLED);
    CHECK_STATUS(Pipe(URB_FUNCTION_SYNC_RESET_PIPE_AND_CLEAR_STALL, CLIENT_BULK_IN), STATUS_SUCCESS);
}

static void Halted(void)
{
    CLIENT_TRANSFER urb;
    UCHAR byte = 0x65;
    CHECK_STATUS(ClientTransfer(&urb, CLIENT_BULK_OUT, &byte, 1),
                 STATUS_UNSUCCESSFUL); // no message is so short
    CHECK_EQ(urb.Hdr.Status, USBD_STATUS_STALL_PID);
    CHECK_STATUS(ClientTransfer(&urb, CLIENT_BULK_OUT, &byte, 1), STATUS_UNSUCCESSFUL);
    CHECK_EQ(urb.Hdr.Status, USBD_STATUS_ENDPOINT_HALTED); // not even tried
    CHECK_STATUS(Pipe(URB_FUNCTION_SYNC_RESET_PIPE, CLIENT_BULK_OUT), STATUS_SUCCESS);
    CHECK_STATUS(ClientTransfer(&urb, CLIENT_BULK_OUT, &byte, 1), STATUS_UNSUCCESSFUL);
    CHECK_EQ(urb.Hdr.Status, USBD_STATUS_STALL_PID); // the device's end still is
    CHECK_STATUS(Pipe(URB_FUNCTION_SYNC_CLEAR_STALL, CLIENT_BULK_OUT), STATUS_SUCCESS);
    CHECK_STATUS(ClientTransfer(&urb, CLIENT_BULK_OUT, &byte, 1), STATUS_UNSUCCESSFUL);
    CHECK_EQ(urb.Hdr.Status, USBD_STATUS_ENDPOINT_HALTED); // the host's end, now
    CHECK_STATUS(Pipe(URB_FUNCTION_SYNC_RESET_PIPE_AND_CLEAR_STALL, CLIENT_BULK_OUT), STATUS_SUCCESS);
    ClientStatus(1, 1);
}

static void Notified(void)
{
    static PENDING interrupt;
    Begin(&interrupt, CLIENT_INTERRUPT, 8);
    CHECK_STATUS(ClientEnd(&interrupt.Request), STATUS_SUCCESS);
    CHECK_EQ(interrupt.Urb.TransferBufferLength, 2);
    CHECK_MEM(interrupt.Data, "\x50\x03", 2);
    Begin(&interrupt, CLIENT_INTERRUPT, 8);
    CHECK(!ClientDone(&interrupt.Request, 1000));
    CHECK_STATUS(ClientMove(IOCTL_VBUS_REMOVE, Port, 0, NULL), STATUS_SUCCESS);
    CHECK_STATUS(ClientEnd(&interrupt.Request), STATUS_SUCCESS);
    CHECK_MEM(interrupt.Data, "\x50\x02", 2);
    Begin(&interrupt, CLIENT_INTERRUPT, 8);
    CHECK_STATUS(ClientMove(IOCTL_VBUS_INSERT, Port, 0, "t0"), STATUS_SUCCESS);
    CHECK_STATUS(ClientEnd(&interrupt.Request), STATUS_SUCCESS);
    CHECK_MEM(interrupt.Data, "\x50\x03", 2);
}

static void PowerCardOn(void)
{
    static const UCHAR power_on[10] = {0x62, 0, 0, 0, 0, 0, 1};
    CLIENT_TRANSFER urb;
    UCHAR reply[64];
    ClientOut(power_on, sizeof power_on);
    CHECK_STATUS(ClientTransfer(&urb, CLIENT_BULK_IN, reply, sizeof reply), STATUS_SUCCESS);
    CHECK_EQ(urb.TransferBufferLength, 10 + 12);
    CHECK_EQ(reply[10], 0x3B);
}

static void SlowCard(void)
{
    static const UCHAR work[14] = {0x6F, 4, 0, 0, 0, 0, 2, 0, 0, 0, 0x80, 0x10, 0x00, 0x14}; // two seconds
    static PENDING in;
    PowerCardOn();
    uint64_t begun = nt_now_us();
    ClientOut(work, sizeof work);
    Begin(&in, CLIENT_BULK_IN, 64);
    CHECK(!ClientDone(&in.Request, 900));
    CHECK_STATUS(ClientEnd(&in.Request), STATUS_SUCCESS);
    CHECK_EQ(in.Data[7], 0x80); // a time extension
    CHECK(nt_now_us() - begun < 2000000);
    Begin(&in, CLIENT_BULK_IN, 64);
    CHECK_STATUS(ClientEnd(&in.Request), STATUS_SUCCESS);
    CHECK_EQ(in.Urb.TransferBufferLength, 12);
    CHECK_MEM(in.Data + 10, "\x90\x00", 2);
    uint64_t taken = nt_now_us() - begun;
    CHECK(taken >= 2000000 && taken < 2100000);
}

static void InPieces(void)
{
    UCHAR message[10 + 118] = {0x6B, 118, 0, 0, 0, 0, 9};
    static PENDING in;
    CLIENT_TRANSFER urb;
    for (ULONG i = 10; i < sizeof message; i++) {
        message[i] = (UCHAR)i;
    }
    CHECK_STATUS(ClientTransfer(&urb, CLIENT_BULK_OUT, message, 64), STATUS_SUCCESS);
    CHECK_STATUS(ClientTransfer(&urb, CLIENT_BULK_OUT, message + 64, 64), STATUS_SUCCESS);
    Begin(&in, CLIENT_BULK_IN, 64);
    CHECK_STATUS(ClientEnd(&in.Request), STATUS_SUCCESS);
    CHECK_EQ(in.Urb.TransferBufferLength, 64);
    Begin(&in, CLIENT_BULK_IN, 300);
    CHECK_STATUS(ClientEnd(&in.Request), STATUS_SUCCESS);
    CHECK_EQ(in.Urb.TransferBufferLength, 64);
    CHECK_MEM(in.Data, message + 64, 64);
}

static void OutWaitsForRoom(void)
{
    enum { COMMANDS = 40 };
    static PENDING out[COMMANDS];
    static PENDING in;
    ULONG taken = 0;
    for (ULONG i = 0; i < COMMANDS; i++) {
        RtlZeroMemory(&out[i], sizeof out[i]);
        out[i].Data[0] = 0x65;
        out[i].Data[6] = (UCHAR)i;
        Begin(&out[i], CLIENT_BULK_OUT, 10);
    }
    while (taken < COMMANDS && ClientDone(&out[taken].Request, 0)) {
        taken++;
    }
    CHECK(taken < COMMANDS); // a reader that is not read from stops listening
    for (ULONG i = 0; i < COMMANDS; i++) {
        Begin(&in, CLIENT_BULK_IN, 64);
        CHECK_STATUS(ClientEnd(&in.Request), STATUS_SUCCESS);
        CHECK_EQ(in.Data[6], i);
    }
    for (ULONG i = 0; i < COMMANDS; i++) {
        CHECK_STATUS(ClientEnd(&out[i].Request), STATUS_SUCCESS);
    }
}

static IO_COMPLETION_ROUTINE Again;
static CLIENT_TRANSFER AgainUrb;
static UCHAR AgainData[64];
static ULONG AgainCount, AgainDepth, AgainDeepest;

// Submits itself from its completion routine, as continuous readers do: the stack must not grow with it.
static void Resubmit(PIRP Irp)
{
    PIO_STACK_LOCATION stack;
    IoReuseIrp(Irp, STATUS_NOT_SUPPORTED);
    stack = IoGetNextIrpStackLocation(Irp);
    stack->MajorFunction = IRP_MJ_INTERNAL_DEVICE_CONTROL;
    stack->Parameters.DeviceIoControl.IoControlCode = IOCTL_INTERNAL_USB_SUBMIT_URB;
    stack->Parameters.Others.Argument1 = &AgainUrb;
    ClientFill(&AgainUrb, CLIENT_BULK_OUT, AgainData, 0);
    IoSetCompletionRoutine(Irp, Again, NULL, TRUE, TRUE, TRUE);
    (VOID) IoCallDriver(Client.Lower, Irp);
}

static NTSTATUS NTAPI Again(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Context);
    CHECK_EQ(KeGetCurrentIrql(), DISPATCH_LEVEL);
    AgainDepth++;
    AgainDeepest = max(AgainDeepest, AgainDepth);
    if (++AgainCount < 10000) {
        Resubmit(Irp);
    }
    AgainDepth--;
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static void CompletionsDoNotNest(void)
{
    PIRP irp = IoAllocateIrp(Client.Lower->StackSize, FALSE);
    CHECK(irp != NULL);
    if (irp == NULL) {
        return;
    }
    Resubmit(irp); // an empty packet is always taken
    CHECK_EQ(AgainCount, 10000);
    CHECK_EQ(AgainDeepest, 1);
    IoFreeIrp(irp);
}

static void Unplugged(void)
{
    static PENDING in, interrupt;
    Begin(&interrupt, CLIENT_INTERRUPT, 8);
    CHECK_STATUS(ClientEnd(&interrupt.Request), STATUS_SUCCESS);
    Begin(&in, CLIENT_BULK_IN, 64);
    Begin(&interrupt, CLIENT_INTERRUPT, 8);
    size_t returned;
    CHECK_STATUS(nt_device_control(ClientBus, IOCTL_VBUS_UNPLUG, &Port, sizeof Port, NULL, 0, &returned),
                 STATUS_SUCCESS);
    CHECK_STATUS(ClientEnd(&in.Request), STATUS_DEVICE_NOT_CONNECTED);
    CHECK_EQ(in.Urb.Hdr.Status, USBD_STATUS_DEVICE_GONE);
    CHECK_STATUS(ClientEnd(&interrupt.Request), STATUS_DEVICE_NOT_CONNECTED);
    nt_pnp_wait();
    CHECK(Client.Surprised);
    CHECK_EQ(Client.Removes, 1);
}

const struct WdmTest WdmTests[] = {
    {"exchange", Exchange},
    {"IN before OUT", InBeforeOut},
    {"cancelled", Cancelled},
    {"aborted", Aborted},
    {"halted", Halted},
    {"notified", Notified},
    {"slow card", SlowCard},
    {"in pieces", InPieces},
    {"OUT waits for room", OutWaitsForRoom},
    {"completions do not nest", CompletionsDoNotNest},
    {"unplugged", Unplugged},
    {NULL, NULL},
};
void (*const WdmTestSetup)(void) = Boot;
void (*const WdmTestTeardown)(void) = ClientShutdown;
