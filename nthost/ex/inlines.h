// SPDX-License-Identifier: MIT
// What images import under names that the headers declare in the ELF compiler's calling convention.
#pragma once
#include <ntddk.h>

VOID NTAPI ExpExportInitializeSList(PSLIST_HEADER Head);
USHORT NTAPI ExpExportQueryDepth(PSLIST_HEADER Head);
PSLIST_ENTRY NTAPI ExpExportPushSList(PSLIST_HEADER Head, PSLIST_ENTRY Entry);
PSLIST_ENTRY NTAPI ExpExportPopSList(PSLIST_HEADER Head);
PSLIST_ENTRY NTAPI ExpExportFlushSList(PSLIST_HEADER Head);
