// SPDX-License-Identifier: MIT
// What images import by name although the headers have it inline, or in another calling convention than
// Microsoft's.
#pragma once
#include <ntddk.h>

KIRQL NTAPI KiExportGetCurrentIrql(VOID);
KIRQL FASTCALL KiExportRaiseIrql(KIRQL Irql);
VOID FASTCALL KiExportLowerIrql(KIRQL Irql);
KIRQL NTAPI KiExportRaiseIrqlToDpcLevel(VOID);
PKTHREAD NTAPI KiExportGetCurrentThread(VOID);
VOID NTAPI KiExportInitializeSpinLock(PKSPIN_LOCK Lock);
ULONGLONG NTAPI KiExportQueryInterruptTime(VOID);
VOID NTAPI KiExportQuerySystemTimePrecise(PLARGE_INTEGER Time);
ULONG NTAPI RtlpExportVDbgPrintEx(ULONG Component, ULONG Level, PCCH Format, __builtin_ms_va_list Arguments);
ULONG NTAPI RtlpExportVDbgPrintExWithPrefix(PCCH Prefix, ULONG Component, ULONG Level, PCCH Format,
                                            __builtin_ms_va_list Arguments);
