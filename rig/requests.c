// SPDX-License-Identifier: MIT
// The requests of the control channel.
#include "rig/control.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rig/describe.h"
#include "rig/rig.h"
#include "rig/status.h"

enum { WORDS_MAX = 4, LINE_MAX_BYTES = 256 };

static cJSON *refuse(const char *what, const char *which)
{
    char text[LINE_MAX_BYTES + 64];
    cJSON *reply = cJSON_CreateObject();
    (void)snprintf(text, sizeof text, "%s%s%s", what, which[0] != '\0' ? ": " : "", which);
    cJSON_AddBoolToObject(reply, "ok", false);
    cJSON_AddStringToObject(reply, "error", text);
    return reply;
}

static cJSON *agree(cJSON *reply)
{
    cJSON_AddBoolToObject(reply, "ok", true);
    return reply;
}

static cJSON *conclude(nt_status status)
{
    char buffer[16];
    return rig_status_ok(status) ? agree(cJSON_CreateObject())
                                 : refuse("the bus refused", rig_status_name(status, buffer));
}

static bool parse_number(const char *word, uint32_t *number)
{
    char *end;
    unsigned long value = strtoul(word, &end, 10);
    *number = (uint32_t)value;
    return word[0] >= '0' && word[0] <= '9' && *end == '\0' && value <= UINT32_MAX;
}

// NULL, or the refusal.
static cJSON *find_reader(const char *word, struct rig_reader *reader)
{
    enum { LISTED_MAX = 64 };
    uint32_t port = 0;
    bool any = strcmp(word, "any") == 0;
    if (!any && !parse_number(word, &port)) {
        return refuse("not a reader number", word);
    }
    struct rig_reader *readers = calloc(LISTED_MAX, sizeof *readers);
    size_t count = readers != NULL ? rig_readers(readers, LISTED_MAX) : 0;
    bool found = false;
    for (size_t i = 0; i < count && i < LISTED_MAX && !found; i++) {
        found = any ? count == 1 : readers[i].port == port;
        *reader = readers[i];
    }
    free(readers);
    if (found) {
        return NULL;
    }
    return any && count > 1 ? refuse("several readers are served, name one with --reader", "")
                            : refuse("no such reader, see `lectern list`", any ? "" : word);
}

static cJSON *insert(const char *const *words, const struct rig_reader *reader)
{
    uint32_t slot;
    if (!parse_number(words[2], &slot) || slot >= reader->slots) {
        return refuse("no such slot", words[2]);
    }
    if (!rig_card_open(words[3])) {
        return refuse("no such card, see `lectern cards`", words[3]);
    }
    if (reader->cards[slot][0] != '\0') {
        return refuse("the slot holds a card already", reader->cards[slot]);
    }
    return conclude(rig_insert(reader->port, slot, words[3]));
}

static cJSON *eject(const char *const *words, const struct rig_reader *reader)
{
    uint32_t slot;
    if (!parse_number(words[2], &slot) || slot >= reader->slots) {
        return refuse("no such slot", words[2]);
    }
    if (reader->cards[slot][0] == '\0') {
        return refuse("the slot is empty", words[2]);
    }
    return conclude(rig_eject(reader->port, slot));
}

static cJSON *unplug(const char *const *words, const struct rig_reader *reader)
{
    (void)words;
    return conclude(rig_unplug(reader->port));
}

typedef cJSON *reader_request(const char *const *words, const struct rig_reader *reader);

static const struct {
    const char *name;
    size_t words;
    cJSON *(*plain)(void);
    reader_request *reader;
} requests[] = {
    {"list", 1, rig_describe, NULL}, {"report", 1, rig_report, NULL}, {"insert", 4, NULL, insert},
    {"eject", 3, NULL, eject},       {"unplug", 2, NULL, unplug},
};

static size_t split(char *line, const char *words[WORDS_MAX + 1])
{
    size_t count = 0;
    char *rest = NULL;
    for (char *word = strtok_r(line, " ", &rest); word != NULL && count <= WORDS_MAX;
         word = strtok_r(NULL, " ", &rest)) {
        words[count++] = word;
    }
    return count;
}

cJSON *rig_control_answer(const char *request)
{
    char line[LINE_MAX_BYTES];
    const char *words[WORDS_MAX + 1] = {"", "", "", "", ""};
    struct rig_reader reader;
    (void)snprintf(line, sizeof line, "%s", request);
    size_t count = split(line, words);
    for (size_t i = 0; count > 0 && i < sizeof requests / sizeof requests[0]; i++) {
        if (strcmp(words[0], requests[i].name) != 0 || count != requests[i].words) {
            continue;
        }
        if (requests[i].plain != NULL) {
            return agree(requests[i].plain());
        }
        cJSON *refusal = find_reader(words[1], &reader);
        return refusal != NULL ? refusal : requests[i].reader(words, &reader);
    }
    return refuse("not a request", words[0]);
}
