// SPDX-License-Identifier: MIT
#include "nthost/ke/ke.h"
#include "nthost/ke/lock.h"
#include "nthost/ob/object.h"
#include "nthost/verifier/verifier.h"

enum { OB_SIGNATURE = 0x6A624F4E };

OBJECT_TYPE ObpThreadType = {.Name = "Thread"};
OBJECT_TYPE ObpEventType = {.Name = "Event"};
static POBJECT_TYPE ObpThreadTypePointer = &ObpThreadType, ObpEventTypePointer = &ObpEventType;
POBJECT_TYPE *PsThreadType = &ObpThreadTypePointer;
POBJECT_TYPE *ExEventObjectType = &ObpEventTypePointer;

PVOID ObpCreateObject(POBJECT_TYPE Type, SIZE_T Size)
{
    OB_HEADER *Header = os_allocate(sizeof *Header + Size, 16);
    if (Header == NULL) {
        return NULL;
    }
    RtlZeroMemory(Header, sizeof *Header + Size);
    Header->Signature = OB_SIGNATURE;
    Header->References = 1;
    Header->Type = Type;
    Header->Size = Size;
    __atomic_fetch_add(&Type->Objects, 1, __ATOMIC_RELAXED);
    return Header + 1;
}

OB_HEADER *ObpHeaderOf(PVOID Body)
{
    OB_HEADER *Header = (OB_HEADER *)Body - 1;
    if (Header->Signature != OB_SIGNATURE) {
        VfBreak(VfRuleObjectBad, (ULONG_PTR)Body, 0, 0, "%p is not an object", Body);
    }
    return Header;
}

POBJECT_TYPE ObpTypeOf(PVOID Body)
{
    return ObpHeaderOf(Body)->Type;
}

LONG ObpReferenceCount(PVOID Body)
{
    return (LONG)__atomic_load_n(&ObpHeaderOf(Body)->References, __ATOMIC_ACQUIRE);
}

LONG_PTR FASTCALL ObfReferenceObject(PVOID Object)
{
    NT_ENTRY(ObfReferenceObject);
    LONG_PTR Count = __atomic_add_fetch(&ObpHeaderOf(Object)->References, 1, __ATOMIC_RELAXED);
    if (Count == 1) {
        VfBreak(VfRuleReferenceFromZero, (ULONG_PTR)Object, (ULONG_PTR)Count, 0, "object %p is being deleted",
                Object);
    }
    return Count;
}

BOOLEAN ObpReferenceUnlessZero(PVOID Body)
{
    OB_HEADER *Header = ObpHeaderOf(Body);
    LONG_PTR Count = __atomic_load_n(&Header->References, __ATOMIC_RELAXED);
    while (Count > 0) {
        if (__atomic_compare_exchange_n(&Header->References, &Count, Count + 1, 1, __ATOMIC_ACQUIRE,
                                        __ATOMIC_RELAXED)) {
            return TRUE;
        }
    }
    return FALSE;
}

VOID ObpDeleteObject(OB_HEADER *Header)
{
    POBJECT_TYPE Type = Header->Type;
    if (Type->Delete != NULL) {
        Type->Delete(Header + 1);
    }
    __atomic_fetch_sub(&Type->Objects, 1, __ATOMIC_RELAXED);
    RtlFillMemory(Header, sizeof *Header + Header->Size, 0xDD);
    os_free(Header);
}

static LONG_PTR ObpDropReference(PVOID Object, BOOLEAN Defer)
{
    OB_HEADER *Header = ObpHeaderOf(Object);
    LONG_PTR Count = __atomic_sub_fetch(&Header->References, 1, __ATOMIC_ACQ_REL);
    if (Count < 0) {
        VfBreak(VfRuleReferenceBelowZero, (ULONG_PTR)Object, (ULONG_PTR)Count, 0,
                "%s object %p has no reference left", Header->Type->Name, Object);
    }
    if (Count == 0 && Defer && Header->Type->Passive) {
        ObpDeferDelete(Header);
    } else if (Count == 0) {
        ObpDeleteObject(Header);
    }
    return Count;
}

LONG_PTR ObpDereference(PVOID Object)
{
    return ObpDropReference(Object, FALSE);
}

LONG_PTR FASTCALL ObfDereferenceObject(PVOID Object)
{
    NT_ENTRY(ObfDereferenceObject);
    return ObpDropReference(Object, KeGetCurrentIrql() > PASSIVE_LEVEL);
}

VOID NTAPI ObDereferenceObjectDeferDelete(PVOID Object)
{
    NT_ENTRY(ObDereferenceObjectDeferDelete);
    (VOID) ObpDropReference(Object, TRUE);
}

NTSTATUS NTAPI ObReferenceObjectByPointer(PVOID Object, ACCESS_MASK Access, POBJECT_TYPE Type,
                                          KPROCESSOR_MODE Mode)
{
    (void)Access, (void)Mode;
    NT_ENTRY(ObReferenceObjectByPointer);
    if (Type != NULL && ObpTypeOf(Object) != Type) {
        return STATUS_OBJECT_TYPE_MISMATCH;
    }
    ObfReferenceObject(Object);
    return STATUS_SUCCESS;
}

VOID ObpBoot(VOID)
{
    ObpBootNames();
    ObpBootDeferred();
}

VOID ObpShutdown(VOID)
{
    ULONG Handles = ObpHandleCount();
    if (VfEnabled && Handles != 0) {
        VfBreak(VfRuleObjectLeak, Handles, 0, 0, "%u handles left open: %s", Handles, ObpFirstHandleType());
    }
    PVOID Named = ObpAnyNamed();
    if (VfEnabled && Named != NULL) {
        UNICODE_STRING Name;
        ObpQueryName(Named, &Name);
        VfBreak(VfRuleObjectLeak, (ULONG_PTR)Named, 0, 0, "object %wZ left", &Name);
    }
    ObpShutdownHandles();
}
