// SPDX-License-Identifier: MIT
// Objects: a header with type and counts before the body, handles, and the names below \Device and \??.
#pragma once
#include <ntddk.h>

typedef struct _OBJECT_TYPE {
    PCSTR Name;
    VOID (*Delete)(PVOID Body);                   // last reference gone; may be NULL
    VOID (*Close)(PVOID Body, ULONG HandlesLeft); // a handle was closed; may be NULL
    LONG Objects;
    BOOLEAN Passive; // Delete calls drivers, so it runs at PASSIVE_LEVEL
} OBJECT_TYPE;

extern OBJECT_TYPE ObpThreadType, ObpEventType, ObpSymbolicLinkType;

// The body is zeroed, 16-byte aligned and has one reference. Not pool: drivers never free objects.
PVOID ObpCreateObject(POBJECT_TYPE Type, SIZE_T Size);
POBJECT_TYPE ObpTypeOf(PVOID Body);
LONG ObpReferenceCount(PVOID Body);
LONG_PTR ObpDereference(PVOID Body); // where no thread of the kernel runs (any more)
BOOLEAN ObpReferenceUnlessZero(PVOID Body);

NTSTATUS ObpCreateHandle(PVOID Body, ACCESS_MASK Access, PHANDLE Handle); // takes its own reference
NTSTATUS ObpReferenceHandle(HANDLE Handle, POBJECT_TYPE Type, ACCESS_MASK Access, PVOID *Body);
NTSTATUS ObpCloseHandle(HANDLE Handle);
ULONG ObpHandleCount(VOID);

// Names: full paths, compared without case; \DosDevices\, \DosDevices\Global\, \??\ and \GLOBAL??\ are one
// directory. A named object holds a reference until its name is removed.
NTSTATUS ObpInsertName(PCUNICODE_STRING Path, PVOID Body); // STATUS_OBJECT_NAME_COLLISION
VOID ObpRemoveName(PVOID Body);
// Follows symbolic links; *Rest is what follows the object's name in Path (for \Device\X\file: "\file") and
// points into Path's or a link's buffer. The body is referenced. STATUS_OBJECT_NAME_NOT_FOUND.
NTSTATUS ObpLookupName(PCUNICODE_STRING Path, PVOID *Body, PUNICODE_STRING Rest);
NTSTATUS ObpQueryName(PVOID Body, PUNICODE_STRING Name); // points into the object; Length 0: none
NTSTATUS ObpCreateSymbolicLink(PCUNICODE_STRING Path, PCUNICODE_STRING Target);
NTSTATUS ObpDeleteSymbolicLink(PCUNICODE_STRING Path);

VOID ObpAwaitDeletions(VOID); // those that were put off to PASSIVE_LEVEL
VOID ObpBoot(VOID);
VOID ObpShutdown(VOID); // verifier: nothing may be left
