// SPDX-License-Identifier: MIT
// How each verb is written.
#include "rig/scenario/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rig/models.h"

enum {
    MILLISECONDS_MAX = 86400000, // a day
    ROUNDS_MAX = 1000000,
    CCID_MAX_SLOT_INDEX = 4, // within the class descriptor, CCID 1.1 5.1
    CCID_FEATURES = 40,
    CCID_MESSAGE_LENGTH = 44,
    CCID_BUSY_SLOTS = 53,
};

static bool parse_nothing(struct scn_parser *parser, struct scn_statement *statement)
{
    (void)parser, (void)statement;
    return true;
}

// ---- readers and cards ----

static bool find_model(struct scn_parser *parser, struct scn_statement *statement)
{
    char error[512];
    const char *name = scn_take(parser);
    if (name == NULL) {
        return scn_refuse(parser, "plug which reader? `lectern models` lists them");
    }
    statement->model = calloc(1, sizeof *statement->model);
    if (statement->model == NULL) {
        return scn_refuse(parser, "out of memory");
    }
    int result = rig_model_find(parser->models, name, statement->model, error, sizeof error);
    if (result == -ENOENT) {
        return scn_refuse(parser, "no model '%s', `lectern models` lists them", name);
    }
    return result == 0 || scn_refuse(parser, "%s", error);
}

static bool check_card(struct scn_parser *parser, const char *card)
{
    return rig_card_known(card) || scn_refuse(parser, "no card '%s', `lectern cards` lists them", card);
}

// "t0/-/t1": one for each slot, - for an empty one
static bool parse_cards(struct scn_parser *parser, const char *list, struct scn_statement *statement)
{
    for (size_t slot = 0; slot < EMU_SLOTS_MAX; slot++) {
        size_t length = strcspn(list, "/");
        char *card = statement->cards[slot];
        if (length >= EMU_NAME_MAX) {
            return scn_refuse(parser, "no such card, `lectern cards` lists them");
        }
        memcpy(card, list, length);
        if (strcmp(card, "-") == 0) {
            card[0] = '\0';
        } else if (!check_card(parser, card)) {
            return false;
        }
        if (list[length] == '\0') {
            return true;
        }
        list += length + 1;
    }
    return scn_refuse(parser, "a reader has at most %d slots", EMU_SLOTS_MAX);
}

static void put32(uint8_t *bytes, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++) {
        bytes[i] = (uint8_t)(value >> 8 * i);
    }
}

// The value behind "key=", NULL: another key
static const char *value_of(const char *word, const char *key)
{
    size_t length = strlen(key);
    return strncmp(word, key, length) == 0 && word[length] == '=' ? word + length + 1 : NULL;
}

// What of the class descriptor the reader shall say otherwise.
static bool change_model(struct scn_parser *parser, const char *word, struct emu_model *model)
{
    static const struct {
        const char *key;
        uint32_t least, most;
    } keys[] = {{"features", 0, UINT32_MAX},
                {"message", 0, UINT32_MAX},
                {"slots", 1, EMU_SLOTS_MAX},
                {"busy", 0, UINT8_MAX},
                {"endpoints", 0, 3}};
    uint64_t number;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const char *value = value_of(word, keys[i].key);
        if (value == NULL) {
            continue;
        }
        if (!scn_number(value, keys[i].most, &number) || number < keys[i].least) {
            return scn_refuse(parser, "%s is a number from %u to %u", keys[i].key, keys[i].least,
                              keys[i].most);
        }
        switch (i) {
        case 0:
            put32(model->ccid + CCID_FEATURES, (uint32_t)number);
            return true;
        case 1:
            put32(model->ccid + CCID_MESSAGE_LENGTH, (uint32_t)number);
            return true;
        case 2:
            model->ccid[CCID_MAX_SLOT_INDEX] = (uint8_t)(number - 1);
            return true;
        case 3:
            model->ccid[CCID_BUSY_SLOTS] = (uint8_t)number;
            return true;
        default:
            model->endpoints = (uint8_t)number;
            return true;
        }
    }
    return scn_refuse(parser, "'%s' is none of card=, features=, message=, slots=, busy=, endpoints=, as",
                      word);
}

