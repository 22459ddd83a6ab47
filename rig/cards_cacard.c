// SPDX-License-Identifier: MIT
// libcacard's CAC. The library is loaded only when such a card is wanted; it knows one set of cards for each
// process.
#include "rig/cards.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef LECTERN_CACARD
#include <dlfcn.h>
#include <libcacard.h>

enum { OPTIONS_MAX = 1024, CERTIFICATES_MAX = 3 };

static struct {
    void *library;
    char certificates[CARDS_WHY_MAX];
    VReader *reader;
    __typeof__(&vcard_emul_options) options;
    __typeof__(&vcard_emul_init) init;
    __typeof__(&vevent_get_next_vevent) next_event;
    __typeof__(&vevent_delete) delete_event;
    __typeof__(&vreader_reference) reference;
    __typeof__(&vreader_power_on) power_on;
    __typeof__(&vreader_power_off) power_off;
    __typeof__(&vreader_xfr_bytes) exchange;
} cac;

static bool load(char why[CARDS_WHY_MAX])
{
    const struct {
        const char *name;
        void *at;
    } symbols[] = {
        {"vcard_emul_options", &cac.options},        {"vcard_emul_init", &cac.init},
        {"vevent_get_next_vevent", &cac.next_event}, {"vevent_delete", &cac.delete_event},
        {"vreader_reference", &cac.reference},       {"vreader_power_on", &cac.power_on},
        {"vreader_power_off", &cac.power_off},       {"vreader_xfr_bytes", &cac.exchange},
    };
    // It stays: NSS and glib are not made to be unloaded.
    cac.library = cac.library != NULL ? cac.library : dlopen("libcacard.so.0", RTLD_NOW | RTLD_NODELETE);
    for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
        void *symbol = cac.library != NULL ? dlsym(cac.library, symbols[i].name) : NULL;
        if (symbol == NULL) {
            (void)snprintf(why, CARDS_WHY_MAX, "libcacard does not load: %.80s", dlerror());
            return false;
        }
        memcpy(symbols[i].at, &symbol, sizeof symbol);
    }
    return true;
}

// "soft=" takes three names, which may be empty.
static void build_options(const char *database, const char *certificates, char text[OPTIONS_MAX])
{
    unsigned commas = 0;
    int length = snprintf(text, OPTIONS_MAX, "db=\"%s\" use_hw=no soft=(,Lectern,CAC,,", database);
    size_t at = length < OPTIONS_MAX ? (size_t)length : OPTIONS_MAX;
    for (; *certificates != '\0' && at < OPTIONS_MAX - 8; certificates++) {
        bool comma = *certificates == ',' || *certificates == '+';
        commas += comma;
        text[at++] = (char)(comma ? ',' : *certificates);
    }
    for (; commas + 1 < CERTIFICATES_MAX && at < OPTIONS_MAX - 2; commas++) {
        text[at++] = ',';
    }
    (void)snprintf(text + at, OPTIONS_MAX - at, ")");
}

static VReader *find_reader(void)
{
    VReader *reader = NULL;
    for (VEvent *event; (event = cac.next_event()) != NULL; cac.delete_event(event)) {
        if (event->type == VEVENT_CARD_INSERT && reader == NULL) {
            reader = cac.reference(event->reader);
        }
    }
    return reader;
}

static bool begin(const char *certificates, char why[CARDS_WHY_MAX])
{
    const char *database = getenv(CARDS_NSS_VARIABLE);
    char text[OPTIONS_MAX];
    if (database == NULL) {
        (void)snprintf(why, CARDS_WHY_MAX,
                       CARDS_NSS_VARIABLE " names no NSS database, such as sql:/a/folder");
        return false;
    }
    if (!load(why)) {
        return false;
    }
    build_options(database, certificates, text);
    VCardEmulOptions *options = cac.options(text);
    if (options == NULL || cac.init(options) != VCARD_EMUL_OK || (cac.reader = find_reader()) == NULL) {
        (void)snprintf(why, CARDS_WHY_MAX, "libcacard finds no card '%.60s' in its database", certificates);
        return false;
    }
    (void)snprintf(cac.certificates, sizeof cac.certificates, "%s", certificates);
    return true;
}

static int cacard_open(const char *rest, void **card, uint8_t atr[CARDS_ATR_MAX], size_t *atr_length,
                       char why[CARDS_WHY_MAX])
{
    // T=1, IFSC 254, extended length; libcacard's own says T=0, which has no answers to commands with data.
    static const uint8_t answer[] = {0x3B, 0x85, 0x81, 0x31, 0xFE, 0x45, 0x80, 0x73, 0xFC, 0x21, 0x40, 0xE0};
    if (cac.reader != NULL && strcmp(cac.certificates, rest) != 0) {
        (void)snprintf(why, CARDS_WHY_MAX, "a process has one such card, and this one has cacard:%.60s",
                       cac.certificates);
        return -EBUSY;
    }
    if (cac.reader == NULL && !begin(rest, why)) {
        return -ENOENT;
    }
    memcpy(atr, answer, sizeof answer);
    *atr_length = sizeof answer;
    *card = cac.reader;
    return 0;
}

static void cacard_reset(void *card)
{
    unsigned char atr[64];
    int length = sizeof atr;
    (void)cac.power_off(card);
    (void)cac.power_on(card, atr, &length); // a failure shows with the first command
}

static int cacard_transact(void *card, const uint8_t *apdu, size_t length, uint8_t *reply,
                           size_t *reply_length)
{
    int room = (int)*reply_length;
    if (cac.exchange(card, (unsigned char *)apdu, (int)length, reply, &room) != VREADER_OK || room < 2) {
        return -EIO;
    }
    *reply_length = (size_t)room;
    return 0;
}
#else
static int cacard_open(const char *rest, void **card, uint8_t atr[CARDS_ATR_MAX], size_t *atr_length,
                       char why[CARDS_WHY_MAX])
{
    (void)rest, (void)card, (void)atr, (void)atr_length;
    (void)snprintf(why, CARDS_WHY_MAX, "built without libcacard");
    return -ENOSYS;
}
#define cacard_reset    NULL
#define cacard_transact NULL
#endif

static void leave(void *card)
{
    (void)card; // it works for a moment only, and the library keeps it
}

const struct cards_kind cards_cacard = {
    .name = "cacard",
    .open = cacard_open,
    .reset = cacard_reset,
    .transact = cacard_transact,
    .interrupt = leave,
    .close = leave,
};
