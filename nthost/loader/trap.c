// SPDX-License-Identifier: MIT
// Faults of driver code. The handler only saves the state and moves the thread on: what follows, from an IRQL
// change to an exception's handlers, runs as ordinary code on the driver's own stack.
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <ucontext.h>

#include "nthost/loader/bytes.h"
#include "nthost/loader/decode.h"
#include "nthost/loader/seh/dispatch.h"
#include "nthost/loader/thread.h"

enum {
    TRAP_COUNT = 5,
    INSTRUCTION_LIMIT = 15,
    STACK_RESERVE = 16 << 10,
    GUARD_REACH = 1 << 20,
    HOST_RED_ZONE = 128,
    FXSAVE_SIZE = 512
};
enum { PAGE_FAULT_WRITE = 2, PAGE_FAULT_FETCH = 16, TRAP_PAGE_FAULT = 14 };

static const int signals[TRAP_COUNT] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP};
static struct sigaction previous[TRAP_COUNT];
static struct loader_host host_storage;
static _Atomic(const struct loader_host *) current_host;

struct trap {
    struct seh_context context;
    int signal;
    int code;
    bool page_fault;
    uint64_t error;
    uint64_t address; // touched
};

static const int context_order[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                                      REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};

const struct loader_host *loader_host(void)
{
    return atomic_load_explicit(&current_host, memory_order_acquire);
}

// ---- on the driver's stack ----

static void decode_at(uint64_t rip, struct decoded *decoded)
{
    const struct loader_module *module = registry_at(rip);
    *decoded = (struct decoded){.kind = DECODE_OTHER};
    if (module == NULL) {
        return;
    }
    uint32_t rva = (uint32_t)(rip - (uintptr_t)module->base);
    const struct image_section *section = image_section_at(&module->image, rva, 1);
    if (section != NULL && (section->flags & IMAGE_SECTION_EXECUTE) != 0) {
        uint32_t room = section->rva + section->size - rva;
        decode(module->base + rva, room < INSTRUCTION_LIMIT ? room : INSTRUCTION_LIMIT, decoded);
    }
}

static bool access_port(const struct decoded *decoded, struct seh_context *context)
{
    const struct loader_host *host = loader_host();
    uint64_t *rax = &context->registers[SEH_RAX];
    uint64_t mask = decoded->width == 4 ? UINT32_MAX : (1ull << (8 * decoded->width)) - 1;
    uint16_t port = decoded->immediate_port ? decoded->port : (uint16_t)context->registers[SEH_RDX];
    uint32_t value = (uint32_t)(*rax & mask);
    if (decoded->kind == DECODE_PORT_WRITE) {
        return host->port_write != NULL && host->port_write(host->context, port, decoded->width, value);
    }
    if (host->port_read == NULL || !host->port_read(host->context, port, decoded->width, &value)) {
        return false;
    }
    // A 32-bit result clears the upper half, a shorter one leaves the rest.
    *rax = decoded->width == 4 ? value : (*rax & ~mask) | (value & mask);
    return true;
}

static uint32_t arithmetic_status(int code)
{
    switch (code) {
    case FPE_INTDIV:
        return STATUS_INTEGER_DIVIDE_BY_ZERO;
    case FPE_INTOVF:
        return STATUS_INTEGER_OVERFLOW;
    default:
        return STATUS_FLOAT_INVALID_OPERATION;
    }
}

static void memory_record(const struct trap *trap, struct seh_record *record)
{
    bool write = (trap->error & PAGE_FAULT_WRITE) != 0;
    bool fetch = (trap->error & PAGE_FAULT_FETCH) != 0;
    record->code = STATUS_ACCESS_VIOLATION;
    record->parameter_count = 2;
    // A general protection fault does not say which address; Windows then says all ones.
    record->parameters[0] = !trap->page_fault ? 0 : fetch ? 8 : write ? 1 : 0;
    record->parameters[1] = trap->page_fault ? trap->address : UINT64_MAX;
}