static bool parse_plug(struct scn_parser *parser, struct scn_statement *statement)
{
    if (!find_model(parser, statement)) {
        return false;
    }
    for (const char *word = scn_peek(parser); word != NULL && strcmp(word, "expect") != 0;
         word = scn_peek(parser)) {
        const char *cards = value_of(word, "card");
        parser->at++;
        bool right = cards != NULL             ? parse_cards(parser, cards, statement)
                     : strcmp(word, "as") == 0 ? scn_take_identifier(parser, "the reader", statement->name)
                                               : change_model(parser, word, statement->model);
        if (!right) {
            return false;
        }
    }
    return true;
}

static bool parse_insert(struct scn_parser *parser, struct scn_statement *statement)
{
    const char *card = scn_take(parser);
    if (card == NULL) {
        return scn_refuse(parser, "insert which card? `lectern cards` lists them");
    }
    statement->text = strdup(card);
    return statement->text != NULL ? check_card(parser, card) : scn_refuse(parser, "out of memory");
}

static bool parse_pnp(struct scn_parser *parser, struct scn_statement *statement)
{
    return scn_take_name(parser, scn_pnp_actions, "the PnP action", &statement->code);
}

static bool parse_registry(struct scn_parser *parser, struct scn_statement *statement)
{
    char name[SCN_NAME_MAX];
    if (!scn_take_identifier(parser, "the value", name)) {
        return false;
    }
    statement->text = strdup(name);
    if (statement->text == NULL) {
        return scn_refuse(parser, "out of memory");
    }
    const char *value = scn_peek(parser);
    return value != NULL && value[0] == '"'
               ? scn_take_text(parser, "the value", &statement->value)
               : scn_take_number(parser, "the value", UINT32_MAX, &statement->number);
}

static bool parse_sleep(struct scn_parser *parser, struct scn_statement *statement)
{
    return scn_take_name(parser, scn_system_powers, "the sleep", &statement->code);
}

static bool parse_delay(struct scn_parser *parser, struct scn_statement *statement)
{
    return scn_take_number(parser, "the delay in milliseconds", MILLISECONDS_MAX, &statement->number);
}

static bool parse_repeat(struct scn_parser *parser, struct scn_statement *statement)
{
    return scn_take_number(parser, "how often", ROUNDS_MAX, &statement->number);
}

// ---- requests ----

static bool set_in(struct scn_parser *parser, struct scn_statement *statement, uint32_t number)
{
    statement->in = malloc(4);
    if (statement->in == NULL) {
        return scn_refuse(parser, "out of memory");
    }
    put32(statement->in, number);
    statement->in_length = 4;
    return true;
}

static bool parse_power(struct scn_parser *parser, struct scn_statement *statement)
{
    uint32_t minor;
    statement->code = RIG_IOCTL_POWER;
    if (!scn_take_name(parser, scn_powers, "the power action", &minor)) {
        return false;
    }
    statement->out_room = minor == RIG_POWER_DOWN ? 0 : RIG_ATR_MAX;
    return set_in(parser, statement, minor);
}

static bool parse_protocol(struct scn_parser *parser, struct scn_statement *statement)
{
    uint32_t mask;
    statement->code = RIG_IOCTL_SET_PROTOCOL;
    statement->out_room = sizeof mask;
    return scn_take_name(parser, scn_protocols, "the protocol", &mask) && set_in(parser, statement, mask);
}

static bool parse_state(struct scn_parser *parser, struct scn_statement *statement)
{
    (void)parser;
    statement->code = RIG_IOCTL_GET_STATE;
    statement->out_room = sizeof(uint32_t);
    return true;
}

