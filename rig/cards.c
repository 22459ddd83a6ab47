// SPDX-License-Identifier: MIT
// A card outside, behind the emulator's card interface: a thread of its own waits for it, so that the bus
// does not.
#include "rig/cards.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emulator/card/card.h"
#include "emulator/emulator.h"
#include "rig/rig.h"

struct outside {
    struct outside *next;
    struct card_type type;
    char name[EMU_NAME_MAX];
    const struct cards_kind *kind;
    void *card;
    pthread_t thread;
    pthread_cond_t changed;
    // Below: under the lock.
    bool stopping, resets;
    uint64_t asked, answered; // the number of the last command, and of the one in `reply`
    size_t apdu_length, reply_length;
    uint8_t apdu[CARDS_APDU_MAX], reply[CARDS_REPLY_MAX];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct outside *all;

static size_t put_length(uint8_t *at, size_t length, bool extended)
{
    size_t count = 0;
    if (extended) {
        at[count++] = (uint8_t)(length >> 8);
    }
    at[count++] = (uint8_t)length; // 256 and 65536 are zeros
    return count;
}

// The APDU again, ISO 7816-3:2006 12.1.
static size_t encode(const struct card_command *command, uint8_t apdu[CARDS_APDU_MAX])
{
    const uint8_t header[] = {command->cla, command->ins, command->p1, command->p2};
    bool extended = command->nc > 255 || command->ne > 256;
    size_t length = sizeof header;
    memcpy(apdu, header, sizeof header);
    if (extended) {
        apdu[length++] = 0;
    }
    if (command->nc > 0) {
        length += put_length(apdu + length, command->nc, extended);
        memcpy(apdu + length, command->data, command->nc);
        length += command->nc;
    }
    if (command->ne > 0) {
        length += put_length(apdu + length, command->ne, extended);
    }
    return length;
}

static void insert(void *state, const struct card_type *type)
{
    *(struct outside **)state = (struct outside *)((char *)type - offsetof(struct outside, type));
}

static void reset(void *state)
{
    struct outside *outside = *(struct outside **)state;
    pthread_mutex_lock(&lock);
    explicit_bzero(outside->apdu, outside->apdu_length);
    outside->apdu_length = 0;
    outside->resets = true;
    outside->asked++; // nobody waits for an earlier answer
    pthread_cond_signal(&outside->changed);
    pthread_mutex_unlock(&lock);
}

// What ISO 7816-4 has read; everything else brings data with it.
static bool takes_data(const void *state, const uint8_t *header)
{
    static const uint8_t reads[] = {0x84, 0xB0, 0xB1, 0xB2, 0xB3, 0xC0, 0xCA};
    (void)state;
    return memchr(reads, header[1], sizeof reads) == NULL;
}

static void execute(void *state, const struct card_command *command, struct card_response *response)
{
    struct outside *outside = *(struct outside **)state;
    pthread_mutex_lock(&lock);
    outside->apdu_length = encode(command, outside->apdu);
    outside->asked++;
    pthread_cond_signal(&outside->changed);
    pthread_mutex_unlock(&lock);
    response->pending = true;
}

static bool finished(void *state, struct card_response *response)
{
    struct outside *outside = *(struct outside **)state;
    pthread_mutex_lock(&lock);
    bool done = outside->answered == outside->asked;
    if (done && outside->reply_length >= 2) { // else the card has gone: 6F00
        response->length = outside->reply_length - 2;
        memcpy(response->data, outside->reply, response->length);
        response->sw =
            (uint16_t)(outside->reply[response->length] << 8 | outside->reply[response->length + 1]);
        explicit_bzero(outside->reply, outside->reply_length);
    }
    pthread_mutex_unlock(&lock);
    return done;
}

static const struct card_application application = {
    .state_size = sizeof(struct outside *),
    .insert = insert,
    .reset = reset,
    .takes_data = takes_data,
    .execute = execute,
    .finished = finished,
};

// The lock is held, but not while the card works.
static void serve(struct outside *outside, uint8_t *apdu, uint8_t *reply)
{
    uint64_t number = outside->asked;
    bool resets = outside->resets;
    size_t length = outside->apdu_length, reply_length = CARDS_REPLY_MAX;
    outside->resets = false;
    outside->apdu_length = 0;
    memcpy(apdu, outside->apdu, length);
    explicit_bzero(outside->apdu, length); // it may hold a PIN
    pthread_mutex_unlock(&lock);
    if (resets) {
        outside->kind->reset(outside->card);
    }
    int error = length > 0 ? outside->kind->transact(outside->card, apdu, length, reply, &reply_length) : -1;
    explicit_bzero(apdu, length);
    pthread_mutex_lock(&lock);
    if (outside->asked == number) {
        outside->reply_length = error == 0 ? reply_length : 0;
        memcpy(outside->reply, reply, outside->reply_length);
    }
    outside->answered = number;
}

static void *run(void *argument)
{
    struct outside *outside = argument;
    uint8_t *apdu = malloc(CARDS_APDU_MAX), *reply = malloc(CARDS_REPLY_MAX);
    pthread_mutex_lock(&lock);
    while (!outside->stopping && apdu != NULL && reply != NULL) {
        if (outside->asked != outside->answered) {
            serve(outside, apdu, reply);
        } else {
            pthread_cond_wait(&outside->changed, &lock);
        }
    }
    pthread_mutex_unlock(&lock);
    free(apdu);
    free(reply);
    return NULL;
}

static const struct card_type *find(const char *name)
{
    pthread_mutex_lock(&lock);
    struct outside *outside = all;
    while (outside != NULL && strcmp(outside->name, name) != 0) {
        outside = outside->next;
    }
    pthread_mutex_unlock(&lock);
    return outside != NULL ? &outside->type : NULL;
}

static bool describe(struct outside *outside, const uint8_t *bytes, size_t length)
{
    struct atr atr;
    bool good = length <= ATR_MAX && card_atr_parse(bytes, length, &atr) == ATR_OK;
    if (good) {
        bool t1 = (atr.protocols & 2) != 0; // T=0 has no extended length of its own
        outside->type = (struct card_type){.name = outside->name,
                                           .description = "outside",
                                           .atr_length = (uint8_t)length,
                                           .classes = CARD_CLASS_A | CARD_CLASS_B | CARD_CLASS_C,
                                           .flags = t1 ? CARD_EXTENDED : 0,
                                           .application = &application};
        memcpy(outside->type.atr, bytes, length);
    }
    return good;
}

static bool start(struct outside *outside, const char *rest, char why[CARDS_WHY_MAX])
{
    uint8_t atr[CARDS_ATR_MAX];
    size_t length = 0;
    if (outside->kind->open(rest, &outside->card, atr, &length, why) != 0) {
        return false;
    }
    (void)pthread_cond_init(&outside->changed, NULL);
    if (!describe(outside, atr, length)) {
        (void)snprintf(why, CARDS_WHY_MAX, "its ATR makes no sense");
    } else if (pthread_create(&outside->thread, NULL, run, outside) != 0) {
        (void)snprintf(why, CARDS_WHY_MAX, "no thread for it");
    } else {
        return true;
    }
    outside->kind->close(outside->card);
    return false;
}

static const struct cards_kind *kind_of(const char *name, const char **rest)
{
    static const struct cards_kind *const kinds[] = {&cards_vpcd, &cards_cacard};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t length = strlen(kinds[i]->name);
        if (strncmp(name, kinds[i]->name, length) == 0 && (name[length] == ':' || name[length] == '@')) {
            *rest = name + length + 1;
            return kinds[i];
        }
    }
    return NULL;
}