static void make_record(const struct trap *trap, enum decode_kind kind, struct seh_record *record)
{
    if (kind == DECODE_BREAKPOINT) {
        record->code = STATUS_BREAKPOINT;
    } else if (kind == DECODE_ASSERTION) {
        record->code = STATUS_ASSERTION_FAILURE;
    } else if (trap->signal == SIGFPE) {
        record->code = arithmetic_status(trap->code);
    } else if (trap->signal == SIGILL) {
        record->code = STATUS_ILLEGAL_INSTRUCTION;
    } else if (trap->signal == SIGTRAP) {
        record->code = STATUS_SINGLE_STEP;
    } else if (trap->signal == SIGBUS) {
        record->code = trap->code == BUS_ADRALN ? STATUS_DATATYPE_MISALIGNMENT : STATUS_IN_PAGE_ERROR;
    } else {
        memory_record(trap, record);
    }
}

static _Noreturn void raise_exception(struct trap *trap, enum decode_kind kind)
{
    struct seh_record record = {.address = trap->context.rip};
    make_record(trap, kind, &record);
    seh_dispatch(&record, &trap->context);
}

__attribute__((used)) static _Noreturn void enter_trap(struct trap *trap)
{
    const struct loader_host *host = loader_host();
    struct seh_context *context = &trap->context;
    struct decoded decoded;
    decode_at(context->rip, &decoded);
    switch (decoded.kind) {
    case DECODE_WRITE_IRQL:
        host->irql_write(host->context, (uint8_t)(context->registers[decoded.register_] & 15));
        break;
    case DECODE_PORT_READ:
    case DECODE_PORT_WRITE:
        if (!access_port(&decoded, context)) {
            seh_fatal(LOADER_FAULT_PRIVILEGED, decoded.opcode, context, NULL);
        }
        break;
    case DECODE_FAST_FAIL:
        seh_fatal(LOADER_FAULT_FAST_FAIL, (uint32_t)context->registers[SEH_RCX], context, NULL);
    case DECODE_PRIVILEGED:
        seh_fatal(LOADER_FAULT_PRIVILEGED, decoded.opcode, context, NULL);
    default:
        raise_exception(trap, decoded.kind);
    }
    context->rip += decoded.length;
    seh_resume(context);
}

// ---- in the signal handler ----

static bool from_driver(const siginfo_t *info, const ucontext_t *state, const struct unwind_stack *stack)
{
    const greg_t *registers = state->uc_mcontext.gregs;
    if (info->si_code <= 0) {
        return false; // sent by somebody
    }
    if (registry_at((uintptr_t)registers[REG_RIP]) != NULL) {
        return true;
    }
    // A driver that called through a wild pointer: the fault is at the target, the return address in the
    // driver.
    const void *top = unwind_read(stack, (uint64_t)registers[REG_RSP], 8);
    return (registers[REG_ERR] & PAGE_FAULT_FETCH) != 0 && info->si_addr == (void *)registers[REG_RIP] &&
           top != NULL && registry_at(read_u64(top)) != NULL;
}

static bool read_irql(ucontext_t *state)
{
    const struct loader_host *host = loader_host();
    greg_t *registers = state->uc_mcontext.gregs;
    struct decoded decoded;
    decode_at((uint64_t)registers[REG_RIP], &decoded);
    if (decoded.kind != DECODE_READ_IRQL) {
        return false;
    }
    registers[context_order[decoded.register_]] = host->irql_read(host->context);
    registers[REG_RIP] += decoded.length;
    return true;
}

static void save_context(const ucontext_t *state, struct seh_context *context)
{
    const greg_t *registers = state->uc_mcontext.gregs;
    memset(context, 0, sizeof *context);
    context->flags = SEH_CONTEXT_FULL;
    for (unsigned i = 0; i < 16; i++) {
        context->registers[i] = (uint64_t)registers[context_order[i]];
    }
    context->rip = (uint64_t)registers[REG_RIP];
    context->eflags = (uint32_t)registers[REG_EFL];
    context->mxcsr = state->uc_mcontext.fpregs->mxcsr;
    memcpy((uint8_t *)context + offsetof(struct seh_context, float_control), state->uc_mcontext.fpregs,
           FXSAVE_SIZE);
}

