// SPDX-License-Identifier: MIT
#include "tests/smclib/bench.h"
#include "tests/smclib/kernel.h"

nt_file *reader_file;
uint8_t answer[1024];
size_t answered;

static size_t hex_bytes(const char *hex, uint8_t *bytes)
{
    size_t count = 0;

    for (; hex[0] != '\0'; hex += 2) {
        const char pair[3] = {hex[0], hex[1], '\0'};
        bytes[count++] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return count;
}

static void start(void)
{
    static const char *const ids[] = {"ROOT\\SMCTEST", NULL};
    static const struct nt_service service = {"smctest", TestReaderEntry, ids};
    char instance[NT_ID_MAX];

    memset(&test_reader, 0, sizeof test_reader);
    test_reader.version = 0x150;
    test_reader.protocols = T0 | T1;
    test_reader.status[RDF_TRACKING] = ST_PENDING;
    assert_int_equal(nt_service_add(&service), 0);
    assert_int_equal(nt_root_device_add(ids[0], instance), 0);
    nt_pnp_wait();
    assert_status(nt_open("\\\\.\\SCReader0", &reader_file), ST_SUCCESS);
}

int bench_setup(void **state)
{
    (void)state;
    kernel_boot();
    start();
    return 0;
}

int bench_setup_threads(void **state)
{
    (void)state;
    kernel_boot_threads();
    start();
    return 0;
}

int bench_teardown(void **state)
{
    (void)state;
    nt_close(reader_file);
    kernel_shutdown();
    return 0;
}

nt_status control(uint32_t code, const void *in, size_t in_length, size_t out_length)
{
    assert_true(out_length <= sizeof answer);
    memset(answer, 0xEE, sizeof answer);
    return nt_device_control(reader_file, code, in, in_length, answer, out_length, &answered);
}

nt_status control_word(uint32_t code, uint32_t word, size_t out_length)
{
    return control(code, &word, sizeof word, out_length);
}

void set_state(uint32_t state)
{
    assert_status(control_word(TEST_STATE, state, 0), ST_SUCCESS);
}

uint32_t answer_word(void)
{
    uint32_t word;

    memcpy(&word, answer, sizeof word);
    return word;
}

uint32_t get_state(void)
{
    assert_status(control(GET_STATE, NULL, 0, 4), ST_SUCCESS);
    assert_int_equal(answered, 4);
    return answer_word();
}

void card_set(const char *atr)
{
    test_reader.atr_length = (unsigned)hex_bytes(atr, test_reader.atr);
}

void card_insert(const char *atr)
{
    card_set(atr);
    set_state(PRESENT);
    assert_status(control_word(POWER, 1, 33), ST_SUCCESS);
}

nt_status transmit(uint32_t protocol, const char *hex, size_t out_length)
{
    uint8_t request[300];
    const uint32_t header[2] = {protocol, sizeof header};

    memcpy(request, header, sizeof header);
    return control(TRANSMIT, request, sizeof header + hex_bytes(hex, request + sizeof header), out_length);
}
