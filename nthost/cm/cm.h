// SPDX-License-Identifier: MIT
// The registry: a tree in memory. Keys are objects and live as long as a handle or their parent has them.
#pragma once
#include "nthost/io/io.h"

typedef struct _CM_VALUE {
    LIST_ENTRY ListEntry;
    UNICODE_STRING Name;
    ULONG Type, Length;
    PUCHAR Data;
} CM_VALUE;

typedef struct _CM_KEY {
    LIST_ENTRY SiblingEntry;
    struct _CM_KEY *Parent; // NULL: the root, or deleted
    LIST_ENTRY Children, Values;
    UNICODE_STRING Name;
    BOOLEAN Deleted;
} CM_KEY;

// Missing in mingw-w64's headers.
#ifndef RTL_QUERY_REGISTRY_TYPECHECK
#define RTL_QUERY_REGISTRY_TYPECHECK 0x00000100
#endif

typedef enum _CM_DRIVER_KEY { CmDriverKeyParameters, CmDriverKeyPersistentState } CM_DRIVER_KEY;
NTSTATUS NTAPI IoOpenDriverRegistryKey(PDRIVER_OBJECT DriverObject, CM_DRIVER_KEY Type,
                                       ACCESS_MASK DesiredAccess, ULONG Flags, PHANDLE Handle);

extern OBJECT_TYPE CmKeyType;

#define CM_CONTROL_SET L"\\Registry\\Machine\\System\\CurrentControlSet\\"

NTSTATUS CmBoot(VOID);
VOID CmShutdown(VOID);
VOID CmLock(PKIRQL Irql);
VOID CmUnlock(KIRQL Irql);

// `Path` below `Parent`, or from \Registry when that is NULL. With `Create` missing keys are made and
// *Created says whether the last one was. The key is referenced.
NTSTATUS CmOpen(CM_KEY *Parent, PCUNICODE_STRING Path, BOOLEAN Create, CM_KEY **Key, PBOOLEAN Created);
NTSTATUS CmDelete(CM_KEY *Key); // STATUS_CANNOT_DELETE: it has children

// With the lock held.
CM_VALUE *CmFindValue(CM_KEY *Key, PCUNICODE_STRING Name);
CM_VALUE *CmValueAt(CM_KEY *Key, ULONG Index);
CM_KEY *CmChildAt(CM_KEY *Key, ULONG Index);

NTSTATUS CmSetValue(CM_KEY *Key, PCUNICODE_STRING Name, ULONG Type, const VOID *Data, ULONG Length);
NTSTATUS CmDeleteValue(CM_KEY *Key, PCUNICODE_STRING Name);

NTSTATUS CmGiveHandle(CM_KEY *Key, ACCESS_MASK Access, PHANDLE Handle);

// A key of the system's below CurrentControlSet, made when missing, as a handle.
NTSTATUS CmOpenControlSetKey(PCUNICODE_STRING First, PCWSTR Second, ACCESS_MASK Access, PHANDLE Handle);
