// SPDX-License-Identifier: MIT
// Our own .eh_frame is trusted: it comes from the compiler that built this process.
#include "nthost/loader/seh/dwarf.h"

#include <errno.h>
#include <string.h>

#include "nthost/loader/bytes.h"

// Of libgcc, which every Linux C program links: the frame description entry that covers an address.
struct dwarf_eh_bases {
    void *text;
    void *data;
    void *function;
};
extern const void *_Unwind_Find_FDE(void *pc, struct dwarf_eh_bases *bases);

enum { REMEMBER_LIMIT = 4, ENCODING_OMIT = 0xff, ENCODING_FORMAT = 0x0f };

struct cie {
    uint64_t code_alignment;
    int64_t data_alignment;
    uint8_t pointer_encoding;
    bool augmented;
    const uint8_t *program;
    const uint8_t *end;
};

struct machine {
    const struct cie *cie;
    struct dwarf_row row;
    struct dwarf_row initial;
    struct dwarf_row remembered[REMEMBER_LIMIT];
    unsigned depth;
    uintptr_t location;
    uintptr_t target;
};

static uint64_t read_uleb(const uint8_t **at)
{
    uint64_t value = 0;
    unsigned shift = 0;
    uint8_t byte;
    do {
        byte = *(*at)++;
        value |= shift < 64 ? (uint64_t)(byte & 0x7f) << shift : 0;
        shift += 7;
    } while ((byte & 0x80) != 0);
    return value;
}

static int64_t read_sleb(const uint8_t **at)
{
    const uint8_t *start = *at;
    uint64_t value = read_uleb(at);
    unsigned bits = 7 * (unsigned)(*at - start);
    if (bits < 64 && ((*at)[-1] & 0x40) != 0) {
        value |= ~0ull << bits;
    }
    return (int64_t)value;
}

static size_t encoded_size(uint8_t encoding)
{
    static const uint8_t sizes[8] = {8, 0, 2, 4, 8, 0, 0, 0};
    return encoding == ENCODING_OMIT ? 0 : sizes[encoding & 7];
}

static int read_augmentation(struct cie *cie, const char *text, const uint8_t *data)
{
    cie->pointer_encoding = 0;
    for (text++; *text != '\0'; text++) {
        switch (*text) {
        case 'R':
            cie->pointer_encoding = *data++;
            break;
        case 'L':
            data++;
            break;
        case 'P':
            data += 1 + encoded_size(*data);
            break;
        case 'S': // the frame of a signal handler's caller: its state is not in the usual places
        default:
            return -ENOENT;
        }
    }
    return 0;
}

static int read_cie(const uint8_t *entry, struct cie *cie)
{
    cie->end = entry + 4 + read_u32(entry);
    const uint8_t *at = entry + 8;
    uint8_t version = *at++;
    const char *augmentation = (const char *)at;
    at += strlen(augmentation) + 1;
    cie->code_alignment = read_uleb(&at);
    cie->data_alignment = read_sleb(&at);
    if (version == 1) {
        at++;
    } else {
        (void)read_uleb(&at);
    }
    cie->augmented = augmentation[0] == 'z';
    cie->pointer_encoding = 0;
    int result = 0;
    if (cie->augmented) {
        uint64_t size = read_uleb(&at);
        result = read_augmentation(cie, augmentation, at);
        at += size;
    }
    cie->program = at;
    return cie->augmented || augmentation[0] == '\0' ? result : -ENOENT;
}

static void set_rule(struct machine *machine, uint64_t number, enum dwarf_rule_kind kind, int64_t offset)
{
    if (number < DWARF_REGISTERS) {
        machine->row.rules[number] = (struct dwarf_rule){.kind = kind, .offset = offset};
    }
}

static void set_expression(struct machine *machine, uint64_t number, enum dwarf_rule_kind kind,
                           const uint8_t **at)
{
    size_t size = read_uleb(at);
    if (number < DWARF_REGISTERS) {
        machine->row.rules[number] =
            (struct dwarf_rule){.kind = kind, .expression = *at, .expression_size = size};
    }
    *at += size;
}

static void define_cfa(struct machine *machine, unsigned number, int64_t offset)
{
    machine->row.cfa = (struct dwarf_rule){.kind = DWARF_REGISTER, .offset = offset};
    machine->row.cfa_register = number;
}

static void restore_rule(struct machine *machine, uint64_t number)
{
    if (number < DWARF_REGISTERS) {
        machine->row.rules[number] = machine->initial.rules[number];
    }
}

static int define_cfa_opcode(struct machine *machine, uint8_t opcode, const uint8_t **at)
{
    int64_t factor = machine->cie->data_alignment;
    unsigned number = machine->row.cfa_register;
    switch (opcode) {
    case 0x0c: // DW_CFA_def_cfa
        number = (unsigned)read_uleb(at);
        define_cfa(machine, number, (int64_t)read_uleb(at));
        return 0;
    case 0x0d: // DW_CFA_def_cfa_register
        define_cfa(machine, (unsigned)read_uleb(at), machine->row.cfa.offset);
        return 0;
    case 0x0e: // DW_CFA_def_cfa_offset
        define_cfa(machine, number, (int64_t)read_uleb(at));
        return 0;
    case 0x0f: { // DW_CFA_def_cfa_expression
        size_t size = read_uleb(at);
        machine->row.cfa =
            (struct dwarf_rule){.kind = DWARF_VALUE_EXPRESSION, .expression = *at, .expression_size = size};
        *at += size;
        return 0;
    }
    case 0x12: // DW_CFA_def_cfa_sf
        number = (unsigned)read_uleb(at);
        define_cfa(machine, number, read_sleb(at) * factor);
        return 0;
    case 0x13: // DW_CFA_def_cfa_offset_sf
        define_cfa(machine, number, read_sleb(at) * factor);
        return 0;
    default:
        return -ENOENT;
    }
}

