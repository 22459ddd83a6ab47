// SPDX-License-Identifier: MIT
#include "nthost/rtl/rtl.h"
#include "nthost/rtl/inlines.h"

SIZE_T NTAPI RtlCompareMemory(const VOID *Left, const VOID *Right, SIZE_T Length)
{
    SIZE_T Equal = 0;
    while (Equal < Length && ((const UCHAR *)Left)[Equal] == ((const UCHAR *)Right)[Equal]) {
        Equal++;
    }
    return Equal;
}

VOID NTAPI RtlpExportMoveMemory(PVOID Destination, const VOID *Source, SIZE_T Length)
{
    memmove(Destination, Source, Length);
}

VOID NTAPI RtlpExportFillMemory(PVOID Destination, SIZE_T Length, UCHAR Fill)
{
    memset(Destination, Fill, Length);
}

VOID NTAPI RtlpExportZeroMemory(PVOID Destination, SIZE_T Length)
{
    memset(Destination, 0, Length);
}
