// SPDX-License-Identifier: MIT
// What pcscd's event thread sees: presence and the polling functions.
#include <ifdhandler.h>
#include <pthread.h>

#include "rig/rig.h"
#include "tests/support/hosttest.h"

enum { LUN = 0x30000, LONG_MS = 600000 };

static uint32_t port;
static RESPONSECODE (*wait_change)(DWORD lun, int timeout_ms);
static RESPONSECODE (*stop_waiting)(DWORD lun);

static int open_empty(void **state)
{
    char name[] = "emulated";
    struct rig_reader reader;
    DWORD length = sizeof wait_change;
    (void)state;
    assert_int_equal(IFDHCreateChannelByName(LUN, name), IFD_SUCCESS);
    assert_int_equal(rig_readers(&reader, 1), 1);
    port = reader.port;
    assert_int_equal(
        IFDHGetCapabilities(LUN, TAG_IFD_POLLING_THREAD_WITH_TIMEOUT, &length, (PUCHAR)&wait_change),
        IFD_SUCCESS);
    assert_int_equal(IFDHGetCapabilities(LUN, TAG_IFD_STOP_POLLING_THREAD, &length, (PUCHAR)&stop_waiting),
                     IFD_SUCCESS);
    return 0;
}

static int close_it(void **state)
{
    (void)state;
    assert_int_equal(IFDHCloseChannel(LUN), IFD_SUCCESS);
    return 0;
}

struct waiter {
    pthread_t thread;
    RESPONSECODE result;
};

static void *run_wait(void *context)
{
    struct waiter *waiter = context;
    waiter->result = wait_change(LUN, LONG_MS);
    return NULL;
}

static void begin_wait(struct waiter *waiter)
{
    waiter->result = -1;
    assert_int_equal(pthread_create(&waiter->thread, NULL, run_wait, waiter), 0);
    nt_sleep_us(20000); // most often it is waiting by then; the result must be the same if not
}

static void end_wait(struct waiter *waiter, RESPONSECODE expected)
{
    assert_int_equal(pthread_join(waiter->thread, NULL), 0);
    assert_int_equal(waiter->result, expected);
}

static void test_insert_and_eject(void **state)
{
    struct waiter waiter;
    (void)state;
    assert_int_equal(IFDHICCPresence(LUN), IFD_ICC_NOT_PRESENT);
    begin_wait(&waiter);
    assert_int_equal(rig_insert(port, 0, "t1"), 0);
    end_wait(&waiter, IFD_SUCCESS);
    assert_int_equal(IFDHICCPresence(LUN), IFD_ICC_PRESENT);
    begin_wait(&waiter);
    assert_int_equal(rig_eject(port, 0), 0);
    end_wait(&waiter, IFD_SUCCESS);
    assert_int_equal(IFDHICCPresence(LUN), IFD_ICC_NOT_PRESENT);
}

// A change between the question and the wait must not be slept through.
static void test_change_before_wait(void **state)
{
    (void)state;
    assert_int_equal(IFDHICCPresence(LUN), IFD_ICC_NOT_PRESENT);
    assert_int_equal(rig_insert(port, 0, "t1"), 0);
    assert_int_equal(wait_change(LUN, LONG_MS), IFD_SUCCESS);
    assert_int_equal(IFDHICCPresence(LUN), IFD_ICC_PRESENT);
}

static void test_swap_is_seen(void **state)
{
    struct waiter waiter;
    (void)state;
    assert_int_equal(rig_insert(port, 0, "t1"), 0);
    while (IFDHICCPresence(LUN) != IFD_ICC_PRESENT) {
        assert_int_equal(wait_change(LUN, LONG_MS), IFD_SUCCESS);
    }
    begin_wait(&waiter);
    assert_int_equal(rig_eject(port, 0), 0);
    end_wait(&waiter, IFD_SUCCESS);
    assert_int_equal(rig_insert(port, 0, "t0"), 0);
    assert_int_equal(IFDHICCPresence(LUN), IFD_ICC_NOT_PRESENT);
    assert_int_equal(wait_change(LUN, LONG_MS), IFD_SUCCESS);
    assert_int_equal(IFDHICCPresence(LUN), IFD_ICC_PRESENT);
}

static void test_timeout(void **state)
{
    (void)state;
    assert_int_equal(IFDHICCPresence(LUN), IFD_ICC_NOT_PRESENT);
    assert_int_equal(wait_change(LUN, 1), IFD_SUCCESS);
    assert_int_equal(IFDHICCPresence(LUN), IFD_ICC_NOT_PRESENT);
}

static void test_stop(void **state)
{
    struct waiter waiter;
    (void)state;
    assert_int_equal(IFDHICCPresence(LUN), IFD_ICC_NOT_PRESENT);
    begin_wait(&waiter);
    assert_int_equal(stop_waiting(LUN), IFD_SUCCESS);
    end_wait(&waiter, IFD_SUCCESS);
    assert_int_equal(stop_waiting(LUN), IFD_SUCCESS); // before the wait: counts for the next
    assert_int_equal(wait_change(LUN, LONG_MS), IFD_SUCCESS);
    assert_int_equal(wait_change(LUN, 1), IFD_SUCCESS);
}

static void test_unplug(void **state)
{
    struct waiter waiter;
    (void)state;
    assert_int_equal(IFDHICCPresence(LUN), IFD_ICC_NOT_PRESENT);
    begin_wait(&waiter);
    assert_int_equal(rig_unplug(port), 0);
    assert_int_equal(pthread_join(waiter.thread, NULL), 0);
    assert_int_equal(IFDHICCPresence(LUN), IFD_NO_SUCH_DEVICE);
    assert_int_equal(wait_change(LUN, LONG_MS), IFD_NO_SUCH_DEVICE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_insert_and_eject, open_empty, close_it),
        cmocka_unit_test_setup_teardown(test_change_before_wait, open_empty, close_it),
        cmocka_unit_test_setup_teardown(test_swap_is_seen, open_empty, close_it),
        cmocka_unit_test_setup_teardown(test_timeout, open_empty, close_it),
        cmocka_unit_test_setup_teardown(test_stop, open_empty, close_it),
        cmocka_unit_test_setup_teardown(test_unplug, open_empty, close_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
