// SPDX-License-Identifier: MIT
#include <errno.h>

#include "nthost/user/nthost.h"
#include "tests/support/hosttest.h"

static void test_round_trip(void **state)
{
    static const char *const texts[] = {
        "allocation:fail:nth=1",
        "allocation,irp:fail:site=3:driver=lectern",
        "irp,object,thread,work-item,registry,wait,request:fail:each",
        "transfer:late=50000:from=2",
        "transfer,request:cancel=0:chance=1000/7:driver=lectvbus",
        "call:fail:none",
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct nt_fault_plan plan;
        char text[NT_FAULT_TEXT_MAX];
        assert_int_equal(nt_fault_parse(texts[i], &plan), 0);
        nt_fault_print(&plan, text);
        assert_string_equal(text, texts[i]);
    }
}

static void test_values(void **state)
{
    struct nt_fault_plan plan;
    (void)state;
    assert_int_equal(nt_fault_parse("all:late:chance=5/18446744073709551615:driver=x", &plan), 0);
    assert_int_equal(plan.kinds, NT_FAULT_ALL & ~NT_FAULT_CALL);
    assert_int_equal(plan.effect, NT_FAULT_LATE);
    assert_int_equal(plan.late_us, 100000);
    assert_int_equal(plan.mode, NT_FAULT_CHANCE);
    assert_int_equal(plan.chance, 5);
    assert_true(plan.seed == UINT64_MAX);
    assert_string_equal(plan.driver, "x");
    assert_string_equal(nt_fault_kind_name(NT_FAULT_WORK_ITEM), "work-item");
}

static void test_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "allocation",
        "allocation:fail",
        "memory:fail:nth=1",
        "allocation:break:nth=1",
        "allocation:fail=3:nth=1",
        "allocation:failing:nth=1",
        "call:meet:nth=1",
        "allocation:fail:nth=0",
        "allocation:fail:nth=x",
        "allocation:fail:nth=1x",
        "allocation:fail:nth=99999999999999999999",
        "allocation:fail:chance=5",
        "allocation:fail:chance=1000001/1",
        "allocation:fail:sometimes",
        "allocation:late=-1:nth=1",
        "allocation:fail:nth=1:lectern",
        "allocation:fail:nth=1:driver=a-name-that-is-longer-than-any-service's",
        "allocation:fail:nth=1:driver=x:more",
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct nt_fault_plan plan;
        if (nt_fault_parse(texts[i], &plan) != -EINVAL) {
            fail_msg("'%s' was taken", texts[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
