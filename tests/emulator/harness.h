// SPDX-License-Identifier: MIT
// Drives an emulated reader with messages written in hex: what the host says, what it must hear.
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "emulator/emulator.h"

enum { BYTES_MAX = 70000 };

struct bench {
    struct emu_model model;
    struct emu_reader *reader;
    uint64_t now;
    uint8_t sequence;
    uint8_t heard[BYTES_MAX]; // the last message
    size_t heard_length;
};

// A one-slot reader that supports everything, with these dwFeatures and dwMaxCCIDMessageLength.
struct emu_model model_with(uint32_t features, uint32_t message_max);
void set_dword(uint8_t *at, uint32_t value);
struct bench *bench_of(const struct emu_model *model, const char *card); // configured; card NULL: none
struct bench *bench_with(uint32_t features, const char *card);
void bench_free(struct bench *bench);

size_t bytes_of(const char *hex, uint8_t *bytes); // blanks are skipped

// Bulk OUT taken as a whole; bulk IN with exactly this; an IN that NAKs; interrupt IN likewise.
void say(struct bench *bench, const char *hex);
void hear(struct bench *bench, const char *hex);
void hear_nothing(struct bench *bench);
void notified(struct bench *bench, const char *hex);
void not_notified(struct bench *bench);

// Header and data of one command, its sequence number made up; the reply is in `heard`. `reply`: the 10
// header bytes of the answer without length, slot and sequence: type, bStatus, bError, last byte.
void command(struct bench *bench, uint8_t type, uint8_t byte7, uint16_t level, const uint8_t *data,
             size_t length);
void answered(struct bench *bench, uint8_t type, uint8_t status, uint8_t error, uint8_t last);
// One APDU by XfrBlock, level 0, answer complete: `hex`.
void apdu(struct bench *bench, const char *command_hex, const char *response_hex);
void power_on(struct bench *bench);
void set_parameters(struct bench *bench, uint8_t protocol, const char *hex);
enum emu_status control(struct bench *bench, uint8_t type, uint8_t request, uint16_t value, uint16_t index,
                        void *data, size_t *length);
