// SPDX-License-Identifier: MIT
// Any sequence of requests to a reader driver on the library, whose callbacks answer as the input says:
// nothing is read or written out of bounds (the verifier guards the system buffers), every request ends, and
// what the client gets keeps the rules.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "nthost/user/nthost.h"
#include "tests/smclib/kernel.h"
#include "tests/smclib/testreader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
void TestReaderEntry(void);

enum { BUFFER = 320, WAITERS = 4, MOST_REQUESTS = 24, CALLBACKS = 9, TRACKING = 4 };

struct input {
    const uint8_t *data;
    size_t left;
};

struct waiter {
    nt_request *request;
    uint32_t code;
    size_t out_length;
    uint8_t buffer[BUFFER];
};

static nt_file *file;
static struct waiter waiters[WAITERS];

static void must(int condition)
{
    if (!condition) {
        abort();
    }
}

static uint8_t take(struct input *input)
{
    if (input->left == 0) {
        return 0;
    }
    input->left--;
    return *input->data++;
}

static uint32_t take_word(struct input *input)
{
    uint32_t word = 0;

    for (int i = 0; i < 4; i++) {
        word |= (uint32_t)take(input) << 8 * i;
    }
    return word;
}

static size_t take_bytes(struct input *input, uint8_t *bytes, size_t length)
{
    size_t given = length < input->left ? length : input->left;

    memcpy(bytes, input->data, given);
    input->data += given;
    input->left -= given;
    return given;
}

static void boot(void)
{
    static const char *const ids[] = {"ROOT\\SMCTEST", NULL};
    static const struct nt_service service = {"smctest", TestReaderEntry, ids};
    char instance[NT_ID_MAX];

    kernel_boot();
    test_reader.version = 0x150;
    must(nt_service_add(&service) == 0 && nt_root_device_add(ids[0], instance) == 0);
    nt_pnp_wait();
    must(nt_open("\\\\.\\SCReader0", &file) == ST_SUCCESS);
}

static nt_status control_word(uint32_t code, uint32_t word)
{
    size_t returned;

    return nt_device_control(file, code, &word, sizeof word, NULL, 0, &returned);
}

// ---- what the driver does ----

static unsigned take_status(struct input *input, int callback)
{
    static const unsigned statuses[] = {ST_SUCCESS,         ST_SUCCESS, ST_SUCCESS,
                                        ST_PENDING,         0x102,      (unsigned)ST_IO_TIMEOUT,
                                        ST_BUFFER_OVERFLOW, ST_NO_MEDIA};
    unsigned choice = take(input) % (sizeof statuses / sizeof statuses[0]);

    return callback == TRACKING && choice < 3 ? ST_PENDING : statuses[choice];
}

static void set_callbacks(struct input *input)
{
    uint8_t flags = take(input);

    test_reader.no_answer = flags & 1;
    test_reader.update = flags >> 1 & 1;
    test_reader.atr_as_protocol = flags >> 2 & 1;
    test_reader.t1_rounds = flags >> 3 & 3;
    test_reader.complete_in_callback = flags >> 5 & 1;
    test_reader.uninitialised = flags >> 6 == 3;
    test_reader.protocols = (take(input) & 3) | (uint32_t)(flags & 0x80) << 9;
    test_reader.absent_callbacks = take(input);
    test_reader.version = flags == 0xFE ? 0xFF : 0x150;
    for (int i = 0; i < CALLBACKS; i++) {
        test_reader.status[i] = take_status(input, i);
    }
}

static void set_atr(struct input *input)
{
    test_reader.atr_length = (unsigned)take_bytes(input, test_reader.atr, take(input) % 34);
}

// ---- requests ----

static int is_standard(uint32_t code)
{
    static const uint32_t codes[] = {POWER,     GET_ATTRIBUTE,  SET_ATTRIBUTE, CONFISCATE, TRANSMIT,
                                     EJECT,     SWALLOW,        IS_PRESENT,    IS_ABSENT,  SET_PROTOCOL,
                                     GET_STATE, GET_LAST_ERROR, GET_PERF_CNTR};

    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        if (codes[i] == code) {
            return 1;
        }
    }
    return 0;
}

