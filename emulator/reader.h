// SPDX-License-Identifier: MIT
// The inside of an emulated reader.
#pragma once
#include "emulator/card/card.h"
#include "emulator/card/line.h"
#include "emulator/emulator.h"
#include "emulator/flaw.h"
#include "emulator/terminal.h"

#define EMU_NEVER UINT64_MAX

enum message { // CCID 1.1 table 6.1-1 and 6.2-1
    MSG_SET_PARAMETERS = 0x61,
    MSG_POWER_ON = 0x62,
    MSG_POWER_OFF = 0x63,
    MSG_GET_SLOT_STATUS = 0x65,
    MSG_SECURE = 0x69,
    MSG_T0_APDU = 0x6A,
    MSG_ESCAPE = 0x6B,
    MSG_GET_PARAMETERS = 0x6C,
    MSG_RESET_PARAMETERS = 0x6D,
    MSG_CLOCK = 0x6E,
    MSG_XFR_BLOCK = 0x6F,
    MSG_MECHANICAL = 0x71,
    MSG_ABORT = 0x72,
    MSG_SET_RATE = 0x73,
    MSG_DATA_BLOCK = 0x80,
    MSG_SLOT_STATUS = 0x81,
    MSG_PARAMETERS = 0x82,
    MSG_ESCAPE_REPLY = 0x83,
    MSG_RATE = 0x84,
};

enum failure { // bError with bmCommandStatus 1; below 80: index of the offending byte
    ERR_NOT_SUPPORTED = 0x00,
    ERR_LENGTH = 0x01,
    ERR_SLOT = 0x05,
    ERR_BYTE7 = 0x07, // bPowerSelect, bProtocolNum, bClockCommand, bFunction, bmChanges
    ERR_LEVEL = 0x08, // wLevelParameter
    ERR_SLOT_BUSY = 0xE0,
    ERR_PIN_CANCELLED = 0xEF,
    ERR_PIN_TIMEOUT = 0xF0,
    ERR_AUTO_SEQUENCE = 0xF2,
    ERR_PROCEDURE_BYTE = 0xF4,
    ERR_CLASS = 0xF5,
    ERR_PROTOCOL = 0xF6,
    ERR_ATR_TCK = 0xF7,
    ERR_ATR_TS = 0xF8,
    ERR_HARDWARE = 0xFB,
    ERR_OVERRUN = 0xFC,
    ERR_PARITY = 0xFD,
    ERR_MUTE = 0xFE,
    ERR_ABORTED = 0xFF,
};

enum feature { // dwFeatures, CCID 1.1 table 5.1-1
    FEATURE_AUTO_PARAMETERS = 0x02,
    FEATURE_AUTO_ACTIVATION = 0x04,
    FEATURE_AUTO_VOLTAGE = 0x08,
    FEATURE_AUTO_CLOCK = 0x10,
    FEATURE_AUTO_RATE = 0x20,
    FEATURE_NEGOTIATION = 0x40,
    FEATURE_AUTO_PPS = 0x80,
    FEATURE_CLOCK_STOP = 0x100,
    FEATURE_NAD = 0x200,
    FEATURE_AUTO_IFSD = 0x400,
    FEATURE_WAKE_UP = 0x100000,
};

enum level { LEVEL_CHARACTER, LEVEL_TPDU, LEVEL_SHORT, LEVEL_EXTENDED };
enum transport { TRANSPORT_BULK, TRANSPORT_ICCD_A, TRANSPORT_ICCD_B };

enum {
    HEADER_LENGTH = 10,
    MESSAGE_MAX = HEADER_LENGTH + CARD_COMMAND_MAX,
    MESSAGE_MIN_MAX = 271, // readers that announce less (263) take a 5 + 255 byte TPDU all the same
    PACKET_MAX = 64,
    REPLIES_MAX = 32,
    AUTO_SEQUENCE_US = 20000,
};

struct parameters { // abProtocolDataStructure, CCID 1.1 6.1.7
    uint8_t protocol, fidi, tccks, guard, waiting, clock_stop, ifsc, nad;
};

