// SPDX-License-Identifier: MIT
// Between the sources of rig/scenario/ only.
#pragma once
#include <stdarg.h>

#include "emulator/emulator.h"
#include "rig/rig.h"
#include "rig/scard.h"
#include "rig/scenario/scenario.h"
#include "rig/status.h"

enum { SCN_NAME_MAX = 32, SCN_STATUSES_MAX = 6, SCN_READERS_MAX = 8, SCN_REQUESTS_MAX = 16 };

// ---- bytes, pattern.c ----

enum { SCN_ANY = 0x100, SCN_GAP = 0x200 }; // `..`: any byte, `...`: any number of bytes, at most once

struct scn_pattern {
    uint16_t *items;
    size_t length;
};

// Appends what one word stands for: 00A4, 00:A4, FF*255, seq*255, "..", "...". NULL, or what is wrong with
// it.
const char *scn_pattern_add(struct scn_pattern *pattern, const char *word);
bool scn_pattern_matches(const struct scn_pattern *pattern, const uint8_t *bytes, size_t length);
uint8_t *scn_pattern_bytes(const struct scn_pattern *pattern); // NULL: it has a wildcard, or no memory
void scn_pattern_print(const struct scn_pattern *pattern, char *text, size_t size);
void scn_bytes_print(const uint8_t *bytes, size_t length, char *text, size_t size);

// ---- names, names.c ----

enum { SCN_PNP_STOP, SCN_PNP_START, SCN_PNP_REMOVE, SCN_PNP_SURPRISE };

struct scn_name {
    const char *name;
    uint32_t value;
};
extern const struct scn_name scn_states[], scn_protocols[], scn_powers[], scn_controls[], scn_attributes[],
    scn_pnp_actions[], scn_system_powers[], scn_presences[];
const struct scn_name *scn_name_find(const struct scn_name *names, const char *name); // NULL: unknown
void scn_name_list(const struct scn_name *names, char *text, size_t size);            // "a, b or c"
bool scn_number(const char *word, uint64_t most, uint64_t *number);                   // decimal or 0x...

// ---- statements ----

enum scn_value { SCN_NO_VALUE, SCN_BYTES, SCN_TEXT, SCN_NUMBER };

struct scn_expect {
    size_t status_count; // 0: any success
    nt_status statuses[SCN_STATUSES_MAX];
    enum scn_value kind;
    struct scn_pattern bytes;
    char *text;
    uint32_t number;
};

struct scn_statement {
    unsigned line;
    const struct scn_verb *verb;
    char *source;              // the line as written, for traces
    char reader[SCN_NAME_MAX]; // empty: the one plugged last
    unsigned slot;
    bool overlapped;         // `start`
    bool framed;             // `in` goes behind an SCARD_IO_REQUEST, and so does the answer
    char name[SCN_NAME_MAX]; // of a reader (plug) or request; empty: the usual one
    uint32_t code;           // of a control, an attribute, or what else the verb needs
    uint64_t number;         // times, milliseconds
    char *text;              // a registry value's name, a card
    char *value;             // of a registry value that is text
    struct emu_model *model;
    char cards[EMU_SLOTS_MAX][EMU_NAME_MAX];
    uint8_t *in;
    size_t in_length, out_room;
    size_t other_end; // of a block: index of its `repeat` or `end`
    struct scn_expect expect;
};

struct rig_scenario {
    char *file;
    struct scn_statement *statements;
    size_t count;
};

struct scn_parser {
    const char *file, *models;
    unsigned line;
    char **words;
    size_t count, at;
    char *error;
    size_t error_size;
};

