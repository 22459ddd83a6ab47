// SPDX-License-Identifier: MIT
// The Win64 structures of exception handling, as drivers see them, in plain C; and saving and restoring a
// context.
#pragma once
#include <stddef.h>
#include <stdint.h>

#define MS_ABI __attribute__((ms_abi))

enum seh_register {
    SEH_RAX,
    SEH_RCX,
    SEH_RDX,
    SEH_RBX,
    SEH_RSP,
    SEH_RBP,
    SEH_RSI,
    SEH_RDI,
    SEH_R8,
    SEH_R15 = 15
};
#define SEH_CONTEXT_FULL 0x10000bu // control, integer and floating point registers of x64

struct seh_xmm {
    uint64_t low;
    uint64_t high;
};

// CONTEXT. The floating point part has the format of FXSAVE.
struct seh_context {
    uint64_t home[6];
    uint32_t flags;
    uint32_t mxcsr;
    uint16_t segments[6];
    uint32_t eflags;
    uint64_t debug[6];
    uint64_t registers[16];
    uint64_t rip;
    uint8_t float_control[32];
    uint64_t x87[16];
    struct seh_xmm xmm[16];
    uint8_t float_reserved[96];
    uint8_t vector[26 * 16 + 6 * 8];
} __attribute__((aligned(16)));

_Static_assert(offsetof(struct seh_context, registers) == 0x78, "CONTEXT.Rax");
_Static_assert(offsetof(struct seh_context, rip) == 0xf8, "CONTEXT.Rip");
_Static_assert(offsetof(struct seh_context, xmm) == 0x1a0, "CONTEXT.Xmm0");
_Static_assert(sizeof(struct seh_context) == 0x4d0, "CONTEXT");

enum {
    SEH_NONCONTINUABLE = 0x01,
    SEH_UNWINDING = 0x02,
    SEH_EXIT_UNWIND = 0x04,
    SEH_STACK_INVALID = 0x08,
    SEH_NESTED_CALL = 0x10,
    SEH_TARGET_UNWIND = 0x20,
    SEH_COLLIDED_UNWIND = 0x40,
};

// EXCEPTION_RECORD
struct seh_record {
    uint32_t code;
    uint32_t flags;
    struct seh_record *chained;
    uint64_t address;
    uint32_t parameter_count;
    uint64_t parameters[15];
};

// EXCEPTION_POINTERS
struct seh_pointers {
    struct seh_record *record;
    struct seh_context *context;
};

struct runtime_function;
struct seh_dispatcher;
typedef int MS_ABI seh_handler(struct seh_record *record, uint64_t establisher, struct seh_context *context,
                               struct seh_dispatcher *dispatcher);

// DISPATCHER_CONTEXT
struct seh_dispatcher {
    uint64_t control_pc;
    uint64_t image_base;
    const struct runtime_function *function;
    uint64_t establisher;
    uint64_t target_ip;
    struct seh_context *context;
    seh_handler *handler;
    const void *handler_data;
    void *history;
    uint32_t scope_index;
    uint32_t fill;
};

enum seh_disposition { SEH_CONTINUE_EXECUTION, SEH_CONTINUE_SEARCH };

#define STATUS_DATATYPE_MISALIGNMENT    0x80000002u
#define STATUS_BREAKPOINT               0x80000003u
#define STATUS_SINGLE_STEP              0x80000004u
#define STATUS_ACCESS_VIOLATION         0xc0000005u
#define STATUS_IN_PAGE_ERROR            0xc0000006u
#define STATUS_ILLEGAL_INSTRUCTION      0xc000001du
#define STATUS_NONCONTINUABLE_EXCEPTION 0xc0000025u
#define STATUS_INVALID_DISPOSITION      0xc0000026u
#define STATUS_UNWIND                   0xc0000027u
#define STATUS_BAD_STACK                0xc0000028u
#define STATUS_INVALID_UNWIND_TARGET    0xc0000029u
#define STATUS_FLOAT_INVALID_OPERATION  0xc0000090u
#define STATUS_INTEGER_DIVIDE_BY_ZERO   0xc0000094u
#define STATUS_INTEGER_OVERFLOW         0xc0000095u
#define STATUS_ASSERTION_FAILURE        0xc0000420u

// Loads every register and the flags. The 32 bytes below the target's stack pointer are overwritten;
// `context` may lie below them.
_Noreturn void seh_restore(const struct seh_context *context);
// The caller's registers as they are on return from the call.
void seh_capture(struct seh_context *context);
