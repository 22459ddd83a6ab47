// SPDX-License-Identifier: MIT
// The executive's inside: pool and workers.
#pragma once
#include <ntddk.h>

PVOID NTAPI ExAllocatePool2(ULONG64 Flags, SIZE_T Size, ULONG Tag); // newer than the headers
// The headers have it for WPP's own sources only.
NTSTATUS __cdecl WmiTraceMessage(TRACEHANDLE LoggerHandle, ULONG MessageFlags, LPGUID MessageGuid,
                                 USHORT MessageNumber, ...);

VOID ExpBootPool(BOOLEAN GuardPages);
VOID ExpShutdownPool(VOID); // verifier: what the kernel itself still has is a leak too
// Blocks charged to the driver; at most Capacity lines "tag, size, allocator" are appended to Text.
ULONG ExpDescribePool(USHORT Driver, PCHAR Text, SIZE_T Size);
// The block around an address, also a freed one that is still quarantined; FALSE: none known.
BOOLEAN ExpDescribeAddress(const VOID *Address, PCHAR Text, SIZE_T Size, BOOLEAN *Freed);
SIZE_T ExpPoolBytes(VOID); // in use; counted with the verifier only

// The lookaside list in the range or of the driver; NULL: none.
PVOID ExpFindLookaside(PVOID Start, SIZE_T Size, USHORT Driver);

PVOID ExpFindResource(PVOID Start, SIZE_T Size); // NULL: none
VOID ExpForgetResources(VOID);
BOOLEAN ExpTracingLeft(USHORT Driver); // it has not unregistered all its event providers
VOID ExpForgetTracing(USHORT Driver);
BOOLEAN ExpIsPagedPool(const VOID *Address); // known with the verifier only

VOID ExpBootWorkers(VOID);
VOID ExpShutdownWorkers(VOID); // waits for queued items
BOOLEAN ExpWorkItemRangeActive(PVOID Start, SIZE_T Size, PVOID *Object);
// As ExQueueWorkItem, charged to a driver other than the current one.
VOID ExpQueueWorkItemFor(PWORK_QUEUE_ITEM Item, WORK_QUEUE_TYPE Type, USHORT Driver);
