// SPDX-License-Identifier: MIT
// The routines of ntoskrnl.exe that are exception handling itself. They are real symbols, so native drivers
// and other parts of nthost may call them too.
#pragma once
#include "nthost/loader/seh/context.h"

// Raise and unwind: context.c saves the caller's registers, raise.c goes on.
_Noreturn void MS_ABI SehExRaiseStatus(uint32_t status);
_Noreturn void MS_ABI SehRtlRaiseStatus(uint32_t status);
_Noreturn void MS_ABI SehExRaiseAccessViolation(void);
_Noreturn void MS_ABI SehExRaiseDatatypeMisalignment(void);
void MS_ABI SehRtlRaiseException(struct seh_record *record); // comes back when a filter continues execution
_Noreturn void MS_ABI SehRtlUnwind(uint64_t target_frame, uint64_t target_ip, struct seh_record *record,
                                   uint64_t value);
_Noreturn void MS_ABI SehRtlUnwindEx(uint64_t target_frame, uint64_t target_ip, struct seh_record *record,
                                     uint64_t value, struct seh_context *scratch, void *history);
_Noreturn void MS_ABI SehLocalUnwind(uint64_t target_frame, uint64_t target_ip);
void MS_ABI SehRtlCaptureContext(struct seh_context *context);
_Noreturn void MS_ABI SehRtlRestoreContext(struct seh_context *context, struct seh_record *record);
void MS_ABI SehCheckStack(void);

int MS_ABI SehSpecificHandler(struct seh_record *record, uint64_t establisher, struct seh_context *context,
                              struct seh_dispatcher *dispatcher);
const struct runtime_function *MS_ABI SehRtlLookupFunctionEntry(uint64_t pc, uint64_t *image_base,
                                                                void *history);
seh_handler *MS_ABI SehRtlVirtualUnwind(uint32_t wanted, uint64_t image_base, uint64_t pc,
                                        const struct runtime_function *function, struct seh_context *context,
                                        const void **handler_data, uint64_t *establisher, void *pointers);
void *MS_ABI SehRtlPcToFileHeader(void *pc, void **image_base);
uint16_t MS_ABI SehRtlCaptureStackBackTrace(uint32_t skip, uint32_t count, void **frames, uint32_t *hash);

// NULL: not one of them.
void *seh_routine(const char *module, const char *name);
