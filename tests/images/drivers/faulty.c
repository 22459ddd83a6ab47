// SPDX-License-Identifier: MIT
// The example driver with hardware that is always there, and a mistake: a command with this INS writes
// through NULL.
#include <ntddk.h>
#include <smclib.h>

#define HardwareStart    ExampleStart
#define HardwareExchange ExampleExchange
#include "examples/minimal/hardware.c"
#undef HardwareStart
#undef HardwareExchange

enum { FAULTY_INS = 0xFA };

VOID HardwareStart(HARDWARE_CARD_EVENT *Event, PVOID Context);
NTSTATUS HardwareExchange(const UCHAR *Command, ULONG Length, ULONG WaitMicroseconds, PUCHAR Answer,
                          ULONG Capacity, PULONG Answered);

VOID HardwareStart(HARDWARE_CARD_EVENT *Event, PVOID Context)
{
    CardInserted = TRUE;
    ExampleStart(Event, Context);
}

NTSTATUS HardwareExchange(const UCHAR *Command, ULONG Length, ULONG WaitMicroseconds, PUCHAR Answer,
                          ULONG Capacity, PULONG Answered)
{
    ULONG ins = CardProtocol == SCARD_PROTOCOL_T1 ? 4 : 1; // of a block, of a command

    if (Length > ins && Command[ins] == FAULTY_INS) {
        *(volatile ULONG *)NULL = 0; // NOLINT(clang-analyzer-core.NullDereference): its purpose
    }
    return ExampleExchange(Command, Length, WaitMicroseconds, Answer, Capacity, Answered);
}
