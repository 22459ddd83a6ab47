// SPDX-License-Identifier: MIT
// Routines that images import by name while the ELF build uses the headers' or the compiler's own.
#pragma once
#include <ntddk.h>

VOID NTAPI RtlpExportMoveMemory(PVOID Destination, const VOID *Source, SIZE_T Length);
VOID NTAPI RtlpExportFillMemory(PVOID Destination, SIZE_T Length, UCHAR Fill);
VOID NTAPI RtlpExportZeroMemory(PVOID Destination, SIZE_T Length);