static bool take_attribute(struct scn_parser *parser, uint32_t *tag)
{
    uint64_t number;
    const char *word = scn_peek(parser);
    if (word != NULL && scn_number(word, UINT32_MAX, &number)) {
        parser->at++;
        *tag = (uint32_t)number;
        return true;
    }
    return scn_take_name(parser, scn_attributes, "the attribute", tag);
}

static bool parse_attribute(struct scn_parser *parser, struct scn_statement *statement)
{
    uint32_t tag;
    statement->code = RIG_IOCTL_GET_ATTRIBUTE;
    statement->out_room = RIG_ATTRIBUTE_MAX;
    return take_attribute(parser, &tag) && set_in(parser, statement, tag);
}

static bool parse_set_attribute(struct scn_parser *parser, struct scn_statement *statement)
{
    uint32_t tag;
    statement->code = RIG_IOCTL_SET_ATTRIBUTE;
    if (!take_attribute(parser, &tag) || !scn_take_in(parser, statement)) {
        return false;
    }
    uint8_t *in = realloc(statement->in, statement->in_length + sizeof tag);
    if (in == NULL) {
        return scn_refuse(parser, "out of memory");
    }
    memmove(in + sizeof tag, in, statement->in_length);
    put32(in, tag);
    statement->in = in;
    statement->in_length += sizeof tag;
    return true;
}

static bool parse_transmit(struct scn_parser *parser, struct scn_statement *statement)
{
    statement->code = RIG_IOCTL_TRANSMIT;
    statement->framed = true;
    statement->out_room = RIG_REPLY_MAX;
    if (!scn_take_in(parser, statement)) {
        return false;
    }
    return statement->in_length != 0 || scn_refuse(parser, "send which bytes? They are written in hex");
}

static bool take_control(struct scn_parser *parser, uint32_t *code)
{
    uint64_t number;
    const char *word = scn_peek(parser);
    if (word != NULL && scn_number(word, UINT32_MAX, &number)) {
        parser->at++;
        *code = (uint32_t)number;
        return true;
    }
    return scn_take_name(parser, scn_controls, "the control code, if not a number,", code);
}

static bool parse_ioctl(struct scn_parser *parser, struct scn_statement *statement)
{
    uint64_t room = 0;
    if (!take_control(parser, &statement->code)) {
        return false;
    }
    const char *in = scn_peek(parser) != NULL ? value_of(scn_peek(parser), "in") : NULL;
    if (in != NULL) {
        struct scn_pattern pattern = {NULL, 0};
        const char *wrong = scn_pattern_add(&pattern, in);
        statement->in = wrong == NULL ? scn_pattern_bytes(&pattern) : NULL;
        statement->in_length = pattern.length;
        free(pattern.items);
        if (statement->in == NULL) {
            return scn_refuse(parser, "in=%.40s: %s", in, wrong != NULL ? wrong : "no .. here");
        }
        parser->at++;
    }
    const char *out = scn_peek(parser) != NULL ? value_of(scn_peek(parser), "out") : NULL;
    if (out != NULL) {
        if (!scn_number(out, RIG_APDU_MAX, &room)) {
            return scn_refuse(parser, "out=%s: not a number of bytes up to %d", out, RIG_APDU_MAX);
        }
        parser->at++;
    }
    statement->out_room = (size_t)room;
    return true;
}

static bool parse_track(struct scn_parser *parser, struct scn_statement *statement)
{
    if (!scn_take_name(parser, scn_presences, "what to wait for", &statement->code)) {
        return false;
    }
    return !scn_take_word(parser, "as") || scn_take_identifier(parser, "the request", statement->name);
}

// ---- requests under way ----

static bool is_keyword(const char *word)
{
    return word == NULL || strcmp(word, "within") == 0 || strcmp(word, "for") == 0 ||
           strcmp(word, "expect") == 0;
}

static bool parse_request_name(struct scn_parser *parser, struct scn_statement *statement)
{
    return is_keyword(scn_peek(parser)) || scn_take_identifier(parser, "the request", statement->name);
}

