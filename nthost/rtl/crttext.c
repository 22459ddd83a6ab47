// SPDX-License-Identifier: MIT
#include "nthost/rtl/crt.h"

static ULONG RtlpAsciiUpcase(ULONG Unit)
{
    return Unit >= 'a' && Unit <= 'z' ? Unit - 'a' + 'A' : Unit;
}

#define CRT_UPCASE(unit) RtlpAsciiUpcase(unit)

#define CRT_CHAR  CHAR
#define CRT_UNIT  UCHAR
#define CRT(name) RtlpStr##name
#include "nthost/rtl/crttext.inc"
#undef CRT_CHAR
#undef CRT_UNIT
#undef CRT

#define CRT_CHAR  WCHAR
#define CRT_UNIT  WCHAR
#define CRT(name) RtlpWcs##name
#include "nthost/rtl/crttext.inc"
