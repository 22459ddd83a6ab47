// SPDX-License-Identifier: MIT
// A reader driver's source as one written for the public headers looks: it names every macro, type and
// routine, and knows nothing of ours. compat_test.py compiles it, unchanged, as C and as C++, free and
// checked.
#include <ntddk.h>
#define DRIVER_NAME "COMPAT"
#include "smclib.h"

#if defined(EXPECT_DEBUG) != (defined(DEBUG) && DEBUG)
#error a checked build is one with DBG or DEBUG
#endif
#if !defined(SMCLIB_NT) || !defined(SMART_CARD_READER_GUID_DEFINED)
#error smcnt.h marks the platform, and smclib.h brings the GUID of the interface
#endif

typedef struct _READER_EXTENSION {
    ULONG Port;
    KEVENT Done;
    SCARD_IO_REQUEST Header;
    SCARD_T0_COMMAND Command;
} READER_EXTENSION;

#ifdef __cplusplus
extern "C" {
#endif
NTSTATUS NTAPI CardPower(PSMARTCARD_EXTENSION SmartcardExtension);
NTSTATUS NTAPI SetProtocol(PSMARTCARD_EXTENSION SmartcardExtension);
NTSTATUS NTAPI Transmit(PSMARTCARD_EXTENSION SmartcardExtension);
NTSTATUS NTAPI Tracking(PSMARTCARD_EXTENSION SmartcardExtension);
NTSTATUS Device(PSMARTCARD_EXTENSION SmartcardExtension, PDEVICE_OBJECT DeviceObject, PIRP Irp);
NTSTATUS Link(PUNICODE_STRING LinkName, PUNICODE_STRING DeviceName);
#ifdef __cplusplus
}
#endif

