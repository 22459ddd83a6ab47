// SPDX-License-Identifier: MIT
// The part of smclib.h that is particular to Windows NT; smclib.h includes it.
#pragma once

#define SMCLIB_NT 1

#define SMARTCARD_POOL_TAG 'bLcS'

#ifdef POOL_TAGGING
#undef ExAllocatePool
#define ExAllocatePool(PoolType, NumberOfBytes)                                                              \
    ExAllocatePoolWithTag(PoolType, NumberOfBytes, SMARTCARD_POOL_TAG)
#endif

// The library allocates it in SmartcardInitialize; a driver sets DeviceObject and never takes its size.
typedef struct _OS_DEP_DATA {
    PDEVICE_OBJECT DeviceObject;
    PIRP CurrentIrp;      // under SpinLock
    PIRP NotificationIrp; // under SpinLock: the tracking request that waits for a card event
    KMUTANT Mutex;        // held around every callback
    KSPIN_LOCK SpinLock;  // protects CurrentState, ATR, CurrentIrp, NotificationIrp
    struct {
        BOOLEAN Removed;
        LONG RefCount;
        KEVENT RemoveEvent;
        LIST_ENTRY TagList;
    } RemoveLock;
#ifdef DEBUG_INTERFACE
    PDEVICE_OBJECT DebugDeviceObject;
#endif
} OS_DEP_DATA, *POS_DEP_DATA;

// Both expansions end in a semicolon and use a variable named SmartcardExtension: existing drivers rely on
// it.
#define AccessUnsafeData(Irql)    KeAcquireSpinLock(&SmartcardExtension->OsData->SpinLock, Irql);
#define EndAccessUnsafeData(Irql) KeReleaseSpinLock(&SmartcardExtension->OsData->SpinLock, Irql);

_Must_inspect_result_
_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS SMCLIBAPI NTAPI SmartcardCreateLink(_Inout_ PUNICODE_STRING LinkName,
                                             _In_ PUNICODE_STRING DeviceName);

_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS SMCLIBAPI NTAPI SmartcardDeviceControl(_Inout_ PSMARTCARD_EXTENSION SmartcardExtension,
                                                _Inout_ PIRP Irp);

_IRQL_requires_max_(DISPATCH_LEVEL)
VOID SMCLIBAPI NTAPI SmartcardLogError(_In_ PVOID Object, _In_ LONG ErrorCode,
                                       _In_opt_ PUNICODE_STRING Insertion, _In_ ULONG DumpWord);

// No import attribute: callers of the remove lock go through the import library's thunks.
_Must_inspect_result_
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS NTAPI SmartcardAcquireRemoveLock(_Inout_ PSMARTCARD_EXTENSION SmartcardExtension);

_Must_inspect_result_
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS NTAPI SmartcardAcquireRemoveLockWithTag(_Inout_ PSMARTCARD_EXTENSION SmartcardExtension,
                                                 _In_ ULONG Tag);

_IRQL_requires_max_(DISPATCH_LEVEL)
VOID NTAPI SmartcardReleaseRemoveLock(_Inout_ PSMARTCARD_EXTENSION SmartcardExtension);

_IRQL_requires_max_(DISPATCH_LEVEL)
VOID NTAPI SmartcardReleaseRemoveLockWithTag(_Inout_ PSMARTCARD_EXTENSION SmartcardExtension, _In_ ULONG Tag);

_IRQL_requires_max_(PASSIVE_LEVEL)
VOID NTAPI SmartcardReleaseRemoveLockAndWait(_Inout_ PSMARTCARD_EXTENSION SmartcardExtension);
