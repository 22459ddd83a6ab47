// SPDX-License-Identifier: MIT
// A USB smart card reader (CCID 1.1, ICCD) and the cards in it, in software. Portable C: no operating system,
// no allocation, no lock; the caller serialises calls on one reader and passes the time in. Written from the
// CCID and ISO 7816 texts; shares no message code with the driver it is used to test.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    EMU_NAME_MAX = 64,
    EMU_SLOTS_MAX = 8,
    EMU_CLOCKS_MAX = 16,
    EMU_RATES_MAX = 256,
    EMU_CCID_DESCRIPTOR = 54
};

// What is wrong with a reader, for tests of its driver.
enum emu_fault_kind {
    EMU_FAULT_NONE,
    EMU_FAULT_DROP,   // replies that are never sent
    EMU_FAULT_LATE,   // replies come `argument` microseconds late
    EMU_FAULT_EXTEND, // a time extension of `argument` each second, and never the reply
    EMU_FAULT_TYPE,   // the reply's byte is XORed with `argument`
    EMU_FAULT_SLOT,
    EMU_FAULT_SEQUENCE,
    EMU_FAULT_ERROR,       // the command fails with bError `argument`, although it has been carried out
    EMU_FAULT_LENGTH,      // dwLength is `argument`, whatever follows
    EMU_FAULT_TRUNCATE,    // the transfer ends after `argument` bytes
    EMU_FAULT_STALL_IN,    // the endpoint halts instead of the reply
    EMU_FAULT_STALL_OUT,   // the endpoint halts instead of taking the command
    EMU_FAULT_DEAF,        // commands are taken and ignored
    EMU_FAULT_HOLD,        // from here on all pipes and the reader's class requests are silent
    EMU_FAULT_LOSE,        // interrupt messages that are never sent
    EMU_FAULT_REPEAT,      // interrupt messages are sent twice
    EMU_FAULT_OVERCURRENT, // RDR_to_PC_HardwareError instead of the interrupt message
    EMU_FAULT_BUSY         // takes commands of `argument` slots at a time, whatever its descriptor says
};

struct emu_fault {
    uint8_t kind, command; // command: only this bulk OUT message type and its replies, 0: all
    uint16_t reserved;
    uint32_t skip, count; // messages that are spared first, then those that suffer, 0: all
    uint32_t argument;
};

// What one reader model says of itself; one row of data/readers.tsv. Plain data: crosses the plug request as
// it is.
struct emu_model {
    char name[EMU_NAME_MAX];         // the row's name
    char manufacturer[EMU_NAME_MAX]; // string descriptors, UTF-8, empty: none
    char product[EMU_NAME_MAX];
    char serial[EMU_NAME_MAX];
    uint16_t vendor_id, product_id, release; // idVendor, idProduct, bcdDevice
    uint8_t interface_number, interface_class, interface_protocol, endpoints;
    uint8_t ccid[EMU_CCID_DESCRIPTOR]; // the class descriptor as on the wire
    uint8_t flawless;                  // it does not do what is known of its identity, see flaw.h
    uint8_t reserved;
    uint32_t clock_count, rate_count; // 0: the request is not supported
    uint32_t clocks_khz[EMU_RATES_MAX], rates_bps[EMU_RATES_MAX];
    struct emu_fault fault; // from the first message on
};

// Endpoint addresses of every emulated reader; a model with two endpoints lacks the interrupt one.
enum { EMU_EP_OUT = 0x01, EMU_EP_IN = 0x82, EMU_EP_INTERRUPT = 0x83 };

enum emu_status {
    EMU_OK,
    EMU_NAK,   // an IN endpoint has nothing yet, see emu_next_event(); an OUT endpoint has no room
    EMU_STALL, // halted until CLEAR_FEATURE(ENDPOINT_HALT), or an unsupported control request
    EMU_GONE,  // no such endpoint, or the model has died on purpose
};

struct emu_setup {
    uint8_t request_type, request;
    uint16_t value, index, length;
};