enum abort_state { ABORT_NONE, ABORT_CONTROL, ABORT_BULK }; // which of the pair has come

struct token { // ICCD version A
    uint8_t status, header[5], sw[2];
    bool single; // one byte at a time
    uint64_t deadline;
};

struct slot {
    struct emu_reader *reader;
    uint8_t number;
    bool active, changed, clock_stopped;
    bool was_off;        // since the last power on
    bool hangs;          // until it is powered off
    uint8_t unsettled;   // resets that T=1 parameters need
    uint64_t auto_until; // busy with the automatic activation
    struct parameters parameters;
    uint32_t clock_khz, rate_bps;
    uint8_t class_get_response, class_envelope;
    // the command the host waits for
    uint8_t command, sequence; // 0: none
    bool answered;             // its reply waits to be read
    bool extension_queued;
    uint64_t deadline;
    enum abort_state abort_state;
    uint8_t abort_sequence;
    // extended APDU level: parts
    bool chain_in;
    uint32_t response_sent;
    bool chain_out;
    // PIN entry
    bool typing;
    uint64_t typed_at, given_up_at;
    uint32_t pin_request_length;
    uint8_t pin_request[CARD_BLOCK_MAX + 32];
    struct token token;
    struct terminal terminal;
    uint32_t command_length, response_length;
    uint8_t small[16]; // data of parameter replies
    struct card card;
    uint8_t command_data[CARD_COMMAND_MAX];
    uint8_t response_data[CARD_COMMAND_MAX]; // an echoed escape is as long as a command
};

struct reply {
    uint8_t header[HEADER_LENGTH];
    struct slot *slot; // idle once this has been read; NULL: no
    const uint8_t *data;
    uint32_t length;
    bool extension;
};

struct emu_reader {
    struct emu_model model;
    enum level level;
    enum transport transport;
    uint32_t features, message_max;
    bool configured, suspended, wake_enabled;
    bool moved; // a card, and the host has not been told before the suspend
    bool halted_out, halted_in, halted_interrupt;
    unsigned slot_count;
    struct emu_user user;
    uint32_t fault_seen;       // messages that the fault could strike
    uint64_t fault_until;      // a reply is held back, 0: none
    bool fault_strikes;        // the reply being read
    bool fault_holds;          // for good
    bool fault_repeated;       // an interrupt message is due a second time
    uint32_t flaws[EMU_FLAWS]; // the arguments; 0: not this one
    bool iso_mode;             // out of EMV mode
    bool enabled_no_data;      // escape 80 02 00 was the last command
    bool emptied;              // the empty packet has been sent
    uint64_t flaw_until;       // replies come from then on, 0: now
    uint64_t quiet_since;      // the last command has been run
    struct emu_statistics statistics;
    struct reply replies[REPLIES_MAX];
    unsigned reply_first, reply_count;
    uint32_t reply_taken;
    uint8_t hardware_error[4];
    bool hardware_error_pending;
    uint32_t gathered; // bytes of a message that comes in several transfers
    uint8_t message[MESSAGE_MAX];
    struct slot slots[];
};

struct request { // one bulk OUT message, checked for length
    uint8_t type, sequence;
    const uint8_t *header, *data;
    uint32_t length;
};

// reader.c
uint32_t emu_dword(const uint8_t *at);
bool emu_reply_room(const struct emu_reader *reader);
void emu_pump(struct emu_reader *reader, uint64_t now);
void emu_configure(struct emu_reader *reader, uint64_t now, bool configured);
void emu_drop_reply(struct emu_reader *reader); // the oldest, as if it had been read
void emu_drop_replies(struct emu_reader *reader);

// control.c, descriptor.c
size_t emu_descriptor(const struct emu_reader *reader, uint16_t value,
                      uint8_t *data); // 0: no such; below 512

// bulk.c
enum emu_status emu_bulk_out(struct emu_reader *reader, uint64_t now, const uint8_t *data, size_t length);
void emu_run(struct slot *slot, uint64_t now, const struct request *request);
void emu_abort_control(struct slot *slot, uint8_t sequence);
void emu_answer(struct slot *slot, uint8_t parameter, const uint8_t *data, uint32_t length);
void emu_fail(struct slot *slot, uint8_t error);
void emu_extend(struct slot *slot, uint8_t multiplier);

