// SPDX-License-Identifier: MIT
#define _GNU_SOURCE // open_memstream
#include "fuzz/driver/generate.h"

#include <stdio.h>
#include <stdlib.h>

#include "emulator/emulator.h"

enum { STATEMENTS_MAX = 48, READERS = 2, REQUESTS = 4 };

struct generator {
    const uint8_t *data;
    size_t left;
    unsigned requests; // begun so far, for their names
    FILE *out;
};

static uint8_t take(struct generator *generator) // zeros behind the end
{
    if (generator->left == 0) {
        return 0;
    }
    generator->left--;
    return *generator->data++;
}

static uint32_t take32(struct generator *generator)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < 4; i++) {
        value = value << 8 | take(generator);
    }
    return value;
}

static const char *choose(struct generator *generator, const char *const *words, size_t count)
{
    return words[take(generator) % count];
}
#define CHOOSE(generator, ...)                                                                               \
    choose(generator, (const char *const[]){__VA_ARGS__},                                                    \
           sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static const char *card(struct generator *generator)
{
    size_t count = 1; // there is one
    while (emu_card_name(count) != NULL) {
        count++;
    }
    return emu_card_name(take(generator) % count);
}

static void put_bytes(struct generator *generator, size_t most)
{
    size_t count = take(generator) % (most + 1);
    for (size_t i = 0; i < count; i++) {
        fprintf(generator->out, "%02X", take(generator));
    }
}

// "a/1: "
static void put_target(struct generator *generator)
{
    uint8_t byte = take(generator);
    unsigned slot = byte / 2 % 8 == 7 ? 1 : 0; // mostly the first
    fprintf(generator->out, "%c/%u: ", 'a' + byte % READERS, slot);
}

static void put_request_name(struct generator *generator)
{
    fprintf(generator->out, " r%u", take(generator) % (unsigned)REQUESTS);
}

static void put_apdu(struct generator *generator)
{
    static const char *const usual[] = {"00A4000C023F00",       "80E00000",
                                        "80E0400010",           "80E08000050102030405",
                                        "80E0C000050102030405", "80E0C0000501020304 05 00",
                                        "00C0000005",           "80E0C000FF FF*255 00"};
    const char *apdu = choose(generator, usual, sizeof usual / sizeof usual[0]);
    if (take(generator) % 4 != 0) {
        fputs(apdu, generator->out);
        return;
    }
    fprintf(generator->out, "%02X", take(generator));
    put_bytes(generator, 16);
}

// ---- statements ----

static void plug(struct generator *generator)
{
    // Levels of exchange: extended APDU, short APDU, TPDU with and without automatics, characters; as they
    // come.
    static const uint32_t features[] = {0x000404BA, 0x000204BA, 0x000100BA,
                                        0x00010038, 0x00000038, 0x00100000};
    enum { USUAL = sizeof features / sizeof features[0] };
    uint8_t kind = take(generator), shape = take(generator);
    fprintf(generator->out, "plug Lectern card=%s", shape & 1 ? card(generator) : "-");
    if (shape & 2) {
        fprintf(generator->out, "/%s slots=%u", card(generator), 1U + shape / 64U);
    }
    fprintf(generator->out, " features=0x%08X", kind < 240 ? features[kind % USUAL] : take32(generator));
    if (shape & 4) {
        fprintf(generator->out, " message=%u", take32(generator) % 70000);
    }
    if ((shape & 24) == 8) {
        fprintf(generator->out, " endpoints=%u", take(generator) % 4U);
    }
    fprintf(generator->out, " as %c", 'a' + (shape >> 5) % READERS);
}

static void insert(struct generator *generator)
{
    put_target(generator);
    fprintf(generator->out, "insert %s", card(generator));
}

static void simple(struct generator *generator)
{
    put_target(generator);
    fputs(CHOOSE(generator, "eject", "open", "close", "open", "unplug", "state"), generator->out);
}

static void pnp(struct generator *generator)
{
    put_target(generator);
    fprintf(generator->out, "pnp %s", CHOOSE(generator, "stop", "start", "remove", "surprise"));
}

static void system_power(struct generator *generator)
{
    fputs(CHOOSE(generator, "sleep S1", "resume", "sleep S3", "sleep S4"), generator->out);
}

static void put_device_control(struct generator *generator)
{
    static const char *const codes[] = {"POWER",         "GET_ATTRIBUTE", "SET_ATTRIBUTE", "CONFISCATE",
                                        "TRANSMIT",      "EJECT",         "SWALLOW",       "IS_PRESENT",
                                        "IS_ABSENT",     "SET_PROTOCOL",  "GET_STATE",     "GET_LAST_ERROR",
                                        "GET_PERF_CNTR", "FEATURES",      "ESCAPE"};
    uint8_t code = take(generator), room = take(generator);
    if (code < 224) {
        fprintf(generator->out, "ioctl %s", codes[code % (sizeof codes / sizeof codes[0])]);
    } else {
        fprintf(generator->out, "ioctl 0x%X", 0x310000 | (take32(generator) & 0xFFFF));
    }
    if (room & 1) {
        fputs(" in=", generator->out);
        fprintf(generator->out, "%02X", take(generator));
        put_bytes(generator, 24);
    }
    fprintf(generator->out, " out=%u", room & 2 ? room / 4 : room * 8u);
}

static void put_request(struct generator *generator)
{
    switch (take(generator) % 8) {
    case 0:
    case 1:
        fprintf(generator->out, "power %s", CHOOSE(generator, "cold", "warm", "down"));
        break;
    case 2:
        fprintf(generator->out, "protocol %s", CHOOSE(generator, "any", "t0", "t1", "default", "raw"));
        break;
    case 3:
    case 4:
        fputs("transmit ", generator->out);
        put_apdu(generator);
        break;
    case 5:
        fprintf(generator->out, "attribute 0x%X", take32(generator) & 0x7FFF07FF);
        break;
    case 6:
        fprintf(generator->out, "set-attribute %s ",
                CHOOSE(generator, "DEVICE_IN_USE", "SUPRESS_T1_IFS_REQUEST"));
        fprintf(generator->out, "%02X", take(generator));
        put_bytes(generator, 8);
        break;
    default:
        put_device_control(generator);
        break;
    }
}

static void request(struct generator *generator)
{
    put_target(generator);
    put_request(generator);
}

static void start(struct generator *generator)
{
    put_target(generator);
    fprintf(generator->out, "start as r%u ", generator->requests++ % REQUESTS);
    put_request(generator);
}

static void track(struct generator *generator)
{
    put_target(generator);
    fprintf(generator->out, "track %s as r%u", CHOOSE(generator, "present", "absent"),
            generator->requests++ % REQUESTS);
}

static void follow(struct generator *generator)
{
    static const char *const verbs[] = {"cancel", "cancel", "wait", "pending"};
    const char *verb = choose(generator, verbs, sizeof verbs / sizeof verbs[0]);
    fputs(verb, generator->out);
    put_request_name(generator);
    if (verb == verbs[2]) {
        fprintf(generator->out, " within %u", take(generator) * 4u);
    }
}

static void delay(struct generator *generator)
{
    uint8_t byte = take(generator);
    fprintf(generator->out, "delay %u", byte < 128 ? byte : (byte - 127u) * 100);
}

static void registry(struct generator *generator)
{
    put_target(generator);
    fprintf(generator->out, "registry %s", CHOOSE(generator, "EscapeCommandEnable", "VendorName", "IfdType"));
    if (take(generator) % 2 != 0) {
        fprintf(generator->out, " \"%.*s\"", take(generator) % 40,
                "a vendor of readers with a rather long name");
    } else {
        fprintf(generator->out, " %u", take32(generator));
    }
}

// What a client does first, in one byte: without a ready reader most other statements say little.
static void usual_start(struct generator *generator)
{
    uint8_t byte = take(generator);
    char name = (char)('a' + byte % READERS);
    plug(generator);
    fprintf(generator->out, "\n%c: open\n%c: power cold", name, name);
    if (byte & 4) {
        fprintf(generator->out, "\n%c: protocol any", name);
    }
}

char *driver_scenario(const uint8_t *data, size_t size, uint64_t *seed, size_t *length)
{
    static void (*const statements[])(struct generator *) = {
        usual_start, plug,  insert, simple, simple, pnp,    system_power, request, request,
        request,     start, start,  track,  follow, follow, delay,        registry};
    char *text = NULL;
    struct generator generator = {.data = data, .left = size, .out = open_memstream(&text, length)};
    if (generator.out == NULL) {
        return NULL;
    }
    *seed = take(&generator) | (uint64_t)take(&generator) << 8;
    fprintf(generator.out, "tolerate # lectern scenario --seed %llu\n", (unsigned long long)*seed);
    for (unsigned i = 0; i < STATEMENTS_MAX && generator.left != 0; i++) {
        statements[take(&generator) % (sizeof statements / sizeof statements[0])](&generator);
        fputc('\n', generator.out);
    }
    return fclose(generator.out) == 0 ? text : NULL;
}