static bool open_outside(const char *name, char why[CARDS_WHY_MAX])
{
    const char *rest;
    const struct cards_kind *kind = kind_of(name, &rest);
    why[0] = '\0';
    if (kind == NULL || strlen(name) >= EMU_NAME_MAX || find(name) != NULL) {
        return kind != NULL && strlen(name) < EMU_NAME_MAX;
    }
    struct outside *outside = calloc(1, sizeof *outside);
    if (outside != NULL) {
        outside->kind = kind;
        (void)snprintf(outside->name, sizeof outside->name, "%s", name);
    }
    if (outside == NULL || !start(outside, rest, why)) {
        free(outside);
        return false;
    }
    pthread_mutex_lock(&lock);
    outside->next = all;
    all = outside;
    pthread_mutex_unlock(&lock);
    emu_cards_from(find);
    return true;
}

static __thread char last_why[CARDS_WHY_MAX];

const char *rig_card_why(void)
{
    return last_why;
}

bool rig_card_open(const char *card)
{
    last_why[0] = '\0';
    return rig_card_known(card) || open_outside(card, last_why);
}

void cards_close(void)
{
    while (all != NULL) {
        struct outside *outside = all;
        pthread_mutex_lock(&lock);
        all = outside->next;
        outside->stopping = true;
        pthread_cond_signal(&outside->changed);
        pthread_mutex_unlock(&lock);
        outside->kind->interrupt(outside->card);
        (void)pthread_join(outside->thread, NULL);
        outside->kind->close(outside->card);
        (void)pthread_cond_destroy(&outside->changed);
        explicit_bzero(outside, sizeof *outside);
        free(outside);
    }
}
