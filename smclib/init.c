// SPDX-License-Identifier: MIT
// SmartcardInitialize and SmartcardExit: the memory behind an extension.
#include "smclib/smc.h"

// Between requests nothing may point to a system buffer that is gone: drivers reset cards from their power
// handlers and store through Information without a test.
_Use_decl_annotations_
VOID SmcRequestIdle(PSMARTCARD_EXTENSION Ext)
{
    if (SmcOther(SmcOtherStale) && Ext->IoRequest.Information != NULL) {
        return;
    }
    Ext->IoRequest.RequestBuffer = NULL;
    Ext->IoRequest.RequestBufferLength = 0;
    Ext->IoRequest.ReplyBuffer = NULL;
    Ext->IoRequest.ReplyBufferLength = 0;
    Ext->IoRequest.Information = &SmcPrivateOf(Ext)->IdleInformation;
}

_Use_decl_annotations_
ULONG SmcStateGet(PSMARTCARD_EXTENSION Ext)
{
    KIRQL irql;
    ULONG state;

    KeAcquireSpinLock(&Ext->OsData->SpinLock, &irql);
    state = Ext->ReaderCapabilities.CurrentState;
    KeReleaseSpinLock(&Ext->OsData->SpinLock, irql);
    return state;
}

static PVOID SmcPoolAllocate(_In_ ULONG Size)
{
    PVOID memory = ExAllocatePoolWithTag(NonPagedPool, Size, SMARTCARD_POOL_TAG);

    if (memory != NULL) {
        RtlZeroMemory(memory, Size);
    }
    return memory;
}

static VOID SmcPoolFree(_In_opt_ PVOID Memory, _In_ ULONG Size)
{
    if (Memory != NULL) {
        RtlSecureZeroMemory(Memory, Size);
        ExFreePoolWithTag(Memory, SMARTCARD_POOL_TAG);
    }
}

static VOID SmcBuffersPublish(_Inout_ PSMARTCARD_EXTENSION Ext, _In_ const SMC_PRIVATE *Private)
{
    Ext->SmartcardRequest.Buffer = Private->RequestBuffer;
    Ext->SmartcardRequest.BufferSize = Private->RequestSize;
    Ext->SmartcardRequest.BufferLength = 0;
    Ext->SmartcardReply.Buffer = Private->ReplyBuffer;
    Ext->SmartcardReply.BufferSize = Private->ReplySize;
    Ext->SmartcardReply.BufferLength = 0;
}

static VOID SmcPrivateFree(_In_ PSMC_PRIVATE Private)
{
    SmcPoolFree(Private->RequestBuffer, Private->RequestSize);
    SmcPoolFree(Private->ReplyBuffer, Private->ReplySize);
    SmcPoolFree(Private, sizeof(*Private));
}

_Must_inspect_result_
static PSMC_PRIVATE SmcPrivateAllocate(_In_ ULONG RequestSize, _In_ ULONG ReplySize)
{
    PSMC_PRIVATE private = SmcPoolAllocate(sizeof(*private));

    if (private == NULL) {
        return NULL;
    }
    private->RequestSize = RequestSize > MIN_BUFFER_SIZE ? RequestSize : MIN_BUFFER_SIZE;
    private->ReplySize = ReplySize > MIN_BUFFER_SIZE ? ReplySize : MIN_BUFFER_SIZE;
    private->RequestBuffer = SmcPoolAllocate(private->RequestSize);
    private->ReplyBuffer = SmcPoolAllocate(private->ReplySize);
    if (private->RequestBuffer == NULL || private->ReplyBuffer == NULL) {
        SmcPrivateFree(private);
        return NULL;
    }
    return private;
}

_Use_decl_annotations_
NTSTATUS NTAPI SmartcardInitialize(PSMARTCARD_EXTENSION Ext)
{
    PSMC_PRIVATE private;

    if (Ext == NULL) {
        return STATUS_INVALID_PARAMETER;
    }
    Ext->OsData = NULL;
    Ext->SmartcardRequest.Buffer = NULL;
    Ext->SmartcardReply.Buffer = NULL;
    private = SmcPrivateAllocate(Ext->SmartcardRequest.BufferSize, Ext->SmartcardReply.BufferSize);
    if (private == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    KeInitializeMutex(&private->OsData.Mutex, 0);
    KeInitializeSpinLock(&private->OsData.SpinLock);
    Ext->OsData = &private->OsData;
    SmcBuffersPublish(Ext, private);
    SmcRemoveLockInitialize(Ext);
    SmcRequestIdle(Ext);
    SmartcardInitializeCardCapabilities(Ext);
    // OsData stays: by it a driver tells a library that is too old from a lack of memory.
    return Ext->Version < SMCLIB_VERSION_REQUIRED ? STATUS_UNSUCCESSFUL : STATUS_SUCCESS;
}

_Use_decl_annotations_
VOID NTAPI SmartcardExit(PSMARTCARD_EXTENSION Ext)
{
    if (Ext == NULL || Ext->OsData == NULL) {
        return;
    }
    SmcT1FreeReply(Ext);
    SmcPrivateFree(SmcPrivateOf(Ext));
    Ext->OsData = NULL;
    Ext->SmartcardRequest.Buffer = NULL;
    Ext->SmartcardReply.Buffer = NULL;
    // The idle target of Information went with the private block.
    Ext->IoRequest.Information = NULL;
}
