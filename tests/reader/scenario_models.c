// SPDX-License-Identifier: MIT
// Every reader of the table starts, takes a card it knows and answers, or is refused for its kind.
#include "tests/reader/scenario.h"

struct tally {
    unsigned used, refused;
};

enum { CCID_PROTOCOLS = 6 };

static void use_model(void *context, const struct emu_model *model)
{
    struct tally *tally = context;
    const char *card = (model->ccid[CCID_PROTOCOLS] & 1) == 0 ? "t1" : "t0";
    uint32_t port;
    nt_status status = rig_plug(model, &card, 1, &port);
    if (!rig_status_ok(status)) {
        // Readers of the vendor's own class are not bound by the class, and ICCD tokens have no bulk pipes.
        assert_true(model->interface_class != 0x0B || model->interface_protocol != 0 || model->endpoints < 2);
        tally->refused++;
        return;
    }
    print_message("%s\n", model->name);
    struct scenario scenario = {.port = port};
    assert_int_equal(rig_open(port, 0, &scenario.file), RIG_STATUS_SUCCESS);
    uint32_t protocol = scenario_connect(&scenario);
    static const uint8_t select_mf[] = {0x00, 0xA4, 0x00, 0x0C, 0x02, 0x3F, 0x00};
    uint8_t reply[258];
    size_t length = sizeof reply;
    assert_int_equal(scenario_command(&scenario, protocol, select_mf, sizeof select_mf, reply, &length),
                     0x9000);
    tally->used++;
    scenario_end(&scenario);
}

static void test_models(void **state)
{
    struct tally tally = {0, 0};
    char error[256];
    (void)state;
    assert_int_equal(rig_models(NULL, use_model, &tally, error, sizeof error), 0);
    print_message("%u readers used, %u refused\n", tally.used, tally.refused);
    assert_true(tally.used > 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_models, scenario_boot, scenario_shut_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
