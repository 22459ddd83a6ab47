// SPDX-License-Identifier: MIT
// The reader's side of the line: what a reader does itself between one XfrBlock and its reply.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slot;

enum terminal_kind {
    TERMINAL_CHARACTERS, // a number of characters
    TERMINAL_PPS,        // one PPS response
    TERMINAL_BLOCK,      // one T=1 block
    TERMINAL_TPDU,       // one T=0 TPDU
    TERMINAL_APDU_T0,
    TERMINAL_APDU_T1,
};

enum terminal_result {
    TERMINAL_BUSY,   // waits for the card
    TERMINAL_DONE,   // the response is in slot->response_data
    TERMINAL_EXTEND, // the card asks for time: terminal.extension
    TERMINAL_FAILED, // terminal.error
};

struct terminal_t0 {
    uint8_t header[5];
    const uint8_t *data; // to send after the header
    uint16_t length, sent;
    uint16_t received, expected; // of this TPDU
    uint16_t burst;              // bytes to take until the next procedure byte
    uint8_t state, sw1;
    // APDU
    uint32_t ne;
    const uint8_t *envelope; // the rest of an APDU that goes in pieces
    uint32_t envelope_length;
    bool enveloped, data_only; // data_only: the APDU has command data, hence 6Cxx is no repetition
};

struct terminal_t1 {
    uint8_t ns, nr, ifsc;
    bool ifs_done;
    uint8_t state, retries, resyncs;
    uint32_t sent, chunk;
    uint8_t last[260];
    uint16_t last_length;
};

struct terminal {
    enum terminal_kind kind;
    uint8_t error, extension;
    uint64_t patience; // of the next wait, in microseconds
    uint32_t wanted;   // characters
    uint8_t in[260];
    uint16_t in_length;
    struct terminal_t0 t0;
    struct terminal_t1 t1;
};

void emu_terminal_reset(struct slot *slot); // after activation
uint64_t emu_terminal_waiting(const struct slot *slot, uint8_t multiplier);
void emu_terminal_characters(struct slot *slot, uint64_t now, const uint8_t *data, size_t length,
                             uint32_t wanted);
void emu_terminal_pps(struct slot *slot, uint64_t now, const uint8_t *data, size_t length);
void emu_terminal_block(struct slot *slot, uint64_t now, const uint8_t *data, size_t length,
                        uint8_t multiplier);
enum terminal_result emu_terminal_advance(struct slot *slot, uint64_t now); // the card has characters
enum terminal_result emu_terminal_timeout(struct slot *slot, uint64_t now); // it kept the reader waiting

// terminal_t0.c; `tpdu`, `apdu`: stay valid until done
void emu_t0_tpdu(struct slot *slot, uint64_t now, const uint8_t *tpdu, size_t length);
bool emu_t0_apdu_begin(struct slot *slot, uint64_t now); // the APDU in slot->command_data; false: malformed
enum terminal_result emu_t0_advance(struct slot *slot, uint64_t now);

// terminal_t1.c
void emu_t1_apdu_begin(struct slot *slot, uint64_t now);
void emu_t1_announce_ifsd(struct slot *slot, uint64_t now); // TPDU level with FEATURE_AUTO_IFSD
size_t emu_t1_append_edc(const struct slot *slot, uint8_t *block, size_t length); // the new length
enum terminal_result emu_t1_advance(struct slot *slot, uint64_t now);
enum terminal_result emu_t1_timeout(struct slot *slot, uint64_t now);
