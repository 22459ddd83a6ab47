// SPDX-License-Identifier: MIT
// One device control on its way through the library.
#pragma once
#include "smclib/smc.h"

typedef struct _SMC_CALL {
    PSMARTCARD_EXTENSION Ext;
    PIRP Irp;
    ULONG Code;
    PUCHAR Buffer; // the system buffer: input and output
    ULONG InputLength;
    ULONG OutputLength;
    BOOLEAN Answered; // the library knows the answer, the driver is not asked
} SMC_CALL, *PSMC_CALL;

// A control code that needs a callback of the driver.
typedef struct _SMC_OPERATION {
    ULONG Code;
    ULONG Callback;
    NTSTATUS (*Check)(_In_ PSMC_CALL Call);                           // parameters; no lock is held
    NTSTATUS (*Prepare)(_Inout_ PSMC_CALL Call);                      // card and state; the mutex is held
    NTSTATUS (*Finish)(_Inout_ PSMC_CALL Call, _In_ NTSTATUS Status); // after the callback, not when it pends
} SMC_OPERATION, *PSMC_OPERATION;

const SMC_OPERATION *SmcOperationFind(_In_ ULONG Code);

// First ULONG of the input; the caller has checked the length.
static inline ULONG SmcCallUlong(_In_ PSMC_CALL Call)
{
    ULONG value;

    RtlCopyMemory(&value, Call->Buffer, sizeof(value));
    return value;
}

static inline BOOLEAN SmcCallHasInput(_In_ PSMC_CALL Call, _In_ ULONG Length)
{
    return Call->Buffer != NULL && Call->InputLength >= Length;
}

// Writes Value as the whole answer. Nothing of the input may be needed any more.
_Must_inspect_result_
NTSTATUS SmcCallAnswer(_Inout_ PSMC_CALL Call, _In_reads_bytes_(Length) const VOID *Value, _In_ ULONG Length);

// Ends a request that the library still owns.
NTSTATUS SmcCallComplete(_In_ PSMC_CALL Call, _In_ NTSTATUS Status);

// power.c, protocol.c
NTSTATUS SmcPowerCheck(_In_ PSMC_CALL Call);
NTSTATUS SmcPowerPrepare(_Inout_ PSMC_CALL Call);
NTSTATUS SmcPowerFinish(_Inout_ PSMC_CALL Call, _In_ NTSTATUS Status);
NTSTATUS SmcProtocolCheck(_In_ PSMC_CALL Call);
NTSTATUS SmcProtocolPrepare(_Inout_ PSMC_CALL Call);
NTSTATUS SmcProtocolFinish(_Inout_ PSMC_CALL Call, _In_ NTSTATUS Status);

// attributes.c
NTSTATUS SmcAttributeGet(_Inout_ PSMC_CALL Call);
NTSTATUS SmcAttributeSet(_Inout_ PSMC_CALL Call);

// tracking.c: completes the request or leaves it to the driver
NTSTATUS SmcTrack(_Inout_ PSMC_CALL Call, _In_ BOOLEAN WantPresent);
