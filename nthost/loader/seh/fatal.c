// SPDX-License-Identifier: MIT
#include "nthost/loader/seh/dispatch.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void seh_report(struct loader_fault *fault)
{
    const struct loader_host *host = loader_host();
    if (host != NULL) {
        host->fatal(host->context, fault);
    }
    fprintf(stderr, "nthost: %s\n", fault->text);
    abort();
}

static void describe_exception(const struct loader_fault *fault, char *text, size_t size)
{
    const char *access = fault->parameters[0] == 1   ? "write to"
                         : fault->parameters[0] == 8 ? "jump to"
                                                     : "read from";
    if (fault->code == STATUS_ACCESS_VIOLATION) {
        snprintf(text, size, "access violation, %s 0x%zx", access, (size_t)fault->parameters[1]);
    } else {
        snprintf(text, size, "exception %08x", fault->code);
    }
}

_Noreturn void seh_fatal(enum loader_fault_kind kind, uint32_t code, const struct seh_context *context,
                         const struct seh_record *record)
{
    struct loader_fault fault = {.kind = kind, .code = code, .address = context->rip};
    char where[128];
    char what[96];
    if (record != NULL && record->code == code && record->parameter_count >= 2) {
        fault.parameters[0] = record->parameters[0];
        fault.parameters[1] = record->parameters[1];
    }
    switch (kind) {
    case LOADER_FAULT_FAST_FAIL:
        snprintf(what, sizeof what, "fast fail %u", code);
        break;
    case LOADER_FAULT_PRIVILEGED:
        snprintf(what, sizeof what, "privileged instruction %02x", code);
        break;
    case LOADER_FAULT_UNWIND:
        snprintf(what, sizeof what, "the stack cannot be unwound (%08x)", code);
        break;
    default:
        describe_exception(&fault, what, sizeof what);
        break;
    }
    (void)loader_describe(fault.address, where, sizeof where);
    snprintf(fault.text, sizeof fault.text, "%s at %s", what, where);
    fault.depth = seh_trace(context, fault.frames, LOADER_FRAMES);
    seh_report(&fault);
}
