// SPDX-License-Identifier: MIT
// Every reader of the table starts, takes a card it knows and answers.
#include "tests/reader/scenario.h"

enum { CCID_PROTOCOLS = 6 };

static void use_model(void *context, const struct emu_model *model)
{
    unsigned *used = context;
    const char *card = (model->ccid[CCID_PROTOCOLS] & 1) == 0 ? "t1" : "t0";
    uint32_t port;
    nt_status status = rig_plug(model, &card, 1, &port);
    print_message("%s\n", model->name);
    assert_int_equal(status, RIG_STATUS_SUCCESS);
    struct scenario scenario = {.port = port};
    assert_int_equal(rig_open(port, 0, &scenario.file), RIG_STATUS_SUCCESS);
    uint32_t protocol = scenario_connect(&scenario);
    static const uint8_t select_mf[] = {0x00, 0xA4, 0x00, 0x0C, 0x02, 0x3F, 0x00};
    uint8_t reply[258];
    size_t length = sizeof reply;
    assert_int_equal(scenario_command(&scenario, protocol, select_mf, sizeof select_mf, reply, &length),
                     0x9000);
    (*used)++;
    scenario_end(&scenario);
}

static void test_models(void **state)
{
    unsigned used = 0;
    char error[256];
    (void)state;
    assert_int_equal(rig_models(NULL, use_model, &used, error, sizeof error), 0);
    assert_true(used > 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_models, scenario_boot, scenario_shut_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
