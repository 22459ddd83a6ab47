// SPDX-License-Identifier: MIT
#include "nthost/loader/decode.h"

#include <string.h>

struct prefixes {
    unsigned length;
    bool operand_size; // 66h
    uint8_t rex;
};

static struct prefixes skip_prefixes(const uint8_t *code, size_t length)
{
    struct prefixes prefixes = {0};
    for (; prefixes.length < length; prefixes.length++) {
        uint8_t byte = code[prefixes.length];
        if (byte == 0x66) {
            prefixes.operand_size = true;
        } else if ((byte & 0xf0) == 0x40) {
            prefixes.rex = byte;
        } else if (byte == 0 || strchr("\x67\xf2\xf3\x2e\x3e\x26\x36\x64\x65\xf0", byte) == NULL) {
            break;
        }
    }
    return prefixes;
}

static void decode_two_byte(const uint8_t *code, size_t length, uint8_t rex, struct decoded *result)
{
    static const uint8_t privileged[] = {0x00, 0x01, 0x06, 0x07, 0x08, 0x09, 0x20,
                                         0x21, 0x22, 0x23, 0x30, 0x32, 0x33, 0x35};
    uint8_t opcode = code[1];
    if (memchr(privileged, opcode, sizeof privileged) == NULL) {
        return;
    }
    result->kind = DECODE_PRIVILEGED;
    // REX.R and reg 0 name CR8; mod is ignored, always a register.
    if ((opcode == 0x20 || opcode == 0x22) && (rex & 4) != 0 && length > 2 && ((code[2] >> 3) & 7) == 0) {
        result->kind = opcode == 0x20 ? DECODE_READ_IRQL : DECODE_WRITE_IRQL;
        result->register_ = (code[2] & 7u) | (rex & 1 ? 8u : 0u);
        result->length += 3;
    }
}

static void decode_port(const uint8_t *code, size_t length, bool operand_size, struct decoded *result)
{
    uint8_t opcode = code[0];
    bool immediate = (opcode & 8) == 0;
    if (immediate && length < 2) {
        return;
    }
    result->kind = (opcode & 2) != 0 ? DECODE_PORT_WRITE : DECODE_PORT_READ;
    result->width = (opcode & 1) == 0 ? 1 : operand_size ? 2 : 4;
    result->immediate_port = immediate;
    result->port = immediate ? code[1] : 0;
    result->length += immediate ? 2 : 1;
}

static void decode_interrupt(uint8_t number, struct decoded *result)
{
    result->length += 2;
    if (number == 0x29) {
        result->kind = DECODE_FAST_FAIL;
    } else if (number == 0x2c) {
        result->kind = DECODE_ASSERTION;
    } else if (number == 0x2d || number == 0x03) {
        result->kind = DECODE_BREAKPOINT;
    }
}

void decode(const uint8_t *code, size_t length, struct decoded *result)
{
    struct prefixes prefixes = skip_prefixes(code, length);
    *result = (struct decoded){.kind = DECODE_OTHER, .length = prefixes.length};
    if (prefixes.length >= length) {
        return;
    }
    code += prefixes.length;
    length -= prefixes.length;
    result->opcode = code[0];
    switch (code[0]) {
    case 0x0f:
        if (length > 1) {
            decode_two_byte(code, length, prefixes.rex, result);
        }
        break;
    case 0xcc:
        result->kind = DECODE_BREAKPOINT;
        result->length += 1;
        break;
    case 0xcd:
        if (length > 1) {
            decode_interrupt(code[1], result);
        }
        break;
    case 0xe4:
    case 0xe5:
    case 0xe6:
    case 0xe7:
    case 0xec:
    case 0xed:
    case 0xee:
    case 0xef:
        decode_port(code, length, prefixes.operand_size, result);
        break;
    case 0x6c: // ins, outs
    case 0x6d:
    case 0x6e:
    case 0x6f:
    case 0xf4: // hlt
    case 0xfa: // cli
    case 0xfb: // sti
        result->kind = DECODE_PRIVILEGED;
        break;
    default:
        break;
    }
}