static uint32_t take_code(struct input *input)
{
    static const uint32_t codes[] = {POWER,          GET_ATTRIBUTE, SET_ATTRIBUTE, CONFISCATE,
                                     TRANSMIT,       EJECT,         SWALLOW,       OBSOLETE_READ,
                                     IS_PRESENT,     IS_ABSENT,     SET_PROTOCOL,  GET_STATE,
                                     GET_LAST_ERROR, GET_PERF_CNTR, VENDOR,        VENDOR_OTHER_DEVICE};
    uint8_t choice = take(input);
    uint32_t code = (choice & 0x80) != 0 ? take_word(input) : codes[choice & 15];

    // The test driver's own codes trust their sender.
    return code >> 12 == TEST_STATE >> 12 ? VENDOR : code;
}

static void check(const struct waiter *waiter, nt_status status, size_t returned)
{
    must(status != ST_PENDING);
    if (is_standard(waiter->code)) {
        must(returned <= waiter->out_length);
        must(status >> 30 != 3 || returned == 0);
    }
}

static void end(struct waiter *waiter)
{
    size_t returned = 0;
    nt_status status = nt_request_end(waiter->request, &returned);

    waiter->request = NULL;
    check(waiter, status, returned);
}

static void end_completed(void)
{
    for (int i = 0; i < WAITERS; i++) {
        if (waiters[i].request != NULL && nt_request_wait(waiters[i].request, 0)) {
            end(&waiters[i]);
        }
    }
}

static void request(struct input *input, struct waiter *waiter)
{
    size_t in_length = take(input);

    waiter->code = take_code(input);
    waiter->out_length = take(input) + (size_t)(in_length & 1) * 64;
    memset(waiter->buffer, 0, sizeof waiter->buffer);
    take_bytes(input, waiter->buffer, in_length);
    // A vendor's answer is the driver's own business, so the driver of this test keeps to the buffer it has.
    test_reader.vendor_answer = (waiter->code & 3) == 0 ? (unsigned)waiter->out_length : 0;
    waiter->request = nt_device_control_begin(file, waiter->code, waiter->buffer, in_length, waiter->buffer,
                                              waiter->out_length);
    must(waiter->request != NULL);
    end_completed();
}

static void step(struct input *input)
{
    uint8_t what = take(input);

    for (int i = 0; i < WAITERS; i++) {
        if (waiters[i].request == NULL && what < 0xC0) {
            request(input, &waiters[i]);
            return;
        }
    }
    switch (what & 7) {
    case 0:
        set_callbacks(input);
        break;
    case 1:
        set_atr(input);
        break;
    case 2:
        control_word(TEST_FINISH, 0);
        break;
    case 3:
        if (waiters[what >> 3 & 3].request != NULL) {
            nt_request_cancel(waiters[what >> 3 & 3].request);
        }
        break;
    default:
        control_word(TEST_STATE, take(input) % 7U);
    }
    end_completed();
}

// Everything ends, and the next input finds an empty reader.
static void settle(void)
{
    control_word(TEST_FINISH, 0);
    for (int i = 0; i < WAITERS; i++) {
        if (waiters[i].request != NULL) {
            nt_request_cancel(waiters[i].request);
        }
    }
    end_completed();
    for (int i = 0; i < WAITERS; i++) {
        must(waiters[i].request == NULL);
    }
    memset(&test_reader, 0, sizeof test_reader);
    test_reader.version = 0x150;
    control_word(TEST_STATE, ABSENT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};

    if (file == NULL) {
        boot();
    }
    test_reader.status[TRACKING] = ST_PENDING;
    test_reader.protocols = T0 | T1;
    set_atr(&input);
    control_word(TEST_STATE, PRESENT);
    for (int i = 0; i < MOST_REQUESTS && input.left != 0; i++) {
        step(&input);
    }
    settle();
    return 0;
}
