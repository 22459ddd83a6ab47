// SPDX-License-Identifier: MIT
// Every row of the driver's table against the reader it is about, emulated with its flaws: the session works,
// and with that kind of quirk disabled it does not.
#include <stdio.h>

#include "emulator/flaw.h"
#include "reader/quirkrows.h"
#include "tests/reader/scenario.h"
#include "vbus/vbusioctl.h"

typedef int32_t LONG;
#include "reader/events.h"

enum {
    CCID_MAX_SLOT = 4,
    CCID_PIN_SUPPORT = 52,
    RELEASE_OF_ANY = 0x0100,
    SLOTS = 2,
    VERIFY_CONDITION = 7,
    MODIFY_MESSAGES = 11,
};

#define VERIFY_DIRECT RIG_SCARD_CTL(3400 + 6) // PC/SC part 10
#define MODIFY_DIRECT RIG_SCARD_CTL(3400 + 7)

struct session {
    struct scenario scenario;
    nt_file *slot; // the one that is used
    uint32_t protocol;
    unsigned outdated, too_long; // events since the start
};

static void count_events(void *context, const struct nt_event *event)
{
    struct session *session = context;
    session->outdated += event->code == (uint32_t)LECTERN_FIRMWARE_OLD;
    session->too_long += event->code == (uint32_t)LECTERN_APDU_TOO_LONG;
}

// true: it has got as far as this.
static bool connect_by(struct session *session, uint32_t protocols)
{
    uint8_t atr[RIG_ATR_MAX];
    size_t length;
    return rig_slot_power(session->slot, RIG_COLD_RESET, atr, &length) == RIG_STATUS_SUCCESS &&
           rig_slot_set_protocol(session->slot, protocols, &session->protocol) == RIG_STATUS_SUCCESS;
}

static bool connect(struct session *session)
{
    return connect_by(session, RIG_PROTOCOL_T0 | RIG_PROTOCOL_T1);
}

static bool transmit(struct session *session, const uint8_t *command, size_t length, size_t wanted)
{
    uint8_t reply[300];
    size_t received = sizeof reply;
    return rig_slot_transmit(session->slot, session->protocol, command, length, reply, &received) ==
               RIG_STATUS_SUCCESS &&
           received == wanted + 2;
}

static const uint8_t select_mf[] = {0x00, 0xA4, 0x00, 0x0C, 0x02, 0x3F, 0x00};

static bool select_works(struct session *session)
{
    return connect(session) && transmit(session, select_mf, sizeof select_mf, 0);
}

static bool select_works_t0(struct session *session)
{
    return connect_by(session, RIG_PROTOCOL_T0) && transmit(session, select_mf, sizeof select_mf, 0);
}

static bool firmware_told(struct session *session)
{
    struct rig_reader reader;
    return rig_find(session->scenario.port, &reader) && emu_flaw(&reader.model, EMU_FLAW_OUTDATED) != 0 &&
           session->outdated != 0;
}

static bool long_command(struct session *session)
{
    static const uint8_t update[307] = {0x80, 0xE0, 0x80, 0x00, 0x00, 0x01, 0x2C};
    return connect(session) && transmit(session, update, sizeof update, 0);
}

// Refused by the driver, who knows better, and not by the reader amid the command.
static bool long_command_refused(struct session *session)
{
    bool worked = long_command(session);
    nt_events(count_events, session);
    return worked || session->too_long != 0;
}

// 52 bytes and the status word are three to five bytes short of a packet, or the last of it.
static bool lengths_work(struct session *session)
{
    bool works = connect(session);
    for (uint8_t le = 48; works && le < 58; le++) {
        const uint8_t command[] = {0x80, 0xE0, 0x40, 0x00, le};
        works = transmit(session, command, sizeof command, le);
    }
    return works;
}

static bool vacancy_shows(struct session *session)
{
    enum rig_state now;
    return !connect(session) && rig_slot_state(session->slot, &now) == RIG_STATUS_SUCCESS &&
           now == RIG_STATE_ABSENT;
}

