// SPDX-License-Identifier: MIT
// Jobs end in order, whatever becomes of each.
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "rig/jobs.h"
#include "tests/support/hosttest.h"

enum { JOBS = 8, FAILS = 2, KILLED = 3, HANGS = 4, LONG = 5, EXITS = 6, LENGTH = 300000 };

static bool job(void *context, size_t index, FILE *out)
{
    (void)context;
    (void)fprintf(out, "job %zu", index);
    switch (index) {
    case 0:
        (void)usleep(200000); // the later ones end before it
        return true;
    case FAILS:
        return false;
    case KILLED:
        (void)fflush(out);
        (void)raise(SIGKILL);
        return true;
    case HANGS:
        for (;;) {
            (void)pause();
        }
    case LONG:
        (void)fprintf(out, "%*s", LENGTH, "end");
        return true;
    case EXITS:
        _exit(7);
    default:
        return true;
    }
}

static void check(void *context, const struct rig_job_result *result)
{
    size_t *next = context;
    char begin[16];
    assert_int_equal(result->index, (*next)++);
    (void)snprintf(begin, sizeof begin, "job %zu", result->index);
    bool odd = result->index == KILLED || result->index == HANGS || result->index == EXITS;
    assert_int_equal(result->succeeded, result->index != FAILS && !odd);
    assert_int_equal(result->died != NULL, odd);
    const char *died = result->died != NULL ? result->died : "";
    if (result->index == KILLED) {
        assert_string_equal(result->text, begin);
        assert_non_null(strstr(died, "signal 9"));
    } else if (result->index == HANGS) {
        assert_non_null(strstr(died, "still running after 1 s"));
    } else if (result->index == EXITS) {
        assert_non_null(strstr(died, "status 7"));
    } else {
        assert_memory_equal(result->text, begin, strlen(begin));
        assert_int_equal(result->length, strlen(begin) + (result->index == LONG ? LENGTH : 0));
    }
}

static void test_order(void **state)
{
    (void)state;
    for (unsigned width = 0; width <= 4; width += 2) {
        size_t next = 0;
        assert_int_equal(rig_jobs(JOBS, width, 1, job, check, &next), 0);
        assert_int_equal(next, JOBS);
    }
}

static void test_none(void **state)
{
    size_t next = 0;
    (void)state;
    assert_int_equal(rig_jobs(0, 0, 1, job, check, &next), 0);
    assert_int_equal(next, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
