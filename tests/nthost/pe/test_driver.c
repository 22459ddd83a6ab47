// SPDX-License-Identifier: MIT
// A driver image at work: its library, inline code of the headers, DPCs, threads, exceptions, unloading.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// cmocka's header needs those above.
#include <cmocka.h>
#include <pthread.h>

#include "tests/nthost/pe/fixture.h"

enum { SEEDS = 20, DISPATCH = 2, ROUNDS = 24, THREADS = 8 };
enum { LIBRARY_FIRST = 1000 };
#define STATUS_ACCESS_VIOLATION 0xC0000005u
#define STATUS_NO_MEDIA         0xC0000178u
#define STATUS_NOT_SUPPORTED    0xC00000BBu
#define YEAR_2020               132223104000000000ull // in 100 ns since 1601

static void check_place(enum nt_clock clock)
{
    struct bad_place place;
    assert_int_equal(pe_act(BAD_PLACE, &place), 0);
    assert_int_not_equal(place.thread, 0);
    assert_int_equal(place.irql, 0);
    assert_int_equal(place.raised, DISPATCH);
    assert_int_not_equal(place.time, 0);
    if (clock == NT_CLOCK_REAL) {
        assert_true(place.time > YEAR_2020);
    }
    unsigned long long ticks = place.ticks, time = place.time;
    nt_sleep_us(100000);
    assert_int_equal(pe_act(BAD_PLACE, &place), 0);
    assert_true(place.ticks > ticks && place.time >= time + 500000);
}

static void check_exceptions(const char *compiler)
{
    bool has_try = compiler[0] == 'l';
    assert_int_equal(pe_count(BAD_TRY_WRITE), has_try ? STATUS_ACCESS_VIOLATION : STATUS_NOT_SUPPORTED);
    assert_int_equal(pe_count(BAD_TRY_RAISE), has_try ? STATUS_NO_MEDIA : STATUS_NOT_SUPPORTED);
}

static void check_work(const char *compiler, enum nt_clock clock)
{
    assert_int_equal(pe_count(BAD_COUNT), 1);
    assert_int_equal(pe_count(BAD_COUNT), 2);
    assert_int_equal(pe_count(BAD_LIBRARY_COUNT), LIBRARY_FIRST + 1);
    assert_int_equal(pe_count(BAD_DPC), DISPATCH);
    assert_int_equal(pe_count(BAD_SYSTEM_THREAD), 0);
    check_place(clock);
    check_exceptions(compiler);
}

static void works(enum nt_clock clock, uint64_t seed)
{
    for (size_t i = 0; pe_compilers[i] != NULL; i++) {
        pe_boot(clock, seed, NULL);
        pe_start(pe_compilers[i], NULL);
        check_work(pe_compilers[i], clock);
        nt_shutdown();
    }
}

static void works_on_the_real_clock(void **state)
{
    (void)state;
    works(NT_CLOCK_REAL, 0);
}

static void works_under_every_schedule(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        works(NT_CLOCK_VIRTUAL, seed);
    }
}

// The image is loaded anew with its data, and so is the library, whose DllUnload freed its memory. More often
// than images stay mapped.
static void is_fresh_after_each_removal(void **state)
{
    (void)state;
    char instance[NT_ID_MAX];
    pe_boot(NT_CLOCK_VIRTUAL, 7, NULL);
    pe_start("mingw", instance);
    for (unsigned i = 0; i < ROUNDS; i++) {
        assert_int_equal(pe_count(BAD_COUNT), 1);
        assert_int_equal(pe_count(BAD_LIBRARY_COUNT), LIBRARY_FIRST + 1);
        assert_int_equal(nt_device_remove(instance), 0);
        nt_pnp_wait();
        assert_int_equal(nt_device_start(instance), 0);
    }
    nt_shutdown();
}

static void *act_often(void *context)
{
    unsigned failures = 0;
    (void)context;
    for (unsigned i = 0; i < 50; i++) {
        struct bad_place place;
        failures += pe_act(BAD_PLACE, &place) != 0 || place.irql != 0 || place.raised != DISPATCH;
        failures += pe_count(BAD_SYSTEM_THREAD) != 0;
    }
    return (void *)(size_t)failures;
}

static void serves_threads_of_the_host(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    pe_boot(NT_CLOCK_REAL, 0, NULL);
    pe_start("mingw", NULL);
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, act_often, NULL), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        void *failures;
        assert_int_equal(pthread_join(threads[i], &failures), 0);
        assert_null(failures);
    }
    nt_shutdown();
}

// A boot without images between two with: this thread runs the driver's code in the third.
static void a_thread_outlives_boots(void **state)
{
    (void)state;
    works(NT_CLOCK_VIRTUAL, 0);
    const struct nt_options plain = {.clock = NT_CLOCK_VIRTUAL, .verifier = true};
    assert_int_equal(nt_boot(&plain), 0);
    nt_shutdown();
    works(NT_CLOCK_REAL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(works_on_the_real_clock),     cmocka_unit_test(works_under_every_schedule),
        cmocka_unit_test(is_fresh_after_each_removal), cmocka_unit_test(serves_threads_of_the_host),
        cmocka_unit_test(a_thread_outlives_boots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
