// SPDX-License-Identifier: MIT
#include "rig/sweep.h"

#include <string.h>

#include "emulator/card/card.h"
#include "emulator/card/line.h"
#include "emulator/flaw.h"

// CCID 1.1 5.1
enum {
    MAX_SLOT_INDEX = 4,
    VOLTAGES = 5,
    PROTOCOLS = 6,
    DEFAULT_CLOCK = 10,
    MAXIMUM_RATE = 23,
    FEATURES = 40,
    FEATURE_AUTO_PARAMETERS = 0x02,
    FEATURE_AUTO_CLOCK = 0x10,
    FEATURE_AUTO_RATE = 0x20,
    FEATURE_AUTO_NEGOTIATION = 0x40,
    FEATURE_AUTO_PPS = 0x80,
};
enum level { LEVEL_CHARACTER = 0, LEVEL_TPDU = 1, LEVEL_SHORT = 2, LEVEL_EXTENDED = 4 };
enum { T0 = 1, T1 = 2 };

// What must come of a card in a reader.
enum fit {
    FIT_WORKS,
    FIT_MUTE,        // none of the reader's voltages makes it answer
    FIT_NOT_POWERED, // the reader itself refuses a card of no protocol of its own
    FIT_NOT_CHOSEN,  // it powers the card, but no protocol can be set
    FIT_TOO_FAST,    // the card dictates a rate that is beyond the reader
};

struct use {
    const struct emu_model *model;
    const struct card_type *card;
    struct atr atr;
    enum fit fit;
};

static unsigned features(const struct emu_model *model)
{
    return model->ccid[FEATURES]; // the low byte holds those of interest here
}

// The one it works at, not the one it claims.
static enum level level_of(const struct emu_model *model)
{
    enum level claimed_level = (enum level)(model->ccid[FEATURES + 2] & 7);
    if (claimed_level == LEVEL_EXTENDED && emu_flaw(model, EMU_FLAW_SHORT) != 0) {
        return LEVEL_SHORT;
    }
    return claimed_level == LEVEL_SHORT && emu_flaw(model, EMU_FLAW_CHAINS) != 0 ? LEVEL_EXTENDED
                                                                                 : claimed_level;
}

// Readers in the field claim no voltage or no protocol and take all of them.
static unsigned claimed(unsigned bits, unsigned all)
{
    return (bits & all) != 0 ? bits & all : all;
}

static bool reader_sets_parameters(const struct emu_model *model)
{
    return (features(model) & (FEATURE_AUTO_PARAMETERS | FEATURE_AUTO_NEGOTIATION)) != 0 ||
           level_of(model) >= LEVEL_SHORT;
}

static bool reader_does_pps(const struct emu_model *model)
{
    return (features(model) & (FEATURE_AUTO_PPS | FEATURE_AUTO_NEGOTIATION)) != 0 ||
           level_of(model) >= LEVEL_SHORT;
}

static unsigned common_protocols(const struct use *use)
{
    return claimed(use->model->ccid[PROTOCOLS], T0 | T1) & use->atr.protocols;
}

