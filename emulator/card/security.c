// SPDX-License-Identifier: MIT
// PIN and challenge, and the commands to try an interface device with.
#include "emulator/card/filesystem.h"

#include <string.h>

enum { CHALLENGE_SEED = 0x4C454354 };

void card_pin_insert(struct state *state)
{
    static const uint8_t pin[PIN_LENGTH] = {'1', '2', '3', '4', 0xFF, 0xFF, 0xFF, 0xFF};
    memcpy(state->pin, pin, sizeof pin);
    state->tries = PIN_TRIES;
    state->random = CHALLENGE_SEED;
}

static uint16_t check_pin(struct state *state, const uint8_t *pin)
{
    if (state->tries == 0) {
        return 0x6983;
    }
    state->verified = memcmp(pin, state->pin, PIN_LENGTH) == 0;
    state->tries = state->verified ? PIN_TRIES : (uint8_t)(state->tries - 1);
    return state->verified ? 0x9000 : (uint16_t)(0x63C0 | state->tries);
}

static bool pin_reference_valid(const struct card_command *command)
{
    return command->p2 == 0x01 || command->p2 == 0x81;
}

uint16_t card_verify(struct state *state, const struct card_command *command, struct card_response *response)
{
    (void)response;
    if (command->p1 != 0) {
        return 0x6A86;
    }
    if (!pin_reference_valid(command)) {
        return 0x6A88;
    }
    if (command->nc == 0) {
        return state->verified ? 0x9000 : state->tries == 0 ? 0x6983 : (uint16_t)(0x63C0 | state->tries);
    }
    return command->nc == PIN_LENGTH ? check_pin(state, command->data) : 0x6700;
}

uint16_t card_change_pin(struct state *state, const struct card_command *command,
                         struct card_response *response)
{
    (void)response;
    if (command->p1 != 0) {
        return 0x6A86;
    }
    if (!pin_reference_valid(command)) {
        return 0x6A88;
    }
    if (command->nc != (size_t)2 * PIN_LENGTH) {
        return 0x6700;
    }
    uint16_t sw = check_pin(state, command->data);
    if (sw == 0x9000) {
        memcpy(state->pin, command->data + PIN_LENGTH, PIN_LENGTH);
    }
    return sw;
}

uint16_t card_get_challenge(struct state *state, const struct card_command *command,
                            struct card_response *response)
{
    if (command->p1 != 0 || command->p2 != 0) {
        return 0x6A86;
    }
    if (command->nc != 0 || command->ne == 0 || (command->ne > 256 && !command->ne_any)) {
        return 0x6700;
    }
    response->length = command->ne > 256 ? 256 : command->ne;
    for (size_t i = 0; i < response->length; i++) {
        state->random ^= state->random << 13; // Marsaglia's xorshift32: reproducible, not secret
        state->random ^= state->random >> 17;
        state->random ^= state->random << 5;
        response->data[i] = (uint8_t)state->random;
    }
    return 0x9000;
}

// 80 10 P1-P2: works for P1-P2 tenths of a second.
uint16_t card_work(struct state *state, const struct card_command *command, struct card_response *response)
{
    (void)state;
    response->delay_us = ((uint32_t)command->p1 << 8 | command->p2) * 100000u;
    return 0x9000;
}

// 80 E0 P1-P2: bit 16 set: command data follow; bit 15: response data, as many as bits 14-1 say, and for 0 as
// many as Le (or, with command data, Lc) says. The response repeats the command data, or counts like the
// generated file.
uint16_t card_echo(struct state *state, const struct card_command *command, struct card_response *response)
{
    (void)state;
    size_t length = (size_t)(command->p1 & 0x3F) << 8 | command->p2;
    bool data = (command->p1 & 0x80) != 0;
    if (data != (command->nc != 0)) {
        return 0x6700;
    }
    if ((command->p1 & 0x40) == 0 || command->ne == 0) {
        return 0x9000;
    }
    if (length == 0) {
        length = data ? command->nc : command->ne;
    }
    response->length = length < command->ne ? length : command->ne;
    for (size_t i = 0; i < response->length; i++) {
        response->data[i] = data ? command->data[i % command->nc] : (uint8_t)(i + (i >> 8));
    }
    return 0x9000;
}
