// SPDX-License-Identifier: MIT
// Event log entries: severity in bits 31-30, facility 0x010 in bits 27-16. DumpData holds the NTSTATUS.
#pragma once

#define LECTERN_NO_MEMORY             ((LONG)0xC0100001) // %1: not enough memory for a reader
#define LECTERN_WRONG_LIBRARY         ((LONG)0xC0100002) // %1: smclib.sys does not fit the driver
#define LECTERN_CANT_CREATE_DEVICE    ((LONG)0xC0100003) // %1: no device for the reader
#define LECTERN_CANT_READ_DESCRIPTORS ((LONG)0xC0100004) // %1: the descriptors of the reader are unusable
#define LECTERN_READER_SILENT         ((LONG)0xC0100005) // %1: the reader does not answer
#define LECTERN_INTERRUPT_LOST        ((LONG)0x80100006) // %1: card events are polled from now on
