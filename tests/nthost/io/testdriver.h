// SPDX-License-Identifier: MIT
// Inside the two test drivers.
#pragma once
#include "tests/nthost/io/fixture.h"

enum { TEST_TAG = 'tseT' };

typedef struct _TEST_FN {
    PDEVICE_OBJECT Self, Pdo, Lower;
    IO_REMOVE_LOCK RemoveLock;
    UNICODE_STRING Interface;
    ULONG Number;
    BOOLEAN Surprised;
    IO_CSQ Queue;
    LIST_ENTRY QueueHead;
    KSPIN_LOCK QueueLock;
    KTIMER Timer;
    KDPC Dpc;
    PIRP Later;
    PIO_WORKITEM Work;
    PIRP SystemPower; // waits for the device power IRP
} TEST_FN;

extern DRIVER_DISPATCH TestFnPnp, TestFnPower, TestFnControl;
extern DRIVER_ADD_DEVICE TestFnAddDevice;
VOID TestFnInitializeQueue(TEST_FN *Fn);
NTSTATUS TestComplete(PIRP Irp, NTSTATUS Status);
NTSTATUS TestMisbehave(TEST_FN *Fn, PIRP Irp); // commits TestFault on TEST_NULL
