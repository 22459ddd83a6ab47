// SPDX-License-Identifier: MIT
// Cards that live outside: "vpcd:PORT", a program that speaks vpcd's protocol and connects to PORT of this
// machine, and "cacard:CERT[,CERT[,CERT]]", libcacard's CAC with certificates of the NSS database that
// LECTERN_CACARD names. Where a colon or a comma has another meaning, '@' and '+' do as well. They need the
// built-in bus, in this process.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CARDS_NSS_VARIABLE "LECTERN_CACARD"

enum { CARDS_ATR_MAX = 33, CARDS_APDU_MAX = 65544, CARDS_REPLY_MAX = 65538, CARDS_WHY_MAX = 128 };

struct cards_kind {
    const char *name;
    // `rest`: what follows the kind's name. 0 and the ATR; or negative errno and why.
    int (*open)(const char *rest, void **card, uint8_t atr[CARDS_ATR_MAX], size_t *atr_length,
                char why[CARDS_WHY_MAX]);
    // The rest, but for `interrupt`, is called by one thread.
    void (*reset)(void *card);
    // The reply with its status word; negative errno: there is none.
    int (*transact)(void *card, const uint8_t *apdu, size_t length, uint8_t *reply, size_t *reply_length);
    void (*interrupt)(void *card); // what waits ends soon
    void (*close)(void *card);
};

extern const struct cards_kind cards_vpcd, cards_cacard;

void cards_close(void); // all; no reader is left