// Who it is, without the card.
static bool questions_answered(struct session *session)
{
    static const uint8_t tags[] = {0x01, 0x03, 0x06, 0x07};
    bool works = connect(session);
    for (size_t i = 0; works && i < sizeof tags; i++) {
        const uint8_t question[] = {0xFF, 0x9A, 0x01, tags[i], 0x00};
        uint8_t reply[64];
        size_t length = sizeof reply;
        works = rig_slot_transmit(session->slot, session->protocol, question, sizeof question, reply,
                                  &length) == RIG_STATUS_SUCCESS &&
                length > 2 && reply[length - 2] == 0x90 && reply[length - 1] == 0x00 && reply[0] >= ' ';
    }
    return works;
}

static bool generation_works(struct session *session)
{
    static const uint8_t generate[] = {0x00, 0x46, 0x00, 0x00};
    return connect(session) && transmit(session, generate, sizeof generate, 0);
}

// Nine seconds, which no repetition of blocks bridges.
static bool slow_command(struct session *session)
{
    static const uint8_t command[] = {0x80, 0x10, 0x00, 0x5A};
    return connect(session) && transmit(session, command, sizeof command, 0);
}

// ---- PIN pads ----

static uint8_t verify[] = {0x1E, 0x1E, 0x82, 0x08, 0x00, 0x08, 0x04, 0x02, 0xFF, 0x09, 0x04,
                           0x00, 0x00, 0x00, 0x00, 0x0D, 0x00, 0x00, 0x00, 0x00, 0x20, 0x00,
                           0x01, 0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
static uint8_t modify[] = {0x1E, 0x1E, 0x82, 0x08, 0x00, 0x00, 0x08, 0x08, 0x04, 0x03, 0x02, 0x03,
                           0x09, 0x04, 0x00, 0x01, 0x02, 0x00, 0x00, 0x00, 0x15, 0x00, 0x00, 0x00,
                           0x00, 0x24, 0x00, 0x01, 0x10, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                           0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
// A header alone, and a PIN that ends the command.
static const uint8_t verify_no_data[] = {0x1E, 0x1E, 0x82, 0x00, 0x00, 0x08, 0x04, 0x02,
                                         0xFF, 0x09, 0x04, 0x00, 0x00, 0x00, 0x00, 0x04,
                                         0x00, 0x00, 0x00, 0x00, 0x20, 0x00, 0x01};

// The status word, 0: none came.
static unsigned pin(struct session *session, uint32_t code, const uint8_t *structure, size_t length)
{
    uint8_t reply[16];
    size_t received = 0;
    nt_status status =
        nt_device_control(session->slot, code, structure, length, reply, sizeof reply, &received);
    return status == RIG_STATUS_SUCCESS && received == 2 ? (unsigned)(reply[0] << 8 | reply[1]) : 0;
}

static bool verify_works(struct session *session)
{
    return connect(session) && pin(session, VERIFY_DIRECT, verify, sizeof verify) == 0x9000;
}

static bool verify_any_condition(struct session *session)
{
    verify[VERIFY_CONDITION] = 0x03;
    bool works = verify_works(session);
    verify[VERIFY_CONDITION] = 0x02;
    return works;
}

static bool verify_without_data(struct session *session)
{
    unsigned status =
        connect(session) ? pin(session, VERIFY_DIRECT, verify_no_data, sizeof verify_no_data) : 0;
    return status != 0 && status != 0x6400 && status != 0x6401;
}

static bool modify_any_messages(struct session *session)
{
    static const uint8_t counts[] = {0, 1, 2, 3, 0xFF};
    bool works = connect(session);
    for (size_t i = 0; works && i < sizeof counts; i++) {
        modify[MODIFY_MESSAGES] = counts[i];
        works = pin(session, MODIFY_DIRECT, modify, sizeof modify) == 0x9000;
    }
    return works;
}

// No PIN is typed there, or it goes to the card alone.
static bool pin_is_safe(struct session *session)
{
    struct emu_statistics statistics;
    uint8_t records[36];
    size_t length = 0;
    bool works = connect(session);
    assert_int_equal(
        nt_device_control(session->slot, RIG_IOCTL_FEATURES, NULL, 0, records, sizeof records, &length),
        RIG_STATUS_SUCCESS);
    works = works && (length == 0 || pin(session, VERIFY_DIRECT, verify, sizeof verify) == 0x9000);
    assert_int_equal(rig_statistics(session->scenario.port, &statistics), RIG_STATUS_SUCCESS);
    return works && statistics.keystrokes == 0;
}

// ---- the table ----

static const struct probe {
    bool (*works)(struct session *session);
    uint32_t features;
    const char *card;
    unsigned slot;
} probes[QuirkCount] = {
    [QuirkNoPin] = {pin_is_safe, SCENARIO_EXTENDED, "t1", 0},
    [QuirkFirmware] = {firmware_told, SCENARIO_EXTENDED, "t1", 0},
    [QuirkShort] = {long_command_refused, SCENARIO_EXTENDED, "t1-extended", 0},
    [QuirkExtended] = {long_command, SCENARIO_SHORT, "t1-extended", 0},
    [QuirkAutoIfsd] = {select_works, SCENARIO_TPDU, "t1", 0},
    [QuirkRate] = {select_works_t0, SCENARIO_TPDU, "dual-fast", 0},
    [QuirkSlotRate] = {select_works, SCENARIO_TPDU, "t1-extended", 1},
    [QuirkResets] = {select_works, SCENARIO_TPDU, "dual", 0},
    [QuirkPackets] = {lengths_work, SCENARIO_CHARACTER, "t0", 0},
    [QuirkIsoMode] = {select_works, SCENARIO_EXTENDED, "t1", 0},
    [QuirkPowerOff] = {select_works, SCENARIO_EXTENDED, "t1", 0},
    [QuirkPresence] = {vacancy_shows, SCENARIO_TPDU, "", 0},
    [QuirkPatience] = {generation_works, SCENARIO_EXTENDED, "t1", 0},
    [QuirkLocalAnswers] = {questions_answered, SCENARIO_EXTENDED, "t1", 0},
    [QuirkCard] = {slow_command, SCENARIO_TPDU, "bad-bwi", 0},
    [QuirkPinVerifyMessages] = {verify_works, SCENARIO_TPDU, "t1", 0},
    [QuirkPinModifyMessages] = {modify_any_messages, SCENARIO_TPDU, "t1", 0},
    [QuirkPinKeyOnly] = {verify_any_condition, SCENARIO_TPDU, "t0", 0},
    [QuirkPinIndexes] = {modify_any_messages, SCENARIO_TPDU, "t0", 0},
    [QuirkPinSwap] = {verify_works, SCENARIO_TPDU, "t0", 0},
    [QuirkPinPause] = {verify_works, SCENARIO_TPDU, "t1", 0},
    [QuirkPinNoData] = {verify_without_data, SCENARIO_SHORT, "t1", 0},
};

static struct emu_model model_of(uint16_t vendor, uint16_t product, uint16_t release, uint32_t features)
{
    struct emu_model model = *rig_default_model();
    model.vendor_id = vendor;
    model.product_id = product;
    model.release = release == 0xFFFF ? RELEASE_OF_ANY : release;
    model.ccid[CCID_PIN_SUPPORT] = 3;
    model.ccid[CCID_MAX_SLOT] = SLOTS - 1;
    scenario_set_features(&model, features);
    return model;
}

// The driver reads the value when the reader starts, so this is not its first plug.
static void disable(const struct emu_model *model, uint32_t kinds)
{
    struct scenario scenario;
    char instance[NT_ID_MAX], key[NT_ID_MAX + 32];
    assert_int_equal(rig_plug(model, NULL, 0, &scenario.port), RIG_STATUS_SUCCESS);
    scenario_instance(&scenario, instance);
    (void)snprintf(key, sizeof key, "Enum\\%s\\Device Parameters", instance);
    assert_int_equal(nt_registry_set_dword(key, "QuirksDisabled", kinds), 0);
    assert_int_equal(rig_unplug(scenario.port), RIG_STATUS_SUCCESS);
}

static bool session_works(const struct emu_model *model, const struct probe *probe)
{
    struct session session = {0}, before = {0};
    const char *cards[SLOTS] = {NULL, NULL};
    cards[probe->slot] = probe->card;
    nt_events(count_events, &before);
    assert_int_equal(rig_plug(model, cards, SLOTS, &session.scenario.port), RIG_STATUS_SUCCESS);
    assert_int_equal(rig_open(session.scenario.port, probe->slot, &session.slot), RIG_STATUS_SUCCESS);
    nt_events(count_events, &session);
    session.outdated -= before.outdated;
    session.too_long = 0 - before.too_long;
    bool works = probe->works(&session);
    nt_close(session.slot);
    assert_int_equal(rig_unplug(session.scenario.port), RIG_STATUS_SUCCESS);
    return works;
}

static unsigned current_row; // the tests of rows run in their order

static void test_row(void **state)
{
    const QUIRK_ROW *row = &QuirkRows[current_row++];
    const struct probe *probe = &probes[row->Kind];
    (void)state;
    assert_non_null(probe->works);
    struct emu_model model = model_of(row->Vendor, row->Product, row->Last, probe->features);
    disable(&model, 0);
    assert_true(session_works(&model, probe));
    disable(&model, 1u << row->Kind);
    assert_false(session_works(&model, probe));
}

// A card is the same in every reader.
static void test_card(void **state)
{
    const struct probe *probe = &probes[QuirkCard];
    struct emu_model model = model_of(0x1D50, 0xCCD2, 0x0100, probe->features);
    (void)state;
    disable(&model, 0);
    assert_true(session_works(&model, probe));
    disable(&model, 1u << QuirkCard);
    assert_false(session_works(&model, probe));
}

// The reader after the last one that a row is about, and before the first, are others.
static void test_ranges(void **state)
{
    (void)state;
    for (unsigned i = 0; i < QuirkRowCount; i++) {
        const QUIRK_ROW *row = &QuirkRows[i];
        if (row->Kind != QuirkFirmware) {
            continue;
        }
        struct emu_model model =
            model_of(row->Vendor, row->Product, (uint16_t)(row->Last + 1), SCENARIO_TPDU);
        assert_int_equal(emu_flaw(&model, EMU_FLAW_OUTDATED), 0);
        assert_false(session_works(&model, &probes[QuirkFirmware]));
    }
}

// Whatever a reader is known to do, also where the driver needs no row for it.
static void test_flaws(void **state)
{
    static const struct probe any = {select_works, SCENARIO_EXTENDED, "t1", 0};
    const struct emu_fact *fact;
    (void)state;
    for (size_t i = 0; (fact = emu_fact_at(i)) != NULL; i++) {
        struct emu_model model = model_of(fact->vendor, fact->product, fact->last, any.features);
        if (!session_works(&model, &any)) {
            print_error("fact %zu, %04X:%04X\n", i, fact->vendor, fact->product);
            fail();
        }
    }
}

#define SCENARIO(test) cmocka_unit_test_setup_teardown(test, scenario_boot, scenario_shut_down)
enum { ROWS_MAX = 256, NAME_MAX = 40, OTHERS = 3 };

int main(void)
{
    static char names[ROWS_MAX][NAME_MAX];
    static struct CMUnitTest tests[ROWS_MAX + OTHERS] = {SCENARIO(test_card), SCENARIO(test_ranges),
                                                         SCENARIO(test_flaws)};
    for (unsigned i = 0; i < QuirkRowCount && i < ROWS_MAX; i++) {
        const QUIRK_ROW *row = &QuirkRows[i];
        (void)snprintf(names[i], sizeof names[i], "%04X:%04X %04X-%04X kind %d", row->Vendor, row->Product,
                       row->First, row->Last, (int)row->Kind);
        tests[OTHERS + i] = (struct CMUnitTest)SCENARIO(test_row);
        tests[OTHERS + i].name = names[i];
    }
    if (QuirkRowCount > ROWS_MAX) {
        return 1;
    }
    return _cmocka_run_group_tests("rows", tests, OTHERS + QuirkRowCount, NULL, NULL);
}