// slot.c
uint8_t emu_slot_status(const struct slot *slot);
void emu_slot_power_off(struct slot *slot);
void emu_slot_overcurrent(struct slot *slot); // powered off, RDR_to_PC_HardwareError
uint8_t emu_slot_power_on(struct slot *slot, uint64_t now,
                          uint32_t *atr_length); // at any voltage; 0 or the failure
void emu_slot_auto_activate(struct slot *slot, uint64_t now);
void emu_power_on(struct slot *slot, uint64_t now, const struct request *request);
void emu_power_off(struct slot *slot, uint64_t now, const struct request *request);
void emu_line_send(struct slot *slot, uint64_t now, const uint8_t *bytes, size_t length);

// parameters.c
void emu_parameters_default(struct slot *slot);
uint8_t emu_parameters_from_atr(struct slot *slot, uint64_t now); // 0, or the failure
bool emu_rate_supported(const struct slot *slot, uint8_t fidi);
void emu_get_parameters(struct slot *slot, uint64_t now, const struct request *request);
void emu_set_parameters(struct slot *slot, uint64_t now, const struct request *request);
void emu_reset_parameters(struct slot *slot, uint64_t now, const struct request *request);
void emu_set_rate(struct slot *slot, uint64_t now, const struct request *request);

// commands.c
void emu_get_slot_status(struct slot *slot, uint64_t now, const struct request *request);
void emu_clock(struct slot *slot, uint64_t now, const struct request *request);
void emu_t0_apdu(struct slot *slot, uint64_t now, const struct request *request);
void emu_escape(struct slot *slot, uint64_t now, const struct request *request);
void emu_mechanical(struct slot *slot, uint64_t now, const struct request *request);

// exchange.c
void emu_xfr_block(struct slot *slot, uint64_t now, const struct request *request);
void emu_exchange_apdu(struct slot *slot, uint64_t now, const uint8_t *prologue); // the one in command_data
void emu_exchange_pump(struct slot *slot, uint64_t now);
uint64_t emu_exchange_next(const struct slot *slot);

// secure.c
void emu_secure(struct slot *slot, uint64_t now, const struct request *request);
uint64_t emu_secure_next(const struct slot *slot);
void emu_secure_event(struct slot *slot, uint64_t at);

// fault.c; true: the fault settles the transfer with *status.
bool emu_fault_out(struct emu_reader *reader, const uint8_t *data, size_t length, enum emu_status *status);
bool emu_fault_in(struct emu_reader *reader, uint64_t now, uint8_t *data, size_t *length,
                  enum emu_status *status);
void emu_fault_reply(struct emu_reader *reader, uint8_t *data, size_t *length); // a reply's first transfer
void emu_fault_abort(struct emu_reader *reader);
enum emu_fault_kind emu_fault_notify(struct emu_reader *reader); // what befalls this one

// flawed.c: what the flaws do where they do it
void emu_flawed_begin(struct emu_reader *reader);
void emu_flawed_command(struct slot *slot, uint64_t now, const struct request *request); // before it is run
uint8_t emu_flawed_power_on(struct slot *slot);                                          // 0 or the failure
bool emu_flawed_line(const struct slot *slot);                                           // nothing is heard
uint8_t emu_flawed_parameters(struct slot *slot, uint8_t protocol, uint8_t fidi);
// true: no reply yet, but *status.
bool emu_flawed_reply(struct emu_reader *reader, uint64_t now, size_t *length, enum emu_status *status);
bool emu_flawed_secure(struct slot *slot, const uint8_t *data, size_t length, size_t apdu); // true: refused
bool emu_flawed_entry(struct slot *slot, uint64_t now); // true: the PIN ends before it has begun

// iccd.c; data: what came with an OUT request, room for an IN one
enum emu_status emu_iccd_request(struct emu_reader *reader, uint64_t now, const struct emu_setup *setup,
                                 uint8_t *data, size_t *length);
