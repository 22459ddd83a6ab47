// SPDX-License-Identifier: MIT
#include "reader/report.h"
#include "reader/clock.h"
#include "reader/slot.h"

#define EVENT_NUMBER    0x0000FFFF
#define MS_PER_S        1000
#define VOLTAGES        (CCID_VOLTAGE_5V | CCID_VOLTAGE_3V | CCID_VOLTAGE_18V)
#define ERROR_FIRST_OWN 0x80 // CCID 1.1 6.2.6: up to C0 the vendor's, and reserved ones beyond
#define ERROR_LAST_OWN  0xDF

VOID ReportWrite(PREADER Reader, LONG Event, ULONG Data)
{
    volatile LONG *last = &Reader->Reports.Last[(Event & EVENT_NUMBER) % REPORT_EVENTS];
    LONG now = (LONG)(ClockNow() / MS_PER_S) + 1;
    LONG before = InterlockedCompareExchange(last, 0, 0);

    if ((before != 0 && now - before < REPORT_PAUSE) ||
        InterlockedCompareExchange(last, now, before) != before) {
        return;
    }
    SmartcardLogError(Reader->DeviceObject, Event, NULL, Data);
}

static BOOLEAN ErrorIsReaders(UCHAR Error)
{
    return Error == CCID_ERROR_HARDWARE || Error == CCID_ERROR_OVERRUN ||
           (Error >= ERROR_FIRST_OWN && Error <= ERROR_LAST_OWN);
}

VOID ReportRefusal(PREADER Reader, const COMMAND *Command)
{
    if (Command->Answered && Command->Header.CommandStatus == CCID_COMMAND_FAILED &&
        ErrorIsReaders(Command->Header.Error)) {
        ReportWrite(Reader, LECTERN_READER_ERROR, Command->Header.Error);
    }
}

VOID ReportActivation(PREADER Reader, NTSTATUS Status, UCHAR Error)
{
    UCHAR voltages = Reader->Usb.Interface.Descriptor.VoltageSupport & VOLTAGES;
    BOOLEAN lacks = voltages != 0 && voltages != VOLTAGES;

    if (Error == CCID_ERROR_CLASS_NOT_SUPPORTED || (Status == STATUS_IO_TIMEOUT && lacks)) {
        ReportWrite(Reader, LECTERN_VOLTAGE_UNSUPPORTED, voltages);
    } else if (Status == STATUS_IO_TIMEOUT) {
        ReportWrite(Reader, LECTERN_CARD_MUTE, (ULONG)Status);
    } else if (Status == STATUS_UNRECOGNIZED_MEDIA) {
        ReportWrite(Reader, LECTERN_CARD_UNKNOWN, (ULONG)Status);
    }
}