static void move_to_trap(int signal, const siginfo_t *info, ucontext_t *state)
{
    greg_t *registers = state->uc_mcontext.gregs;
    uintptr_t top = ((uintptr_t)registers[REG_RSP] - HOST_RED_ZONE - sizeof(struct trap)) & ~(uintptr_t)63;
    struct trap *trap = (struct trap *)top;
    save_context(state, &trap->context);
    trap->signal = signal;
    trap->code = info->si_code;
    trap->page_fault = registers[REG_TRAPNO] == TRAP_PAGE_FAULT;
    trap->error = (uint64_t)registers[REG_ERR];
    trap->address = (uint64_t)(uintptr_t)info->si_addr;
    if (signal == SIGTRAP && info->si_code == SI_KERNEL) {
        trap->context.rip--; // Linux reports the address behind an int3, NT that of the instruction
    }
    registers[REG_RDI] = (greg_t)top;
    registers[REG_RSP] = (greg_t)(top - 8); // as after a call
    registers[REG_RIP] = (greg_t)(uintptr_t)enter_trap;
    registers[REG_EFL] &= ~0x40500; // direction, trap and alignment check flags
}

// Of the stack itself, or of a probe for a large frame: such a probe (__chkstk) runs ahead of the stack
// pointer.
static bool overflows(const siginfo_t *info, const ucontext_t *state, const struct unwind_stack *stack)
{
    uintptr_t rsp = (uintptr_t)state->uc_mcontext.gregs[REG_RSP];
    uintptr_t touched = (uintptr_t)info->si_addr;
    bool fault = state->uc_mcontext.gregs[REG_TRAPNO] == TRAP_PAGE_FAULT;
    return rsp < stack->low + STACK_RESERVE || rsp > stack->high ||
           (fault && touched < rsp && stack->low + STACK_RESERVE - touched < GUARD_REACH);
}

static _Noreturn void report_overflow(const ucontext_t *state)
{
    struct loader_fault fault = {.kind = LOADER_FAULT_STACK_OVERFLOW, .code = STATUS_BAD_STACK, .depth = 1};
    char where[128];
    fault.address = (uintptr_t)state->uc_mcontext.gregs[REG_RIP];
    fault.frames[0] = fault.address;
    (void)loader_describe(fault.address, where, sizeof where);
    snprintf(fault.text, sizeof fault.text, "the kernel stack is used up at %s", where);
    seh_report(&fault);
}

static void chain(int signal, siginfo_t *info, void *state)
{
    for (unsigned i = 0; i < TRAP_COUNT; i++) {
        if (signals[i] != signal) {
            continue;
        }
        const struct sigaction *action = &previous[i];
        if ((action->sa_flags & SA_SIGINFO) != 0) {
            action->sa_sigaction(signal, info, state);
        } else if (action->sa_handler != SIG_DFL && action->sa_handler != SIG_IGN) {
            action->sa_handler(signal);
        } else {
            sigaction(signal, action, NULL); // the instruction faults again and does what it would have done
        }
    }
}

static void on_signal(int signal, siginfo_t *info, void *raw)
{
    int saved_errno = errno;
    ucontext_t *state = raw;
    struct unwind_stack stack;
    bool entered = thread_entered_stack(&stack);
    if (!entered || !from_driver(info, state, &stack)) {
        chain(signal, info, raw);
    } else if (!read_irql(state)) {
        if (overflows(info, state, &stack)) {
            report_overflow(state);
        }
        move_to_trap(signal, info, state);
    }
    errno = saved_errno;
}

// ---- starting and stopping ----

int loader_start(const struct loader_host *host)
{
    if (loader_host() != NULL) {
        return -EALREADY;
    }
    host_storage = *host;
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    for (unsigned i = 0; i < TRAP_COUNT; i++) {
        if (sigaction(signals[i], &action, &previous[i]) != 0) {
            int result = -errno;
            while (i-- > 0) {
                (void)sigaction(signals[i], &previous[i], NULL);
            }
            return result;
        }
    }
    atomic_store_explicit(&current_host, &host_storage, memory_order_release);
    return 0;
}

void loader_stop(void)
{
    if (loader_host() == NULL) {
        return;
    }
    for (unsigned i = 0; i < TRAP_COUNT; i++) {
        (void)sigaction(signals[i], &previous[i], NULL);
    }
    atomic_store_explicit(&current_host, NULL, memory_order_release);
}
