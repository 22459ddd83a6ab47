// SPDX-License-Identifier: MIT
// What an image does wrong becomes a bug check that says where.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// cmocka's header needs those above.
#include <cmocka.h>
#include <stdio.h>

#include "tests/nthost/pe/fixture.h"
#include "tests/nthost/support/child.h"

static const char *compiler;
static enum bad_action action;
static enum nt_clock clock_kind;

static void misbehave(void)
{
    struct bad_place answer;
    pe_boot(clock_kind, 0, child_report);
    pe_start(compiler, NULL);
    (void)pe_act(action, &answer);
    nt_shutdown();
}

static void must_say(const char *report, const char *text)
{
    if (!child_contains(report, text)) {
        fprintf(stderr, "%s, action %d: lacks '%s':\n%s\n", compiler, action, text, report);
        fail();
    }
}

static void breaks(enum bad_action what, const char *stop, const char *detail, const char *routine)
{
    static char report[CHILD_REPORT_SIZE];
    action = what;
    for (int kind = NT_CLOCK_REAL; kind <= NT_CLOCK_VIRTUAL; kind++) {
        for (size_t i = 0; pe_compilers[i] != NULL; i++) {
            clock_kind = (enum nt_clock)kind;
            compiler = pe_compilers[i];
            assert_int_equal(child_run(misbehave, report), 1);
            must_say(report, stop);
            must_say(report, detail);

            // lld leaves no symbols in the image.
            must_say(report, compiler[0] == 'm' ? routine : "bad.sys+0x");
        }
    }
}

static void wild_write(void **state)
{
    (void)state;
    breaks(BAD_NULL_WRITE, "bug check 0x1E KMODE_EXCEPTION_NOT_HANDLED (0xC0000005,",
           "access violation, write to 0x0 at bad.sys", "bad.sys!BadAct+0x");
}

static void wild_read_at_raised_irql(void **state)
{
    (void)state;
    breaks(BAD_NULL_READ_RAISED, "bug check 0xD1 DRIVER_IRQL_NOT_LESS_OR_EQUAL (0x0, 0x2, 0x0,",
           "access violation, read from 0x0 at bad.sys", "bad.sys!BadAct+0x");
}

static void wild_call(void **state)
{
    (void)state;
    breaks(BAD_NULL_CALL, "bug check 0x1E KMODE_EXCEPTION_NOT_HANDLED (0xC0000005,",
           "access violation, jump to 0x0", "bad.sys!BadAct+0x");
}

static void wild_write_in_a_system_thread(void **state)
{
    (void)state;
    breaks(BAD_THREAD_WRITE, "bug check 0x7E SYSTEM_THREAD_EXCEPTION_NOT_HANDLED (0xC0000005,",
           "access violation, write to 0x0 at bad.sys", "bad.sys!BadThread+0x");
}

static void fast_fail(void **state)
{
    (void)state;
    breaks(BAD_FAST_FAIL, "bug check 0x139 KERNEL_SECURITY_CHECK_FAILURE (0x3,", "fast fail 3 at bad.sys",
           "bad.sys!BadAct+0x");
}

static void endless_recursion(void **state)
{
    (void)state;
    breaks(BAD_STACK, "bug check 0x7F UNEXPECTED_KERNEL_MODE_TRAP (0x8,",
           "the kernel stack is used up at bad.sys", "bad.sys!Descend");
}

static void unhandled_exception(void **state)
{
    (void)state;
    breaks(BAD_RAISE, "bug check 0x1E KMODE_EXCEPTION_NOT_HANDLED (0xC0000178,",
           "exception c0000178 at bad.sys", "bad.sys!BadAct+0x");
}

static void privileged_instruction(void **state)
{
    (void)state;
    breaks(BAD_HALT, "bug check 0x1E KMODE_EXCEPTION_NOT_HANDLED (0xC0000096,",
           "privileged instruction f4 at bad.sys", "bad.sys!BadAct+0x");
}

static void division_by_zero(void **state)
{
    (void)state;
    breaks(BAD_DIVIDE, "bug check 0x1E KMODE_EXCEPTION_NOT_HANDLED (0xC0000094,",
           "exception c0000094 at bad.sys", "bad.sys!BadAct+0x");
}

static void memory_left_behind(void **state)
{
    (void)state;
    breaks(BAD_LEAK, "rule: PoolLeak", "driver bad unloaded with 1 pool blocks left", "bad.sys!BadAct+0x");
}

static void raised_irql_left_behind(void **state)
{
    (void)state;
    breaks(BAD_KEEP_IRQL, "rule: IrqlAtReturn", "was called at IRQL 0 and returned at 2",
           "dispatch routine bad.sys!BadControl+0x0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wild_write),
        cmocka_unit_test(wild_read_at_raised_irql),
        cmocka_unit_test(wild_call),
        cmocka_unit_test(wild_write_in_a_system_thread),
        cmocka_unit_test(fast_fail),
        cmocka_unit_test(endless_recursion),
        cmocka_unit_test(unhandled_exception),
        cmocka_unit_test(privileged_instruction),
        cmocka_unit_test(division_by_zero),
        cmocka_unit_test(memory_left_behind),
        cmocka_unit_test(raised_irql_left_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