NTSTATUS NTAPI CardPower(PSMARTCARD_EXTENSION SmartcardExtension)
{
    PSCARD_CARD_CAPABILITIES card = &SmartcardExtension->CardCapabilities;
    UCHAR shift[MAXIMUM_ATR_LENGTH];
    KIRQL irql;

    SmartcardDebug(DEBUG_TRACE,
                   ("%s!CardPower: %d\n", DRIVER_NAME,
                    SmartcardExtension->MinorIoControlCode)) switch (SmartcardExtension->MinorIoControlCode)
    {
    case SCARD_COLD_RESET:
    case SCARD_WARM_RESET:
        break;
    case SCARD_POWER_DOWN:
        AccessUnsafeData(&irql);
        SmartcardExtension->ReaderCapabilities.CurrentState = SCARD_PRESENT;
        EndAccessUnsafeData(irql);
        return STATUS_SUCCESS;
    default:
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    RtlZeroMemory(shift, sizeof(shift));
    SmartcardInvertData(shift, sizeof(shift));
    AccessUnsafeData(&irql) RtlCopyMemory(card->ATR.Buffer, shift, sizeof(shift));
    card->ATR.Length = sizeof(shift);
    EndAccessUnsafeData(irql) SmartcardInitializeCardCapabilities(SmartcardExtension);
    return SmartcardUpdateCardCapabilities(SmartcardExtension);
}

NTSTATUS NTAPI SetProtocol(PSMARTCARD_EXTENSION SmartcardExtension)
{
    PPTS_DATA pts = &SmartcardExtension->CardCapabilities.PtsData;
    ULONG f = SmartcardExtension->CardCapabilities.ClockRateConversion[pts->Fl].F;
    ULONG d = SmartcardExtension->CardCapabilities.BitRateAdjustment[pts->Dl].DNumerator;

#ifdef _ISO_TABLES_
    f = ClockRateConversion[pts->Fl & 15].F;
    d = BitRateAdjustment[pts->Dl & 15].DDivisor;
#endif
    if (pts->Type == PTS_TYPE_OPTIMAL || pts->Type == PTS_TYPE_USER || f == 0 || d == 0) {
        pts->Type = PTS_TYPE_DEFAULT;
    }
    if ((SmartcardExtension->MinorIoControlCode & (SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1)) == 0) {
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    *(PULONG)SmartcardExtension->IoRequest.ReplyBuffer = SCARD_PROTOCOL_T0;
    *SmartcardExtension->IoRequest.Information = sizeof(ULONG);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI Transmit(PSMARTCARD_EXTENSION SmartcardExtension)
{
    NTSTATUS status;

    SmartcardDebug(DEBUG_PROTOCOL | DEBUG_IOCTL | DEBUG_ATR | DEBUG_DRIVER | DEBUG_PERF,
                   ("%s!Transmit: %lx\n", DRIVER_NAME,
                    SmartcardGetDebugLevel())) switch (SmartcardExtension->CardCapabilities.Protocol.Selected)
    {
    case SCARD_PROTOCOL_RAW:
        status = SmartcardRawRequest(SmartcardExtension);
        return NT_SUCCESS(status) ? SmartcardRawReply(SmartcardExtension) : status;
    case SCARD_PROTOCOL_T0:
        status = SmartcardT0Request(SmartcardExtension);
        SmartcardExtension->SmartcardReply.BufferLength = SmartcardExtension->T0.Le + 2;
        return NT_SUCCESS(status) ? SmartcardT0Reply(SmartcardExtension) : status;
    case SCARD_PROTOCOL_T1:
        do {
            SmartcardExtension->T1.NAD = 0;
            status = SmartcardT1Request(SmartcardExtension);
            if (status != STATUS_SUCCESS) {
                break;
            }
            status = SmartcardT1Reply(SmartcardExtension);
        } while (status == STATUS_MORE_PROCESSING_REQUIRED);
        return status;
    default:
        return STATUS_INVALID_DEVICE_REQUEST;
    }
}

NTSTATUS NTAPI Tracking(PSMARTCARD_EXTENSION SmartcardExtension)
{
    return SmartcardExtension->OsData->NotificationIrp != NULL ? STATUS_PENDING : STATUS_DEVICE_BUSY;
}

NTSTATUS Link(PUNICODE_STRING LinkName, PUNICODE_STRING DeviceName)
{
    return SmartcardCreateLink(LinkName, DeviceName);
}

NTSTATUS Device(PSMARTCARD_EXTENSION SmartcardExtension, PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    NTSTATUS status;

    SmartcardSetDebugLevel(0);
    SmartcardExtension->Version = SMCLIB_VERSION;
    SmartcardExtension->SmartcardRequest.BufferSize = MIN_BUFFER_SIZE;
    SmartcardExtension->SmartcardReply.BufferSize = MIN_BUFFER_SIZE;
    SmartcardExtension->ReaderFunction[RDF_CARD_POWER] = CardPower;
    SmartcardExtension->ReaderFunction[RDF_SET_PROTOCOL] = SetProtocol;
    SmartcardExtension->ReaderFunction[RDF_TRANSMIT] = Transmit;
    SmartcardExtension->ReaderFunction[RDF_CARD_TRACKING] = Tracking;
    SmartcardExtension->ReaderCapabilities.ReaderType = SCARD_READER_TYPE_SERIAL;
    SmartcardExtension->ReaderCapabilities.MechProperties = SCARD_READER_SWALLOWS | SCARD_READER_EJECTS;
    SmartcardExtension->ReaderExtension =
        (PREADER_EXTENSION)ExAllocatePool(NonPagedPool, sizeof(READER_EXTENSION));
    status = SmartcardInitialize(SmartcardExtension);
    if (status != STATUS_SUCCESS) {
        SmartcardLogError(DeviceObject, 1, NULL, SMCLIB_VERSION);
        SmartcardExit(SmartcardExtension);
        return status;
    }
    SmartcardExtension->OsData->DeviceObject = DeviceObject;
#ifdef DEBUG_INTERFACE
    SmartcardExtension->OsData->DebugDeviceObject = DeviceObject;
#endif
#if defined(DEBUG) && DEBUG
    SmartcardExtension->PerfInfo = NULL;
#endif
    status = SmartcardAcquireRemoveLock(SmartcardExtension);
    if (status == STATUS_SUCCESS) {
        status = SmartcardAcquireRemoveLockWithTag(SmartcardExtension, 'tcoI');
        SmartcardReleaseRemoveLockWithTag(SmartcardExtension, 'tcoI');
        SmartcardReleaseRemoveLock(SmartcardExtension);
    }
    if (status == STATUS_SUCCESS) {
        status = SmartcardDeviceControl(SmartcardExtension, Irp);
    }
    SmartcardReleaseRemoveLockAndWait(SmartcardExtension);
    return SmartCardReaderGuid.Data1 == 0x50DD5230 ? status : STATUS_UNSUCCESSFUL;
}
