// SPDX-License-Identifier: MIT
// The smart card driver library as a reader driver sees it. Include wdm.h or ntddk.h first.
// Layouts and values are fixed by existing binaries; smclib/abi.c asserts every one of them.
#ifndef _SMCLIB_
#define _SMCLIB_
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

#ifndef DRIVER_NAME
#define DRIVER_NAME "SMCLIB"
#endif

#if (defined(DBG) && DBG) || (defined(DEBUG) && DEBUG)
#undef DBG
#undef DEBUG
#define DBG   1
#define DEBUG 1
#endif

#ifdef _SMCLIBSYSTEM_
#define SMCLIBAPI
#else
#define SMCLIBAPI DECLSPEC_IMPORT
#endif

#ifndef SMART_CARD_READER_GUID_DEFINED
#define SMART_CARD_READER_GUID_DEFINED
#include <initguid.h>
DEFINE_GUID(SmartCardReaderGuid, 0x50DD5230, 0xBA8A, 0x11D1, 0xBF, 0x5D, 0x00, 0x00, 0xF8, 0x05, 0xF5, 0x30);
#endif

#define SMCLIB_VERSION          0x150
#define SMCLIB_VERSION_REQUIRED 0x100

#define MAXIMUM_ATR_CODES          4
#define MAXIMUM_ATR_LENGTH         33
#define MAXIMUM_ATTR_STRING_LENGTH 32
#define MAXIMUM_SMARTCARD_READERS  10
#define MIN_BUFFER_SIZE            288

#define RDF_CARD_POWER      0
#define RDF_TRANSMIT        1
#define RDF_CARD_EJECT      2
#define RDF_READER_SWALLOW  3
#define RDF_CARD_TRACKING   4
#define RDF_SET_PROTOCOL    5
#define RDF_DEBUG_LEVEL     6
#define RDF_CARD_CONFISCATE 7
#define RDF_IOCTL_VENDOR    8
#define RDF_ATR_PARSE       9

#define T1_INIT             0
#define T1_START            1
#define T1_I_BLOCK          2
#define T1_R_BLOCK          3
#define T1_RESTART          4
#define T1_RESYNCH_REQUEST  0xC0
#define T1_RESYNCH_RESPONSE 0xE0
#define T1_IFS_REQUEST      0xC1
#define T1_IFS_RESPONSE     0xE1
#define T1_ABORT_REQUEST    0xC2
#define T1_ABORT_RESPONSE   0xE2
#define T1_WTX_REQUEST      0xC3
#define T1_WTX_RESPONSE     0xE3
#define T1_VPP_ERROR        0xE4

#define T1_IFSD         254
#define T1_IFSD_DEFAULT 32
#define T1_MAX_RETRIES  2
#define T1_MORE_DATA    0x20
#define T1_ERROR_CHKSUM 0x01
#define T1_ERROR_OTHER  0x02
#define T1_CRC_CHECK    1
#define T1_CWI_DEFAULT  13
#define T1_BWI_DEFAULT  4

typedef struct _SMARTCARD_EXTENSION *PSMARTCARD_EXTENSION;
typedef struct _READER_EXTENSION *PREADER_EXTENSION; // the driver defines it
typedef struct _OS_DEP_DATA *POS_DEP_DATA;

typedef struct _CLOCK_RATE_CONVERSION {
    const ULONG F;
    const ULONG fs; // Hz, unlike every other clock here
} CLOCK_RATE_CONVERSION, *PCLOCK_RATE_CONVERSION;

typedef struct _BIT_RATE_ADJUSTMENT {
    const ULONG DNumerator;
    const ULONG DDivisor;
} BIT_RATE_ADJUSTMENT, *PBIT_RATE_ADJUSTMENT;

