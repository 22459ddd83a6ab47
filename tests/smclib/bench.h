// SPDX-License-Identifier: MIT
// The test reader in a booted kernel, seen from user mode.
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "nthost/user/nthost.h"
#include "tests/smclib/testreader.h"

enum {
    RDF_POWER,
    RDF_TRANSMIT,
    RDF_EJECT,
    RDF_SWALLOW,
    RDF_TRACKING,
    RDF_SET_PROTOCOL,
    RDF_CONFISCATE = 7,
    RDF_VENDOR
};

void TestReaderEntry(void); // the driver's DriverEntry; only its address is taken
extern nt_file *reader_file;
extern uint8_t answer[1024];
extern size_t answered; // Information of the last request

int bench_setup(void **state);
int bench_setup_threads(void **state);
int bench_teardown(void **state);

// One request; the answer goes to `answer`.
nt_status control(uint32_t code, const void *in, size_t in_length, size_t out_length);
// The same with one 32-bit word as input.
nt_status control_word(uint32_t code, uint32_t word, size_t out_length);
void set_state(uint32_t state);
uint32_t get_state(void);
uint32_t answer_word(void);

// A card with this ATR (hex) in the reader, powered by a cold reset.
void card_insert(const char *atr);
void card_set(const char *atr);

// { protocol, 8 } and the bytes of `hex`.
nt_status transmit(uint32_t protocol, const char *hex, size_t out_length);

#define assert_status(actual, expected) assert_int_equal((uint32_t)(actual), (uint32_t)(expected))
#define MULTIFLEX                       "3B021450"             // T=0, nothing to negotiate
#define EGATE                           "3B951840FF6201020104" // T=0, TA1 18
#define BOTH                            "3B80800101"           // T=0 and T=1
#define ONLY_T1                         "3B808131204959"       // T=1, nothing to negotiate
