// SPDX-License-Identifier: MIT
// One table of handles: there is one process, the system's.
#include "nthost/ke/ke.h"
#include "nthost/ke/lock.h"
#include "nthost/ob/object.h"
#include "nthost/verifier/verifier.h"

enum { OB_HANDLE_STEP = 4, OB_FIRST_HANDLES = 64 };

typedef struct _OB_HANDLE {
    PVOID Body; // NULL: free
    ACCESS_MASK Access;
} OB_HANDLE;

static uint32_t ObpHandleLock;
static OB_HANDLE *ObpHandles;
static ULONG ObpHandleCapacity, ObpHandlesOpen;

static BOOLEAN ObpGrowHandles(VOID)
{
    ULONG Capacity = ObpHandleCapacity == 0 ? OB_FIRST_HANDLES : ObpHandleCapacity * 2;
    OB_HANDLE *Handles = os_allocate(Capacity * sizeof *Handles, 16);
    if (Handles == NULL) {
        return FALSE;
    }
    RtlZeroMemory(Handles, Capacity * sizeof *Handles);
    if (ObpHandles != NULL) {
        RtlCopyMemory(Handles, ObpHandles, ObpHandleCapacity * sizeof *Handles);
    }
    os_free(ObpHandles);
    ObpHandles = Handles;
    ObpHandleCapacity = Capacity;
    return TRUE;
}

static OB_HANDLE *ObpFindFree(VOID)
{
    for (ULONG i = 0; i < ObpHandleCapacity; i++) {
        if (ObpHandles[i].Body == NULL) {
            return &ObpHandles[i];
        }
    }
    ULONG Index = ObpHandleCapacity;
    return ObpGrowHandles() ? &ObpHandles[Index] : NULL;
}

static OB_HANDLE *ObpSlotOf(HANDLE Handle)
{
    ULONG_PTR Value = (ULONG_PTR)Handle;
    ULONG_PTR Index = Value / OB_HANDLE_STEP - 1;
    BOOLEAN Valid =
        Value % OB_HANDLE_STEP == 0 && Index < ObpHandleCapacity && ObpHandles[Index].Body != NULL;
    return Valid ? &ObpHandles[Index] : NULL;
}

NTSTATUS ObpCreateHandle(PVOID Body, ACCESS_MASK Access, PHANDLE Handle)
{
    KiLock(&ObpHandleLock);
    OB_HANDLE *Slot = ObpFindFree();
    if (Slot != NULL) {
        *Slot = (OB_HANDLE){Body, Access};
        *Handle = (HANDLE)(ULONG_PTR)((Slot - ObpHandles + 1) * OB_HANDLE_STEP);
        ObpHandlesOpen++;
        ObpHeaderOf(Body)->Handles++;
        ObfReferenceObject(Body);
    }
    KiUnlock(&ObpHandleLock);
    return Slot != NULL ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

NTSTATUS ObpReferenceHandle(HANDLE Handle, POBJECT_TYPE Type, ACCESS_MASK Access, PVOID *Body)
{
    NTSTATUS Status = STATUS_SUCCESS;
    *Body = NULL;
    KiLock(&ObpHandleLock);
    OB_HANDLE *Slot = ObpSlotOf(Handle);
    if (Slot == NULL) {
        Status = STATUS_INVALID_HANDLE;
    } else if (Type != NULL && ObpTypeOf(Slot->Body) != Type) {
        Status = STATUS_OBJECT_TYPE_MISMATCH;
    } else if ((Access & ~Slot->Access) != 0) {
        Status = STATUS_ACCESS_DENIED;
    } else {
        *Body = Slot->Body;
        ObfReferenceObject(*Body);
    }
    KiUnlock(&ObpHandleLock);
    return Status;
}

NTSTATUS ObpCloseHandle(HANDLE Handle)
{
    PVOID Body = NULL;
    ULONG Left = 0;
    KiLock(&ObpHandleLock);
    OB_HANDLE *Slot = ObpSlotOf(Handle);
    if (Slot != NULL) {
        Body = Slot->Body;
        *Slot = (OB_HANDLE){0};
        ObpHandlesOpen--;
        Left = (ULONG)--ObpHeaderOf(Body)->Handles;
    }
    KiUnlock(&ObpHandleLock);
    if (Body == NULL) {
        return STATUS_INVALID_HANDLE;
    }
    POBJECT_TYPE Type = ObpTypeOf(Body);
    if (Type->Close != NULL) {
        Type->Close(Body, Left);
    }
    ObfDereferenceObject(Body);
    return STATUS_SUCCESS;
}

ULONG ObpHandleCount(VOID)
{
    return ObpHandlesOpen;
}

PCSTR ObpFirstHandleType(VOID)
{
    for (ULONG i = 0; i < ObpHandleCapacity; i++) {
        if (ObpHandles[i].Body != NULL) {
            return ObpTypeOf(ObpHandles[i].Body)->Name;
        }
    }
    return "none";
}

VOID ObpShutdownHandles(VOID)
{
    for (ULONG i = 0; i < ObpHandleCapacity; i++) {
        ObpCloseHandle(
            (HANDLE)(ULONG_PTR)((i + 1) * OB_HANDLE_STEP)); // of none left, or leaks without the verifier
    }
    os_free(ObpHandles);
    ObpHandles = NULL;
    ObpHandleCapacity = 0;
}

NTSTATUS NTAPI ZwClose(HANDLE Handle)
{
    NT_ENTRY(ZwClose);
    NTSTATUS Status = ObpCloseHandle(Handle);
    if (VfEnabled && !NT_SUCCESS(Status)) {
        VfBreak(Handle == NULL ? VfRuleHandleNull : VfRuleHandleBad, (ULONG_PTR)Handle, 0, 0,
                "handle %p is not open", Handle);
    }
    return Status;
}

// A handle that system code made is trusted: access is checked for requests of user mode only.
NTSTATUS NTAPI ObReferenceObjectByHandle(HANDLE Handle, ACCESS_MASK Access, POBJECT_TYPE Type,
                                         KPROCESSOR_MODE Mode, PVOID *Object,
                                         POBJECT_HANDLE_INFORMATION Information)
{
    NT_ENTRY(ObReferenceObjectByHandle);
    if (VfEnabled && Handle == NULL && Mode == KernelMode) {
        VfBreak(VfRuleHandleNull, 0, 0, 0, "NULL handle");
    }
    if (Information != NULL) {
        *Information = (OBJECT_HANDLE_INFORMATION){0};
    }
    return ObpReferenceHandle(Handle, Type, Mode == KernelMode ? 0 : Access, Object);
}