#ifdef _ISO_TABLES_
// ISO 7816-3:1997 tables 7 and 8; zero marks a reserved index.
static CLOCK_RATE_CONVERSION ClockRateConversion[] = {
    {372, 4000000},   {372, 5000000},   {558, 6000000}, {744, 8000000}, {1116, 12000000}, {1488, 16000000},
    {1860, 20000000}, {0, 0},           {0, 0},         {512, 5000000}, {768, 7500000},   {1024, 10000000},
    {1536, 15000000}, {2048, 20000000}, {0, 0},         {0, 0},
};
static BIT_RATE_ADJUSTMENT BitRateAdjustment[] = {
    {0, 0},  {1, 1},  {2, 1}, {4, 1}, {8, 1}, {16, 1}, {32, 1}, {64, 1},
    {12, 1}, {20, 1}, {0, 0}, {0, 0}, {0, 0}, {0, 0},  {0, 0},  {0, 0},
};
#endif

typedef struct _VENDOR_ATTR {
    struct {
        USHORT Length;
        UCHAR Buffer[MAXIMUM_ATTR_STRING_LENGTH];
    } VendorName;
    struct {
        USHORT Length;
        UCHAR Buffer[MAXIMUM_ATTR_STRING_LENGTH];
    } IfdType;
    ULONG UnitNo;
    struct {
        USHORT BuildNumber;
        UCHAR VersionMinor;
        UCHAR VersionMajor;
    } IfdVersion;
    struct {
        USHORT Length;
        UCHAR Buffer[MAXIMUM_ATTR_STRING_LENGTH];
    } IfdSerialNo;
    ULONG Reserved[25];
} VENDOR_ATTR, *PVENDOR_ATTR;

typedef struct _PTS_DATA {
#define PTS_TYPE_DEFAULT 0x00
#define PTS_TYPE_OPTIMAL 0x01
#define PTS_TYPE_USER    0x02
    UCHAR Type; // in: the driver may set it, the library keeps it
    UCHAR Fl;   // indices for PPS1
    UCHAR Dl;
    ULONG CLKFrequency; // kHz
    ULONG DataRate;     // bit/s
    UCHAR StopBits;     // 1 when the card asks for N = 255
} PTS_DATA, *PPTS_DATA;

typedef struct _SCARD_CARD_CAPABILITIES {
    BOOLEAN InversConvention; // TRUE: the card's bytes arrive inverse-coded, the library inverts
    ULONG etu;                // us
    struct {
        UCHAR Buffer[64];
        UCHAR Length;
    } ATR; // under SpinLock
    struct {
        UCHAR Buffer[16];
        UCHAR Length;
    } HistoricalChars;
    PCLOCK_RATE_CONVERSION ClockRateConversion; // 16 entries
    PBIT_RATE_ADJUSTMENT BitRateAdjustment;     // 16 entries
    UCHAR Fl;
    UCHAR Dl;
    UCHAR II; // mA
    UCHAR P;  // 0.1 V
    UCHAR N;
    ULONG GT; // us, the extra part only
    struct {
        ULONG Supported;
        ULONG Selected;
    } Protocol;
    struct {
        UCHAR WI;
        ULONG WT; // us
    } T0;
    struct {
        UCHAR IFSC;
        UCHAR CWI;
        UCHAR BWI;
        UCHAR EDC;
        ULONG CWT; // us
        ULONG BWT; // us
        ULONG BGT; // us
    } T1;
    PTS_DATA PtsData;
    UCHAR Reserved[100 - sizeof(PTS_DATA)];
} SCARD_CARD_CAPABILITIES, *PSCARD_CARD_CAPABILITIES;

typedef struct _SCARD_READER_CAPABILITIES {
    ULONG SupportedProtocols;
    ULONG Reserved;
    ULONG ReaderType;
    ULONG MechProperties;
    ULONG CurrentState; // under SpinLock
    ULONG Channel;
    struct {
        ULONG Default;
        ULONG Max;
    } CLKFrequency; // kHz
    struct {
        ULONG Default;
        ULONG Max;
    } DataRate; // bit/s
    ULONG MaxIFSD;
    ULONG PowerMgmtSupport;
    ULONG CardConfiscated;
    struct _DataRatesSupported {
        PULONG List;
        UCHAR Entries;
    } DataRatesSupported;
    struct _CLKFrequenciesSupported {
        PULONG List;
        UCHAR Entries;
    } CLKFrequenciesSupported;
    UCHAR Reserved1[100 - sizeof(ULONG) - sizeof(struct _DataRatesSupported) -
                    sizeof(struct _CLKFrequenciesSupported)];
} SCARD_READER_CAPABILITIES, *PSCARD_READER_CAPABILITIES;

