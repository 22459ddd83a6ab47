// SPDX-License-Identifier: MIT
// The routines of ntoskrnl.exe that are exception handling itself. They are real symbols, so native drivers
// and other parts of nthost may call them too.
#pragma once
#include "nthost/loader/seh/context.h"

// Raise and unwind: context.c saves the caller's registers, raise.c goes on.
_Noreturn void MS_ABI ExRaiseStatus(uint32_t status);
_Noreturn void MS_ABI RtlRaiseStatus(uint32_t status);
_Noreturn void MS_ABI ExRaiseAccessViolation(void);
_Noreturn void MS_ABI ExRaiseDatatypeMisalignment(void);
void MS_ABI RtlRaiseException(struct seh_record *record); // comes back when a filter continues execution
_Noreturn void MS_ABI RtlUnwind(uint64_t target_frame, uint64_t target_ip, struct seh_record *record,
                                uint64_t value);
_Noreturn void MS_ABI RtlUnwindEx(uint64_t target_frame, uint64_t target_ip, struct seh_record *record,
                                  uint64_t value, struct seh_context *scratch, void *history);
_Noreturn void MS_ABI _local_unwind(uint64_t target_frame, uint64_t target_ip);
void MS_ABI RtlCaptureContext(struct seh_context *context);
_Noreturn void MS_ABI RtlRestoreContext(struct seh_context *context, struct seh_record *record);
void MS_ABI __chkstk(void);

int MS_ABI __C_specific_handler(struct seh_record *record, uint64_t establisher, struct seh_context *context,
                                struct seh_dispatcher *dispatcher);
const struct runtime_function *MS_ABI RtlLookupFunctionEntry(uint64_t pc, uint64_t *image_base,
                                                             void *history);
seh_handler *MS_ABI RtlVirtualUnwind(uint32_t wanted, uint64_t image_base, uint64_t pc,
                                     const struct runtime_function *function, struct seh_context *context,
                                     const void **handler_data, uint64_t *establisher, void *pointers);
void *MS_ABI RtlPcToFileHeader(void *pc, void **image_base);
uint16_t MS_ABI RtlCaptureStackBackTrace(uint32_t skip, uint32_t count, void **frames, uint32_t *hash);

// NULL: not one of them.
void *seh_routine(const char *module, const char *name);
