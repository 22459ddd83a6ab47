// SPDX-License-Identifier: MIT
// Binary compatibility: what a checked driver sees. Its extension is shorter than a free one, so the library
// never touches anything behind T1.
#define DEBUG 1
#include <ntddk.h>
#include "include/smclib.h"

#ifdef _WIN64
#define PICK(Amd64, I386) (Amd64)
#else
#define PICK(Amd64, I386) (I386)
#endif

C_ASSERT(DBG == 1);
C_ASSERT(sizeof(SMARTCARD_EXTENSION) == PICK(1000, 880));
C_ASSERT(FIELD_OFFSET(SMARTCARD_EXTENSION, T1) == PICK(864, 744));
C_ASSERT(FIELD_OFFSET(SMARTCARD_EXTENSION, PerfInfo) == PICK(920, 792));
C_ASSERT(FIELD_OFFSET(SMARTCARD_EXTENSION, Reserved) == PICK(928, 796));

C_ASSERT(sizeof(PERF_INFO) == 40);
C_ASSERT(FIELD_OFFSET(PERF_INFO, BytesSent) == 4);
C_ASSERT(FIELD_OFFSET(PERF_INFO, BytesReceived) == 8);
C_ASSERT(FIELD_OFFSET(PERF_INFO, IoTickCount) == 16);
C_ASSERT(FIELD_OFFSET(PERF_INFO, TickStart) == 24);
C_ASSERT(FIELD_OFFSET(PERF_INFO, TickEnd) == 32);

C_ASSERT(DEBUG_IOCTL == 0x1);
C_ASSERT(DEBUG_ATR == 0x2);
C_ASSERT(DEBUG_PROTOCOL == 0x4);
C_ASSERT(DEBUG_DRIVER == 0x8);
C_ASSERT(DEBUG_TRACE == 0x10);
C_ASSERT(DEBUG_ERROR == 0x20 && DEBUG_INFO == 0x20);
C_ASSERT(DEBUG_PERF == 0x10000000);
C_ASSERT(DEBUG_T1_TEST == 0x40000000);
C_ASSERT(DEBUG_BREAK == 0x80000000);
C_ASSERT(DEBUG_ALL == 0xFFFF);