typedef struct _SMARTCARD_REQUEST {
    PUCHAR Buffer;
    ULONG BufferSize;
    ULONG BufferLength; // in: bytes to leave free in front; out: bytes to send
} SMARTCARD_REQUEST, *PSMARTCARD_REQUEST;

typedef struct _SMARTCARD_REPLY {
    PUCHAR Buffer;
    ULONG BufferSize;
    ULONG BufferLength; // set by the driver: bytes received
} SMARTCARD_REPLY, *PSMARTCARD_REPLY;

typedef struct _T0_DATA {
    ULONG Lc;
    ULONG Le; // without SW1 SW2
} T0_DATA, *PT0_DATA;

typedef struct _T1_DATA {
    UCHAR IFSC;
    UCHAR IFSD;
    ULONG BytesReceived;
    ULONG BytesSent;
    ULONG BytesToSend;
    UCHAR LastError;
    BOOLEAN MoreData;
    UCHAR NAD; // the driver sets it before each SmartcardT1Request
    ULONG OriginalState;
    UCHAR Resend;
    UCHAR Resynch;
    UCHAR RSN;
    UCHAR SSN;
    ULONG State;
    UCHAR Wtx; // not 0: allow Wtx * BWT for the next block
    PUCHAR ReplyData;
    BOOLEAN WaitForReply;
    UCHAR InfBytesSent;
#ifndef _WIN64
    UCHAR Reserved[10 - sizeof(PUCHAR) - sizeof(BOOLEAN) - sizeof(UCHAR)];
#endif
} T1_DATA, *PT1_DATA;

typedef struct _T1_BLOCK_FRAME {
    UCHAR Nad;
    UCHAR Pcb;
    UCHAR Len;
    PUCHAR Inf;
} T1_BLOCK_FRAME, *PT1_BLOCK_FRAME;

typedef union _LENGTH {
    struct {
        ULONG l0;
    } l;
    struct {
        UCHAR b0;
        UCHAR b1;
        UCHAR b2;
        UCHAR b3;
    } b;
} LENGTH, *PLENGTH;

#if defined(DEBUG) && DEBUG
typedef struct _PERF_INFO {
    ULONG NumTransmissions;
    ULONG BytesSent;
    ULONG BytesReceived;
    LARGE_INTEGER IoTickCount;
    LARGE_INTEGER TickStart;
    LARGE_INTEGER TickEnd;
} PERF_INFO, *PPERF_INFO;
#endif

typedef NTSTATUS(NTAPI *PSMARTCARD_READER_FUNCTION)(PSMARTCARD_EXTENSION SmartcardExtension);

typedef struct _SMARTCARD_EXTENSION {
    ULONG Version;
    VENDOR_ATTR VendorAttr;
    PSMARTCARD_READER_FUNCTION ReaderFunction[16];
    SCARD_CARD_CAPABILITIES CardCapabilities;
    ULONG LastError;
    struct {
        PULONG Information;
        PUCHAR RequestBuffer;
        ULONG RequestBufferLength;
        PUCHAR ReplyBuffer;
        ULONG ReplyBufferLength;
    } IoRequest;
    ULONG MajorIoControlCode;
    ULONG MinorIoControlCode;
    POS_DEP_DATA OsData;
    SCARD_READER_CAPABILITIES ReaderCapabilities;
    PREADER_EXTENSION ReaderExtension;
    SMARTCARD_REPLY SmartcardReply;
    SMARTCARD_REQUEST SmartcardRequest;
    T0_DATA T0;
    T1_DATA T1;
#if defined(DEBUG) && DEBUG
    PPERF_INFO PerfInfo;
    ULONG Reserved[25 - sizeof(PPERF_INFO)];
#else
    ULONG Reserved[25];
#endif
} SMARTCARD_EXTENSION;