// Says what is wrong with the line, once; always false.
bool scn_refuse(struct scn_parser *parser, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *scn_peek(const struct scn_parser *parser); // the next word, NULL: none
const char *scn_take(struct scn_parser *parser);
bool scn_take_word(struct scn_parser *parser, const char *word); // takes it if it comes next
// One of `names`; false after a refusal that lists them.
bool scn_take_name(struct scn_parser *parser, const struct scn_name *names, const char *what,
                   uint32_t *value);
bool scn_take_number(struct scn_parser *parser, const char *what, uint64_t most, uint64_t *number);
bool scn_take_identifier(struct scn_parser *parser, const char *what, char name[SCN_NAME_MAX]);
bool scn_take_text(struct scn_parser *parser, const char *what, char **text);
// Bytes until a word that is none, e.g. `expect`.
bool scn_take_bytes(struct scn_parser *parser, struct scn_pattern *pattern);
bool scn_take_in(struct scn_parser *parser, struct scn_statement *statement); // the same, without wildcards
bool scn_take_expect(struct scn_parser *parser, struct scn_statement *statement);

// ---- verbs ----

struct scn_run;
struct scn_result {
    nt_status status;
    const uint8_t *bytes;
    size_t length;
};
typedef void scn_routine(struct scn_run *run, const struct scn_statement *statement);

enum scn_kind {
    SCN_PLAIN,   // neither reader nor status
    SCN_READER,  // acts on a plugged reader
    SCN_REQUEST, // a device control to an open slot, can be started
};

struct scn_verb {
    const char *name, *form; // how it is written
    bool (*parse)(struct scn_parser *parser, struct scn_statement *statement);
    scn_routine *run;
    enum scn_kind kind;
    bool expects;                  // takes `expect`
    const struct scn_name *values; // names of numbers that it may expect
};

extern const struct scn_verb scn_verbs[];
extern const size_t scn_verb_count;

// ---- running ----

struct scn_slot {
    nt_file *file; // NULL: not open
    uint32_t protocol;
};

struct scn_reader {
    char name[SCN_NAME_MAX];
    bool plugged;
    bool pulled; // by unplug_at: from then on everything but success is right
    struct rig_reader rig;
    struct scn_slot slots[EMU_SLOTS_MAX];
};

struct scn_request {
    const struct scn_statement *statement; // NULL: the entry is free
    nt_request *handle;
    char name[SCN_NAME_MAX];
    struct scn_reader *reader;
    struct scn_slot *slot;
    uint8_t *in, *out;
    size_t in_length, out_room;
};

struct scn_run {
    const struct rig_scenario *scenario;
    const struct rig_scenario_options *options;
    struct rig_scenario_outcome *outcome;
    bool failed, pulled; // pulled: unplug_at has come
    bool tolerant;       // nothing that a statement answers is a failure
    struct scn_reader readers[SCN_READERS_MAX];
    struct scn_reader *latest; // plugged last
    struct scn_request requests[SCN_REQUESTS_MAX];
    struct scn_request *latest_request;
    size_t next;      // the statement to run next
    uint64_t *rounds; // of each `repeat`, by statement
};

void scn_fail(struct scn_run *run, const struct scn_statement *statement, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
// The reader that the statement names, plugged or not any more; NULL after a failure.
struct scn_reader *scn_reader_of(struct scn_run *run, const struct scn_statement *statement);
// Compares with what the statement expects, or with what a pulled reader (may be NULL) may answer.
void scn_check(struct scn_run *run, const struct scn_statement *statement, const struct scn_reader *reader,
               const struct scn_result *result);
void scn_check_status(struct scn_run *run, const struct scn_statement *statement,
                      const struct scn_reader *reader, nt_status status);

scn_routine scn_plug, scn_unplug, scn_insert, scn_eject, scn_open, scn_close, scn_pnp, scn_registry;
scn_routine scn_sleep, scn_resume, scn_delay, scn_repeat, scn_end, scn_tolerate;
scn_routine scn_request, scn_track, scn_apdu, scn_wait, scn_pending, scn_cancel;

void scn_pull_all(struct scn_run *run);
void scn_requests_cancel(struct scn_run *run);
void scn_requests_end(struct scn_run *run); // waits for what is left
