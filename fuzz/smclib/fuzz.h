// SPDX-License-Identifier: MIT
// What the fuzz targets of the library share.
#pragma once
#include "smclib/smc.h"

#define MUST(condition)                                                                                      \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            __builtin_trap();                                                                                \
        }                                                                                                    \
    } while (0)

int LLVMFuzzerTestOneInput(const unsigned char *Data, __SIZE_TYPE__ Size);

// Input bytes taken from the front; zeros when there are no more.
typedef struct _FUZZ_INPUT {
    const UCHAR *Data;
    ULONG Left;
} FUZZ_INPUT, *PFUZZ_INPUT;

UCHAR FuzzByte(_Inout_ PFUZZ_INPUT Input);
ULONG FuzzUlong(_Inout_ PFUZZ_INPUT Input);
ULONG FuzzBytes(_Inout_ PFUZZ_INPUT Input, _Out_writes_bytes_(Length) PUCHAR Bytes, _In_ ULONG Length);

extern SMARTCARD_EXTENSION Fuzz;
extern ULONG FuzzInformation;

VOID FuzzBegin(void);

// A request whose buffer has exactly the larger of both lengths, so that ASan sees a step beyond it.
VOID FuzzRequest(_In_ ULONG Protocol, _Inout_ PFUZZ_INPUT Input, _In_ ULONG CommandLength,
                 _In_ ULONG ReplyLength);
VOID FuzzRequestEnd(void);
