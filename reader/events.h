// SPDX-License-Identifier: MIT
// Event log entries: severity in bits 31-30, facility 0x010 in bits 27-16. DumpData holds the NTSTATUS
// unless the line names something else.
#pragma once

#define LECTERN_NO_MEMORY             ((LONG)0xC0100001) // %1: not enough memory for a reader
#define LECTERN_WRONG_LIBRARY         ((LONG)0xC0100002) // %1: smclib.sys does not fit the driver
#define LECTERN_CANT_CREATE_DEVICE    ((LONG)0xC0100003) // %1: no device for the reader
#define LECTERN_CANT_READ_DESCRIPTORS ((LONG)0xC0100004) // %1: the descriptors of the reader are unusable
#define LECTERN_READER_SILENT         ((LONG)0xC0100005) // %1: the reader does not answer
#define LECTERN_INTERRUPT_LOST        ((LONG)0x80100006) // %1: card events are polled from now on
#define LECTERN_APDU_TOO_LONG         ((LONG)0x80100007) // %1: a command exceeds the reader's limit; bytes it takes
#define LECTERN_VOLTAGE_UNSUPPORTED   ((LONG)0x80100008) // %1: a card is silent here; bVoltageSupport
#define LECTERN_CARD_MUTE             ((LONG)0x80100009) // %1: a card does not answer
#define LECTERN_CARD_UNKNOWN          ((LONG)0x8010000A) // %1: a card's answer to reset is unusable
#define LECTERN_CARD_TOO_FAST         ((LONG)0x8010000B) // %1: a card is faster than the reader; bit/s
#define LECTERN_PARAMETERS_REFUSED    ((LONG)0x8010000C) // %1: the reader refuses a card's parameters; bError
#define LECTERN_READER_ERROR          ((LONG)0x8010000D) // %1: the reader has failed; bError
#define LECTERN_CARD_ENDLESS          ((LONG)0x8010000E) // %1: a card asks for ever more time; seconds it had
#define LECTERN_ESCAPE_REFUSED        ((LONG)0x8010000F) // %1: vendor commands are not allowed; control code
#define LECTERN_PIN_DISABLED          ((LONG)0x40100010) // %1: PIN entry is switched off; bPINSupport
#define LECTERN_FIRMWARE_OLD          ((LONG)0x80100011) // %1: known to need newer firmware; bcdDevice
