// SPDX-License-Identifier: MIT
#pragma once
#include "nthost/ob/ob.h"

typedef struct _OB_HEADER {
    ULONG Signature;
    LONG Handles;
    LONG_PTR References;
    POBJECT_TYPE Type;
    SIZE_T Size;
    UNICODE_STRING Name; // of its directory entry, empty: none
    LIST_ENTRY NameListEntry;
} OB_HEADER;

C_ASSERT(sizeof(OB_HEADER) % 16 == 0); // and so the body is aligned

OB_HEADER *ObpHeaderOf(PVOID Body);
VOID ObpDeleteObject(OB_HEADER *Header);
VOID ObpDeferDelete(OB_HEADER *Header);
VOID ObpBootDeferred(VOID);
VOID ObpBootNames(VOID);
PVOID ObpAnyNamed(VOID);
PCSTR ObpFirstHandleType(VOID);
VOID ObpShutdownHandles(VOID);
