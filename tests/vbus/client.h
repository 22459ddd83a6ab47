// SPDX-License-Identifier: MIT
// A kernel with lectvbus and, on top of its readers, a function driver that only forwards: the tests send
// their own requests to the PDO through it.
#pragma once
#include <ntddk.h>
#include <usb.h>
#ifndef FILE_DEVICE_USB
#define FILE_DEVICE_USB FILE_DEVICE_UNKNOWN
#endif
#include <usbioctl.h>
#include <usbdlib.h>

#include "nthost/user/nthost.h"
#include "tests/support/wdmtest.h"
#include "vbus/vbusioctl.h"

enum { CLIENT_PIPES = 3, CLIENT_BULK_OUT = 0, CLIENT_BULK_IN = 1, CLIENT_INTERRUPT = 2 };

typedef struct _CLIENT { // of the reader plugged last
    PDEVICE_OBJECT Self, Pdo, Lower;
    PIO_REMOVE_LOCK Lock; // REMOVE waits for it
    BOOLEAN Surprised;
    ULONG Adds, Removes;
    USBD_CONFIGURATION_HANDLE Configuration;
    USBD_PIPE_HANDLE Pipes[CLIENT_PIPES];
} CLIENT;

extern CLIENT Client;
extern nt_file *ClientBus;

void ClientBoot(void);     // virtual clock
void ClientBootReal(void); // real clock: threads run freely
void ClientShutdown(void);

struct emu_model ClientModel(ULONG Features); // one slot, 271-byte messages
ULONG ClientPlugModel(const struct emu_model *Model, const char *Card);
ULONG ClientPlug(const char *Card); // extended APDU level, remote wake-up; Card NULL: none
nt_status ClientControl(ULONG Code, const void *Input, size_t InputLength, void *Output, size_t OutputLength);
nt_status ClientMove(ULONG Code, ULONG Port, ULONG Slot, const char *Card);

// A request to the PDO's stack. Begin, then end exactly once: waits, returns the status.
typedef struct _CLIENT_REQUEST {
    PIRP Irp;
    KEVENT Done;
} CLIENT_REQUEST;

VOID ClientBegin(CLIENT_REQUEST *Request, ULONG Code, PVOID Argument);
BOOLEAN ClientDone(CLIENT_REQUEST *Request, LONG Milliseconds); // waits at most that long
NTSTATUS ClientEnd(CLIENT_REQUEST *Request);
NTSTATUS ClientSend(ULONG Code, PVOID Argument);
NTSTATUS ClientUrb(PVOID Urb);

typedef struct _URB_BULK_OR_INTERRUPT_TRANSFER CLIENT_TRANSFER;
VOID ClientFill(CLIENT_TRANSFER *Urb, ULONG Pipe, PVOID Buffer, ULONG Length);
NTSTATUS ClientTransfer(CLIENT_TRANSFER *Urb, ULONG Pipe, PVOID Buffer, ULONG Length);
NTSTATUS ClientConfigure(VOID);                    // selects the configuration, fills in Client.Pipes
VOID ClientStatus(UCHAR Sequence, UCHAR Expected); // GetSlotStatus and its answer's bStatus
VOID ClientOut(const VOID *Message, ULONG Length); // must be taken