static int state_opcode(struct machine *machine, uint8_t opcode)
{
    if (opcode == 0x0a && machine->depth < REMEMBER_LIMIT) { // DW_CFA_remember_state
        machine->remembered[machine->depth++] = machine->row;
        return 0;
    }
    if (opcode == 0x0b && machine->depth > 0) { // DW_CFA_restore_state
        machine->row = machine->remembered[--machine->depth];
        return 0;
    }
    return -ENOENT;
}

static int rule_opcode(struct machine *machine, uint8_t opcode, const uint8_t **at)
{
    int64_t factor = machine->cie->data_alignment;
    if (opcode == 0x0a || opcode == 0x0b) {
        return state_opcode(machine, opcode);
    }
    if (opcode >= 0x0c && opcode <= 0x13 && opcode != 0x10 && opcode != 0x11) {
        return define_cfa_opcode(machine, opcode, at);
    }
    uint64_t number = read_uleb(at); // of all that is left, the first operand is a register or a size
    switch (opcode) {
    case 0x05: // DW_CFA_offset_extended
        set_rule(machine, number, DWARF_OFFSET, (int64_t)read_uleb(at) * factor);
        return 0;
    case 0x06: // DW_CFA_restore_extended
        restore_rule(machine, number);
        return 0;
    case 0x07: // DW_CFA_undefined
        set_rule(machine, number, DWARF_UNDEFINED, 0);
        return 0;
    case 0x08: // DW_CFA_same_value
        set_rule(machine, number, DWARF_SAME, 0);
        return 0;
    case 0x09: // DW_CFA_register
        set_rule(machine, number, DWARF_REGISTER, (int64_t)read_uleb(at));
        return 0;
    case 0x10: // DW_CFA_expression
        set_expression(machine, number, DWARF_EXPRESSION, at);
        return 0;
    case 0x11: // DW_CFA_offset_extended_sf
        set_rule(machine, number, DWARF_OFFSET, read_sleb(at) * factor);
        return 0;
    case 0x14: // DW_CFA_val_offset
        set_rule(machine, number, DWARF_VALUE_OFFSET, (int64_t)read_uleb(at) * factor);
        return 0;
    case 0x16: // DW_CFA_val_expression
        set_expression(machine, number, DWARF_VALUE_EXPRESSION, at);
        return 0;
    case 0x2e: // DW_CFA_GNU_args_size
        return 0;
    default:
        return -ENOENT;
    }
}

static int advance(struct machine *machine, uint8_t opcode, const uint8_t **at)
{
    uint64_t delta = opcode & 0x3f;
    if (opcode == 0x02) { // DW_CFA_advance_loc1, 2, 4
        delta = *(*at)++;
    } else if (opcode == 0x03) {
        delta = read_u16(*at);
        *at += 2;
    } else if (opcode == 0x04) {
        delta = read_u32(*at);
        *at += 4;
    }
    machine->location += delta * machine->cie->code_alignment;
    return 0;
}

static int run(struct machine *machine, const uint8_t *at, const uint8_t *end)
{
    int result = 0;
    while (result == 0 && at < end && machine->location <= machine->target) {
        uint8_t opcode = *at++;
        uint8_t operand = opcode & 0x3f;
        if ((opcode & 0xc0) == 0x40 || (opcode >= 0x02 && opcode <= 0x04)) {
            result = advance(machine, opcode, &at);
        } else if ((opcode & 0xc0) == 0x80) {
            set_rule(machine, operand, DWARF_OFFSET, (int64_t)read_uleb(&at) * machine->cie->data_alignment);
        } else if ((opcode & 0xc0) == 0xc0) {
            restore_rule(machine, operand);
        } else if (opcode != 0x00) {
            result = rule_opcode(machine, opcode, &at);
        }
    }
    return result;
}

int dwarf_find_row(uintptr_t pc, bool call, struct dwarf_row *row)
{
    struct dwarf_eh_bases bases;
    uintptr_t target = call ? pc - 1 : pc;
    const uint8_t *entry = _Unwind_Find_FDE((void *)target, &bases);
    struct cie cie;
    if (entry == NULL || read_u32(entry) == UINT32_MAX ||
        read_cie(entry + 4 - read_u32(entry + 4), &cie) != 0) {
        return -ENOENT;
    }
    const uint8_t *program = entry + 8 + 2 * encoded_size(cie.pointer_encoding);
    if (cie.augmented) {
        uint64_t size = read_uleb(&program);
        program += size;
    }
    struct machine machine = {.cie = &cie, .location = (uintptr_t)bases.function, .target = target};
    int result = run(&machine, cie.program, cie.end);
    machine.initial = machine.row;
    if (result == 0) {
        result = run(&machine, program, entry + 4 + read_u32(entry));
    }
    *row = machine.row;
    return result;
}
