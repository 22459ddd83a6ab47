// SPDX-License-Identifier: MIT
// Which library this program is linked with: without it the tests on the other one could run on ours
// unnoticed.
#include "tests/reader/scenario.h"

#ifdef SMCLIB_OTHER
enum { OTHER = 1 };
#else
enum { OTHER = 0 };
#endif

// A card with one protocol and default parameters.
static void test_negotiates(void **state)
{
    struct scenario scenario;
    uint8_t atr[RIG_ATR_MAX];
    size_t length;
    (void)state;
    scenario_begin(&scenario, rig_default_model(), "t1");
    assert_int_equal(rig_slot_power(scenario.file, RIG_COLD_RESET, atr, &length), RIG_STATUS_SUCCESS);
    assert_int_equal(scenario_state(&scenario), OTHER ? RIG_STATE_NEGOTIABLE : RIG_STATE_SPECIFIC);
    scenario_end(&scenario);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_negotiates, scenario_boot, scenario_shut_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