// Counted since emu_reader_init().
struct emu_statistics {
    uint64_t commands, responses; // bulk messages
    uint64_t bytes_out, bytes_in; // on the bulk pipes
    uint64_t notifications;       // interrupt messages
    uint64_t controls;            // control requests, standard ones included
    uint64_t time_extensions;     // among the responses
    uint64_t card_commands;       // APDUs that reached a card's application
    uint64_t suspends;            // of the port
    uint64_t resumes;
    uint64_t keystrokes; // digits of a PIN that reached the host as such
};

struct emu_reader;

size_t emu_reader_size(const struct emu_model *model);
// `memory`: emu_reader_size(model) bytes, 16-byte aligned; holds no resources, is abandoned without ceremony.
struct emu_reader *emu_reader_init(void *memory, const struct emu_model *model);
void emu_reader_reset(struct emu_reader *reader,
                      uint64_t now_us); // USB bus reset: unconfigured, slots unpowered

// One USB transfer. `now_us` never decreases. emu_out() may NAK too: nothing was taken, try again once the
// host has read from the bulk IN endpoint. Control: `*length` is the buffer's size going in (at most
// setup->length is used), the bytes moved coming out.
enum emu_status emu_control(struct emu_reader *reader, uint64_t now_us, const struct emu_setup *setup,
                            uint8_t *data, size_t *length);
enum emu_status emu_out(struct emu_reader *reader, uint64_t now_us, uint8_t endpoint, const uint8_t *data,
                        size_t length);
// `*length`: buffer size in, bytes received out. A message longer than the buffer continues in the next call.
enum emu_status emu_in(struct emu_reader *reader, uint64_t now_us, uint8_t endpoint, uint8_t *data,
                       size_t *length);
// When an IN endpoint that now NAKs may have something without further stimulus; UINT64_MAX: never.
uint64_t emu_next_event(const struct emu_reader *reader);
void emu_suspend(struct emu_reader *reader, uint64_t now_us,
                 bool suspended); // slots lose power as CCID 1.1 5.3 allows
// It signals resume, USB 2.0 7.1.7.7: suspended with DEVICE_REMOTE_WAKEUP, and a card has moved.
bool emu_wakes(const struct emu_reader *reader);

// Cards are named ("t0", "t1", ...); emu_card_name(i) lists them, NULL at the end.
const char *emu_card_name(size_t index);
const char *emu_card_description(size_t index);
// Who is asked for the cards of other names (card/card.h); what it returns stays valid. Set before any reader
// is there.
struct card_type;
typedef const struct card_type *emu_card_source(const char *name);
void emu_cards_from(emu_card_source *source);
// 0; -1: no such slot, -2: no such card, -3: slot already taken (insert) or empty (remove).
int emu_insert(struct emu_reader *reader, uint64_t now_us, unsigned slot, const char *card);
int emu_remove(struct emu_reader *reader, uint64_t now_us, unsigned slot);
unsigned emu_slots(const struct emu_reader *reader);

// The person at the PIN pad, who does the same each time. Default: "1234" for every entry, after two seconds.
enum { EMU_PIN_MAX = 17 };
struct emu_user {
    char pin[EMU_PIN_MAX], new_pin[EMU_PIN_MAX], confirmation[EMU_PIN_MAX]; // digits
    uint8_t cancels;   // presses the cancel key instead of the last one
    uint32_t delay_us; // from the request to the last key
};
void emu_user(struct emu_reader *reader, const struct emu_user *user);

// Replaces the fault, EMU_FAULT_NONE ends it; counting begins anew.
void emu_fault(struct emu_reader *reader, const struct emu_fault *fault);

void emu_reader_statistics(const struct emu_reader *reader, struct emu_statistics *statistics);

// Parses one line of readers.tsv (no newline needed). NULL, or what is wrong with it.
const char *emu_model_parse(const char *line, size_t length, struct emu_model *model);
