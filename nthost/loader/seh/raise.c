// SPDX-License-Identifier: MIT
#include "nthost/loader/seh/routines.h"

#include "nthost/loader/seh/dispatch.h"

void seh_raise_status(struct seh_context *context, uint32_t status);
void seh_raise_access_violation(struct seh_context *context);
void seh_raise_misalignment(struct seh_context *context);
void seh_raise_record(struct seh_context *context, struct seh_record *record);
void seh_local_unwind(struct seh_context *context, uint64_t target_frame, uint64_t target_ip);

__attribute__((used)) void seh_raise_status(struct seh_context *context, uint32_t status)
{
    struct seh_record record = {.code = status, .flags = SEH_NONCONTINUABLE, .address = context->rip};
    seh_dispatch(&record, context);
}

__attribute__((used)) void seh_raise_access_violation(struct seh_context *context)
{
    seh_raise_status(context, STATUS_ACCESS_VIOLATION);
}

__attribute__((used)) void seh_raise_misalignment(struct seh_context *context)
{
    seh_raise_status(context, STATUS_DATATYPE_MISALIGNMENT);
}

__attribute__((used)) void seh_raise_record(struct seh_context *context, struct seh_record *record)
{
    record->address = context->rip;
    seh_dispatch(record, context);
}

__attribute__((used)) void seh_local_unwind(struct seh_context *context, uint64_t target_frame,
                                            uint64_t target_ip)
{
    seh_unwind(context, target_frame, target_ip, NULL, 0);
}

_Noreturn void MS_ABI SehRtlRestoreContext(struct seh_context *context, struct seh_record *record)
{
    (void)record; // setjmp and C++ consolidation frames, which C drivers have none of
    seh_resume(context);
}

const struct runtime_function *MS_ABI SehRtlLookupFunctionEntry(uint64_t pc, uint64_t *image_base,
                                                                void *history)
{
    (void)history; // a cache
    const struct loader_module *module = registry_at(pc);
    *image_base = module != NULL ? (uintptr_t)module->base : 0;
    return module != NULL ? module_function_at(module, (uint32_t)(pc - *image_base)) : NULL;
}

seh_handler *MS_ABI SehRtlVirtualUnwind(uint32_t wanted, uint64_t image_base, uint64_t pc,
                                        const struct runtime_function *function, struct seh_context *context,
                                        const void **handler_data, uint64_t *establisher, void *pointers)
{
    (void)pointers; // optional output: where each register was saved
    struct seh_walk walk;
    struct unwind_result result = {0};
    const struct loader_module *module = registry_at(image_base);
    seh_walk_begin(&walk, context);
    context->rip = pc;
    if (module == NULL || function != module_function_at(module, (uint32_t)(pc - image_base)) ||
        function == NULL || unwind_image(module, function, wanted, &walk.stack, context, &result) != 0) {
        seh_fatal(LOADER_FAULT_UNWIND, STATUS_BAD_STACK, &walk.context, NULL);
    }
    *handler_data = result.handler_data;
    *establisher = result.establisher;
    return result.handler;
}

void *MS_ABI SehRtlPcToFileHeader(void *pc, void **image_base)
{
    const struct loader_module *module = registry_at((uintptr_t)pc);
    *image_base = module != NULL ? module->base : NULL;
    return *image_base;
}

uint16_t MS_ABI SehRtlCaptureStackBackTrace(uint32_t skip, uint32_t count, void **frames, uint32_t *hash)
{
    uintptr_t found[64];
    size_t depth = loader_backtrace(found, sizeof found / sizeof found[0]);
    uint32_t sum = 0;
    uint16_t filled = 0;
    for (size_t i = (size_t)skip + 1; i < depth && filled < count; i++) { // the first is this routine
        frames[filled++] = (void *)found[i];
        sum += (uint32_t)found[i];
    }
    if (hash != NULL) {
        *hash = sum;
    }
    return filled;
}

void loader_raise_status(uint32_t status)
{
    struct seh_context context;
    if (loader_host() != NULL) {
        seh_capture(&context);
        seh_raise_status(&context, status);
    }
}