static uint32_t dword(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

// Firmware that states hertz exists.
static uint32_t clock_of(const struct emu_model *model)
{
    uint32_t clock = dword(model->ccid + DEFAULT_CLOCK);
    return clock > 100000 ? clock / 1000 : clock;
}

static uint32_t rate_max(const struct emu_model *model)
{
    uint32_t known = emu_flaw(model, EMU_FLAW_RATE);
    return known != 0 ? known : dword(model->ccid + MAXIMUM_RATE);
}

// In specific mode there is nothing to negotiate: the reader runs at the card's rate or not at all.
static bool too_fast(const struct use *use)
{
    uint64_t rate = card_line_rate(clock_of(use->model), use->atr.fidi);
    unsigned follows = FEATURE_AUTO_CLOCK | FEATURE_AUTO_RATE;
    bool by_itself =
        reader_sets_parameters(use->model) && ((features(use->model) & FEATURE_AUTO_NEGOTIATION) != 0 ||
                                               (features(use->model) & follows) == follows);
    return use->atr.specific && !use->atr.implicit && !by_itself &&
           rate * 100 > (uint64_t)rate_max(use->model) * 101;
}

static enum fit fit_of(const struct use *use)
{
    unsigned common = common_protocols(use);
    bool first = (common >> use->atr.first & 1) != 0;
    if ((claimed(use->model->ccid[VOLTAGES], 7) & use->card->classes) == 0) {
        return FIT_MUTE;
    }
    if (common != 0 && too_fast(use)) {
        return FIT_TOO_FAST;
    }
    if (reader_sets_parameters(use->model)) {
        // Beside its first protocol a card takes another only by PPS.
        return first || (common != 0 && !use->atr.specific && reader_does_pps(use->model)) ? FIT_WORKS
                                                                                           : FIT_NOT_POWERED;
    }
    return common != 0 && (first || !use->atr.specific) ? FIT_WORKS : FIT_NOT_CHOSEN;
}

// Cards that break ISO 7816-3 on purpose are for other tests.
static bool take_card(const struct emu_model *model, const struct card_type *card, struct use *use)
{
    *use = (struct use){.model = model, .card = card};
    if (strncmp(card->name, "bad-", 4) == 0 ||
        card_atr_parse(card->atr, card->atr_length, &use->atr) != ATR_OK) {
        return false;
    }
    use->fit = fit_of(use);
    return true;
}

// The driver prefers T=1, unless the reader has the say.
static unsigned chosen_protocol(const struct use *use)
{
    unsigned common = common_protocols(use);
    if (common != (T0 | T1)) {
        return common;
    }
    return (features(use->model) & FEATURE_AUTO_NEGOTIATION) != 0 ? 1u << use->atr.first : T1;
}

// Extended length needs the card's consent, and a reader whose level it is or to which the blocks are all the
// same.
static bool takes_extended(const struct use *use)
{
    if ((use->card->flags & CARD_EXTENDED) == 0 || level_of(use->model) == LEVEL_SHORT) {
        return false;
    }
    return level_of(use->model) == LEVEL_EXTENDED || chosen_protocol(use) == T1;
}

// ---- the script ----

static void write_power(const struct use *use, const char *prefix, const char *how, FILE *out)
{
    (void)fprintf(out, "%spower %s expect", prefix, how);
    for (size_t i = 0; i < use->card->atr_length; i++) {
        (void)fprintf(out, " %02X", use->card->atr[i]);
    }
    (void)fputc('\n', out);
}

// What the cards' own command 80 E0 is for: data in neither, one or both directions.
static void write_commands(const struct use *use, FILE *out)
{
    (void)fputs("apdu 80 E0 00 00 expect 90 00\n"
                "apdu 80 E0 40 00 10 expect seq*16 90 00\n"
                "apdu 80 E0 80 00 05 01 02 03 04 05 expect 90 00\n"
                "apdu 80 E0 C0 00 05 01 02 03 04 05 00 expect 01 02 03 04 05 90 00\n"
                "apdu 80 E0 40 00 00 expect seq*256 90 00\n"
                "apdu 80 E0 80 00 FF seq*255 expect 90 00\n"
                "apdu 80 E0 C0 00 FF seq*255 00 expect seq*255 90 00\n",
                out);
    if (!takes_extended(use)) {
        return;
    }
    (void)fputs("apdu 80 E0 80 00 00 07 D0 seq*2000 expect 90 00\n"
                "apdu 80 E0 C0 00 00 07 D0 seq*2000 00 00 expect seq*2000 90 00\n",
                out);
    if (chosen_protocol(use) == T1) { // over T=0 a card without data to receive never learns of a large Le
        (void)fputs("apdu 80 E0 40 00 00 07 D0 expect seq*2000 90 00\n", out);
    }
}

static void write_connect(const struct use *use, const char *prefix, FILE *out)
{
    write_power(use, prefix, "cold", out);
    (void)fprintf(out,
                  "%sprotocol any\n"
                  "%sstate expect specific\n"
                  "%sapdu 80 E0 40 00 10 expect seq*16 90 00\n",
                  prefix, prefix, prefix);
}

static void write_work(const struct use *use, FILE *out)
{
    write_connect(use, "", out);
    write_commands(use, out);
    write_power(use, "", "warm", out);
    (void)fputs("protocol any\n"
                "apdu 80 E0 40 00 10 expect seq*16 90 00\n"
                "power down\n",
                out);
}

static void write_refusal(const struct use *use, FILE *out)
{
    switch (use->fit) {
    case FIT_MUTE:
        (void)fputs("power cold expect STATUS_IO_TIMEOUT or STATUS_UNRECOGNIZED_MEDIA\n", out);
        break;
    case FIT_TOO_FAST:
    case FIT_NOT_POWERED:
        (void)fputs("power cold expect STATUS_UNRECOGNIZED_MEDIA\n", out);
        break;
    default:
        write_power(use, "", "cold", out);
        (void)fputs("protocol any expect STATUS_NOT_SUPPORTED\n"
                    "power down\n",
                    out);
        break;
    }
}

static void write_insert(const struct use *use, FILE *out)
{
    (void)fprintf(out,
                  "track present\n"
                  "insert %s\n"
                  "wait within 5000\n",
                  use->card->name);
}

static void write_card(const struct use *use, FILE *out)
{
    (void)fprintf(out, "# %s\n", use->card->name);
    write_insert(use, out);
    if (use->fit == FIT_WORKS) {
        write_work(use, out);
    } else {
        write_refusal(use, out);
    }
    (void)fputs("state expect present\n"
                "track absent\n"
                "eject\n"
                "wait within 5000\n"
                "state expect absent\n",
                out);
}

static void write_removal(const struct use *use, FILE *out)
{
    (void)fputs("# the card leaves while it works\n", out);
    write_insert(use, out);
    write_connect(use, "", out);
    (void)fputs("start transmit 80 10 00 C8\n"
                "pending for 2000\n"
                "eject\n"
                "wait within 20000 expect STATUS_NO_MEDIA\n"
                "state expect absent\n",
                out);
}

static void write_sleep(const struct use *use, FILE *out)
{
    (void)fputs("# sleep with a card\n", out);
    write_insert(use, out);
    write_connect(use, "", out);
    (void)fputs("track absent\n"
                "sleep S3\n"
                "delay 1000\n"
                "resume\n"
                "wait within 5000\n" // it may have been another card's stay
                "state expect present\n",
                out);
    write_connect(use, "", out);
}

static void write_restart(const struct use *use, FILE *out)
{
    (void)fputs("# stop and restart\n"
                "pnp stop\n"
                "start power cold\n"
                "pending for 1000\n"
                "pnp start\n"
                "join\n",
                out);
    write_connect(use, "", out);
}

static void write_last_slot(const struct use *use, FILE *out)
{
    char prefix[8];
    unsigned slot = use->model->ccid[MAX_SLOT_INDEX];
    if (slot == 0) {
        return;
    }
    (void)snprintf(prefix, sizeof prefix, "/%u: ", slot);
    (void)fprintf(out, "# the last slot\n%sopen\n%strack present\n%sinsert %s\nwait within 5000\n", prefix,
                  prefix, prefix, use->card->name);
    write_connect(use, prefix, out);
    (void)fprintf(out, "state expect specific\n%seject\n%sclose\n", prefix, prefix);
}

// ICCD version A: the card is the USB device. It never leaves it, and nothing tells of it. Nor does a reader
// that always says that a card is there.
static bool is_token(const struct emu_model *model)
{
    return (model->interface_protocol == 1 && model->endpoints < 2) || emu_flaw(model, EMU_FLAW_PRESENT) != 0;
}

static void write_token(const struct use *use, FILE *out)
{
    (void)fprintf(out,
                  "# %s\n"
                  "plug %s card=%s\n"
                  "open\n"
                  "state expect present\n",
                  use->card->name, use->model->name, use->card->name);
    write_work(use, out);
    (void)fputs("sleep S3\n"
                "delay 1000\n"
                "resume\n",
                out);
    write_restart(use, out);
    (void)fputs("close\nunplug\n", out);
}

static void write_tokens(const struct emu_model *model, FILE *out)
{
    struct use use;
    for (size_t i = 0; card_type_at(i) != NULL; i++) {
        if (take_card(model, card_type_at(i), &use) && use.fit == FIT_WORKS) {
            write_token(&use, out);
        }
    }
}

void rig_sweep_write(const struct emu_model *model, FILE *out)
{
    struct use use, first = {0};
    if (is_token(model)) {
        write_tokens(model, out);
        return;
    }
    (void)fprintf(out, "plug %s\nopen\nstate expect absent\n", model->name);
    for (size_t i = 0; card_type_at(i) != NULL; i++) {
        if (take_card(model, card_type_at(i), &use)) {
            write_card(&use, out);
            first = first.card == NULL && use.fit == FIT_WORKS ? use : first;
        }
    }
    if (first.card != NULL) {
        write_removal(&first, out);
        write_sleep(&first, out);
        write_restart(&first, out);
        write_last_slot(&first, out);
    }
    (void)fputs("# the end, with a card inside\nclose\nunplug\n", out);
}