static bool parse_wait(struct scn_parser *parser, struct scn_statement *statement)
{
    enum { PATIENCE = 600000 };
    statement->number = PATIENCE;
    return parse_request_name(parser, statement) &&
           (!scn_take_word(parser, "within") ||
            scn_take_number(parser, "the limit in milliseconds", MILLISECONDS_MAX, &statement->number));
}

static bool parse_pending(struct scn_parser *parser, struct scn_statement *statement)
{
    return parse_request_name(parser, statement) &&
           (!scn_take_word(parser, "for") ||
            scn_take_number(parser, "the time in milliseconds", MILLISECONDS_MAX, &statement->number));
}

const struct scn_verb scn_verbs[] = {
    {"plug", "plug MODEL [card=CARD[/CARD...]] [features=N] [message=N] [slots=N] [endpoints=N] [as NAME]",
     parse_plug, scn_plug, SCN_PLAIN, true, NULL},
    {"unplug", "unplug", parse_nothing, scn_unplug, SCN_READER, true, NULL},
    {"insert", "insert CARD", parse_insert, scn_insert, SCN_READER, true, NULL},
    {"eject", "eject", parse_nothing, scn_eject, SCN_READER, true, NULL},
    {"open", "open", parse_nothing, scn_open, SCN_READER, true, NULL},
    {"close", "close", parse_nothing, scn_close, SCN_READER, false, NULL},
    {"pnp", "pnp stop|start|remove|surprise", parse_pnp, scn_pnp, SCN_READER, true, NULL},
    {"registry", "registry VALUE NUMBER|\"TEXT\"", parse_registry, scn_registry, SCN_READER, false, NULL},
    {"sleep", "sleep S1|S2|S3|S4", parse_sleep, scn_sleep, SCN_PLAIN, true, NULL},
    {"resume", "resume", parse_nothing, scn_resume, SCN_PLAIN, true, NULL},
    {"delay", "delay MILLISECONDS", parse_delay, scn_delay, SCN_PLAIN, false, NULL},
    {"repeat", "repeat TIMES", parse_repeat, scn_repeat, SCN_PLAIN, false, NULL},
    {"end", "end", parse_nothing, scn_end, SCN_PLAIN, false, NULL},
    {"tolerate", "tolerate", parse_nothing, scn_tolerate, SCN_PLAIN, false, NULL},
    {"power", "power cold|warm|down", parse_power, scn_request, SCN_REQUEST, true, NULL},
    {"protocol", "protocol t0|t1|any|raw|default", parse_protocol, scn_request, SCN_REQUEST, true,
     scn_protocols},
    {"state", "state", parse_state, scn_request, SCN_REQUEST, true, scn_states},
    {"attribute", "attribute NAME|NUMBER", parse_attribute, scn_request, SCN_REQUEST, true, NULL},
    {"set-attribute", "set-attribute NAME|NUMBER [HEX...]", parse_set_attribute, scn_request, SCN_REQUEST,
     true, NULL},
    {"transmit", "transmit HEX...", parse_transmit, scn_request, SCN_REQUEST, true, NULL},
    {"ioctl", "ioctl NAME|NUMBER [in=HEX] [out=BYTES]", parse_ioctl, scn_request, SCN_REQUEST, true, NULL},
    {"apdu", "apdu HEX...", parse_transmit, scn_apdu, SCN_READER, true, NULL},
    {"track", "track present|absent [as NAME]", parse_track, scn_track, SCN_READER, false, NULL},
    {"wait", "wait [NAME] [within MILLISECONDS]", parse_wait, scn_wait, SCN_PLAIN, true, NULL},
    {"join", "join [NAME]", parse_wait, scn_wait, SCN_PLAIN, true, NULL},
    {"pending", "pending [NAME] [for MILLISECONDS]", parse_pending, scn_pending, SCN_PLAIN, false, NULL},
    {"cancel", "cancel [NAME]", parse_request_name, scn_cancel, SCN_PLAIN, false, NULL},
};
const size_t scn_verb_count = sizeof scn_verbs / sizeof scn_verbs[0];