#include "smcnt.h"
#include "winsmcrd.h"

_Must_inspect_result_
_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS SMCLIBAPI NTAPI SmartcardInitialize(_Inout_ PSMARTCARD_EXTENSION SmartcardExtension);

_IRQL_requires_max_(PASSIVE_LEVEL)
VOID SMCLIBAPI NTAPI SmartcardExit(_Inout_ PSMARTCARD_EXTENSION SmartcardExtension);

_IRQL_requires_max_(DISPATCH_LEVEL)
VOID SMCLIBAPI NTAPI SmartcardInitializeCardCapabilities(_Inout_ PSMARTCARD_EXTENSION SmartcardExtension);

_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS SMCLIBAPI NTAPI SmartcardUpdateCardCapabilities(_Inout_ PSMARTCARD_EXTENSION SmartcardExtension);

_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS SMCLIBAPI NTAPI SmartcardRawRequest(_Inout_ PSMARTCARD_EXTENSION SmartcardExtension);

_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS SMCLIBAPI NTAPI SmartcardRawReply(_Inout_ PSMARTCARD_EXTENSION SmartcardExtension);

_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS SMCLIBAPI NTAPI SmartcardT0Request(_Inout_ PSMARTCARD_EXTENSION SmartcardExtension);

_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS SMCLIBAPI NTAPI SmartcardT0Reply(_Inout_ PSMARTCARD_EXTENSION SmartcardExtension);

_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS SMCLIBAPI NTAPI SmartcardT1Request(_Inout_ PSMARTCARD_EXTENSION SmartcardExtension);

_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS SMCLIBAPI NTAPI SmartcardT1Reply(_Inout_ PSMARTCARD_EXTENSION SmartcardExtension);

VOID SMCLIBAPI NTAPI SmartcardInvertData(_Inout_ PUCHAR Buffer, _In_ ULONG Length);

_IRQL_requires_max_(DISPATCH_LEVEL)
ULONG SMCLIBAPI NTAPI SmartcardGetDebugLevel(void);

_IRQL_requires_max_(DISPATCH_LEVEL)
VOID SMCLIBAPI NTAPI SmartcardSetDebugLevel(_In_ ULONG Level);

// For source compatibility only: on NT the driver completes its notification request itself.
VOID SMCLIBAPI NTAPI SmartcardCompleteCardTracking(_Inout_ PSMARTCARD_EXTENSION SmartcardExtension);

#if defined(DEBUG) && DEBUG
#define DEBUG_IOCTL    0x00000001
#define DEBUG_ATR      0x00000002
#define DEBUG_PROTOCOL 0x00000004
#define DEBUG_DRIVER   0x00000008
#define DEBUG_TRACE    0x00000010
#define DEBUG_ERROR    0x00000020
#define DEBUG_INFO     DEBUG_ERROR
#define DEBUG_PERF     0x10000000
#define DEBUG_T1_TEST  0x40000000
#define DEBUG_BREAK    0x80000000
#define DEBUG_ALL      0x0000FFFF

#define SmartcardDebug(LEVEL, STRING)                                                                        \
    {                                                                                                        \
        if ((LEVEL) & (DEBUG_ERROR | SmartcardGetDebugLevel())) {                                            \
            DbgPrint STRING;                                                                                 \
        }                                                                                                    \
        if (SmartcardGetDebugLevel() & DEBUG_BREAK) {                                                        \
            DbgBreakPoint();                                                                                 \
        }                                                                                                    \
    }
#else
#define SmartcardDebug(LEVEL, STRING)
#endif

#ifdef __cplusplus
}
#endif
#endif
