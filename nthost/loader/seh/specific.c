// SPDX-License-Identifier: MIT
// __C_specific_handler: __try, __except and __finally of C, by the scope table the compiler wrote.
#include "nthost/loader/seh/routines.h"

#include "nthost/loader/bytes.h"
#include "nthost/loader/seh/dispatch.h"

enum { FILTER_EXECUTE_HANDLER = 1 }; // in place of a filter's address: __except (EXCEPTION_EXECUTE_HANDLER)

struct scope {
    uint32_t begin;
    uint32_t end;
    uint32_t handler; // the filter, or the __finally block
    uint32_t target;  // the __except block; 0: a __finally
};

typedef int MS_ABI scope_filter(struct seh_pointers *pointers, uint64_t establisher);
typedef void MS_ABI scope_finally(uint8_t abnormal, uint64_t establisher);

struct scope_table {
    const struct loader_module *module;
    const struct scope *scopes;
    uint32_t count;
    uint32_t pc;
    uint32_t target_pc;
};

// The table of a handler's data is not part of what was checked at load, since only this handler knows its
// form.
static bool open_table(const struct seh_dispatcher *dispatcher, struct scope_table *table)
{
    uintptr_t base = (uintptr_t)dispatcher->image_base;
    table->module = registry_at(base);
    if (table->module == NULL || (uintptr_t)table->module->base != base) {
        return false;
    }
    uint32_t rva = (uint32_t)((uintptr_t)dispatcher->handler_data - base);
    const uint8_t *data = module_span(table->module, rva, 4);
    table->count = data != NULL ? read_u32(data) : 0;
    if (data == NULL ||
        module_span(table->module, rva, 4 + sizeof(struct scope) * (uint64_t)table->count) == NULL) {
        return false;
    }
    table->scopes = (const struct scope *)(data + 4);
    table->pc = (uint32_t)(dispatcher->control_pc - base);
    table->target_pc = (uint32_t)(dispatcher->target_ip - base);
    return true;
}

static bool covers(const struct scope *scope, uint32_t pc)
{
    return pc >= scope->begin && pc < scope->end;
}

static void *scope_code(const struct scope_table *table, const struct scope *scope,
                        struct seh_context *context, struct seh_record *record)
{
    if (!module_executable(table->module, scope->handler)) {
        seh_fatal(LOADER_FAULT_UNWIND, STATUS_BAD_STACK, context, record);
    }
    return table->module->base + scope->handler;
}

static int search(struct scope_table *table, struct seh_record *record, uint64_t establisher,
                  struct seh_context *context, struct seh_dispatcher *dispatcher)
{
    for (uint32_t i = dispatcher->scope_index; i < table->count; i++) {
        const struct scope *scope = &table->scopes[i];
        if (!covers(scope, table->pc) || scope->target == 0) {
            continue;
        }
        int verdict = FILTER_EXECUTE_HANDLER;
        if (scope->handler != FILTER_EXECUTE_HANDLER) {
            struct seh_pointers pointers = {.record = record, .context = context};
            scope_filter *filter = (scope_filter *)scope_code(table, scope, context, record);
            verdict = filter(&pointers, establisher);
        }
        if (verdict < 0) {
            return SEH_CONTINUE_EXECUTION;
        }
        if (verdict > 0) {
            struct seh_context here;
            seh_capture(&here);
            seh_unwind(&here, establisher, dispatcher->image_base + scope->target, record, record->code);
        }
    }
    return SEH_CONTINUE_SEARCH;
}

static int unwind(struct scope_table *table, struct seh_record *record, uint64_t establisher,
                  struct seh_context *context, struct seh_dispatcher *dispatcher)
{
    bool target = (record->flags & SEH_TARGET_UNWIND) != 0;
    for (uint32_t i = dispatcher->scope_index; i < table->count; i++) {
        const struct scope *scope = &table->scopes[i];
        if (!covers(scope, table->pc)) {
            continue;
        }
        // The unwind ends here: in this __except block, or at a place inside this __try.
        if (target &&
            (covers(scope, table->target_pc) || (scope->target != 0 && scope->target == table->target_pc))) {
            break;
        }
        if (scope->target == 0) {
            dispatcher->scope_index = i + 1; // should the block raise, it is not run again
            scope_finally *finally = (scope_finally *)scope_code(table, scope, context, record);
            finally(1, establisher);
        }
    }
    return SEH_CONTINUE_SEARCH;
}

int MS_ABI SehSpecificHandler(struct seh_record *record, uint64_t establisher, struct seh_context *context,
                              struct seh_dispatcher *dispatcher)
{
    struct scope_table table;
    if (!open_table(dispatcher, &table)) {
        seh_fatal(LOADER_FAULT_UNWIND, STATUS_BAD_STACK, context, record);
    }
    if ((record->flags & SEH_UNWINDING) != 0) {
        return unwind(&table, record, establisher, context, dispatcher);
    }
    return search(&table, record, establisher, context, dispatcher);
}
