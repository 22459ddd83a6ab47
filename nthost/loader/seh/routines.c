// SPDX-License-Identifier: MIT
#include "nthost/loader/seh/routines.h"

#include <string.h>
#include <strings.h>

void *seh_routine(const char *module, const char *name)
{
    static const struct {
        const char *name;
        void *address;
    } routines[] = {
        {"ExRaiseStatus", (void *)(uintptr_t)SehExRaiseStatus},
        {"RtlRaiseStatus", (void *)(uintptr_t)SehRtlRaiseStatus},
        {"ExRaiseAccessViolation", (void *)(uintptr_t)SehExRaiseAccessViolation},
        {"ExRaiseDatatypeMisalignment", (void *)(uintptr_t)SehExRaiseDatatypeMisalignment},
        {"RtlRaiseException", (void *)(uintptr_t)SehRtlRaiseException},
        {"RtlUnwind", (void *)(uintptr_t)SehRtlUnwind},
        {"RtlUnwindEx", (void *)(uintptr_t)SehRtlUnwindEx},
        {"_local_unwind", (void *)(uintptr_t)SehLocalUnwind},
        {"RtlCaptureContext", (void *)(uintptr_t)SehRtlCaptureContext},
        {"RtlRestoreContext", (void *)(uintptr_t)SehRtlRestoreContext},
        {"__chkstk", (void *)(uintptr_t)SehCheckStack},
        {"__C_specific_handler", (void *)(uintptr_t)SehSpecificHandler},
        {"RtlLookupFunctionEntry", (void *)(uintptr_t)SehRtlLookupFunctionEntry},
        {"RtlVirtualUnwind", (void *)(uintptr_t)SehRtlVirtualUnwind},
        {"RtlPcToFileHeader", (void *)(uintptr_t)SehRtlPcToFileHeader},
        {"RtlCaptureStackBackTrace", (void *)(uintptr_t)SehRtlCaptureStackBackTrace},
    };
    for (size_t i = 0; strcasecmp(module, "ntoskrnl.exe") == 0 && i < sizeof routines / sizeof routines[0];
         i++) {
        if (strcmp(name, routines[i].name) == 0) {
            return routines[i].address;
        }
    }
    return NULL;
}
