// SPDX-License-Identifier: MIT
// What the files of the library share. Nothing global: all state hangs off the extension, because the
// library's own DriverEntry is not called when another driver imports it.
#pragma once
#include <ntddk.h>
#include "include/smclib.h"
#include "smclib/choices.h"

#define SMC_TAG_SLOTS     16
#define SMC_T1_LIMIT_WTX  0xFFFF
#define SMC_T1_LIMIT_IDLE 32
#define SMC_MAXIMUM_REPLY (65536 + 2)

typedef enum _SMC_T1_SENT {
    SmcT1SentNothing,
    SmcT1SentI,
    SmcT1SentR,
    SmcT1SentRequest,
    SmcT1SentResponse
} SMC_T1_SENT;

// What T=1 needs beyond T1_DATA, whose layout is public.
typedef struct _SMC_T1 {
    PUCHAR ReplyData; // owner of T1_DATA.ReplyData
    ULONG ReplySize;
    ULONG ReplyLimit;      // what the client's buffer leaves for data in this command
    SMC_T1_SENT Sent;      // kind of the last block
    UCHAR ResponsePcb;     // last S-response, so that it can be repeated
    UCHAR SupervisoryInf;  // INF byte of the S-response to send
    UCHAR IfsAsked;        // INF byte of our S(IFS request)
    BOOLEAN ReplyExpected; // SmartcardT1Request ran, SmartcardT1Reply did not yet
    BOOLEAN CommandSent;   // an I-block of this command is out
    BOOLEAN Silent;        // nothing at all came back in this command
    BOOLEAN Aborted;       // the card asked to abort: its next valid block ends the command
    BOOLEAN SuppressIfs;   // SCARD_ATTR_SUPRESS_T1_IFS_REQUEST
    USHORT WtxCount;       // since the last progress
    USHORT IdleCount;      // exchanges without progress that the card may repeat
} SMC_T1, *PSMC_T1;

typedef struct _SMC_TAG {
    LIST_ENTRY Link;
    ULONG Tag;
    LONG Count;
} SMC_TAG, *PSMC_TAG;

typedef struct _SMC_PRIVATE {
    OS_DEP_DATA OsData;               // first: drivers see only this
    PDEVICE_OBJECT DebugDeviceObject; // where a driver built with DEBUG_INTERFACE expects it
    PUCHAR RequestBuffer;             // drivers move the public pointers, so these are the ones to free
    PUCHAR ReplyBuffer;
    ULONG RequestSize;
    ULONG ReplySize;
    ULONG IdleInformation;   // target of IoRequest.Information between requests
    UCHAR ProtocolReply[64]; // a driver may copy a whole ATR into the reply of SET_PROTOCOL
    KSPIN_LOCK TagLock;
    SMC_TAG Tags[SMC_TAG_SLOTS];
    SMC_T1 T1;
} SMC_PRIVATE, *PSMC_PRIVATE;

static inline PSMC_PRIVATE SmcPrivateOf(_In_ PSMARTCARD_EXTENSION Ext)
{
    return CONTAINING_RECORD(Ext->OsData, SMC_PRIVATE, OsData);
}

_IRQL_requires_max_(DISPATCH_LEVEL)
ULONG SmcStateGet(_In_ PSMARTCARD_EXTENSION Ext);

// init.c
VOID SmcRequestIdle(_Inout_ PSMARTCARD_EXTENSION Ext);

// card.c
extern const PCLOCK_RATE_CONVERSION SmcClockRates;
extern const PBIT_RATE_ADJUSTMENT SmcBitRates;

// pci.c: the header in front of the data of a transmit request and its reply
_Must_inspect_result_
NTSTATUS SmcPciCommand(_In_ PSMARTCARD_EXTENSION Ext, _Out_ PUCHAR *Data, _Out_ PULONG Length);
_Must_inspect_result_
NTSTATUS SmcPciReply(_Inout_ PSMARTCARD_EXTENSION Ext, _In_reads_bytes_(Length) const UCHAR *Data,
                     _In_ ULONG Length);
_Must_inspect_result_
BOOLEAN SmcRequestFits(_In_ PSMARTCARD_EXTENSION Ext, _In_ ULONG Length);

// t1.c, t1reply.c
VOID SmcT1Reset(_Inout_ PSMARTCARD_EXTENSION Ext);
VOID SmcT1BeginCommand(_Inout_ PSMARTCARD_EXTENSION Ext);
VOID SmcT1FreeReply(_Inout_ PSMARTCARD_EXTENSION Ext);

// removelock.c
VOID SmcRemoveLockInitialize(_Inout_ PSMARTCARD_EXTENSION Ext);
