// SPDX-License-Identifier: MIT
// The handler's functions as pcscd calls them, without pcscd.
#include <ifdhandler.h>
#include <pthread.h>
#include <reader.h>

#include "rig/rig.h"
#include "tests/support/hosttest.h"

enum { LUN = 0, SECOND_LUN = 0x10000 };

static const UCHAR select_mf[] = {0x00, 0xA4, 0x00, 0x0C, 0x02, 0x3F, 0x00};
// The emulated cards' slow command: P1 P2 is the time in tenths of a second.
static const UCHAR slow_minute[] = {0x80, 0x10, 0x02, 0x58};

static RESPONSECODE open_lun(DWORD lun, const char *name)
{
    char text[256];
    strncpy(text, name, sizeof text - 1);
    text[sizeof text - 1] = '\0';
    return IFDHCreateChannelByName(lun, text);
}

static void power_up(DWORD lun, DWORD protocol)
{
    UCHAR atr[MAX_ATR_SIZE];
    DWORD length = sizeof atr;
    assert_int_equal(IFDHPowerICC(lun, IFD_POWER_UP, atr, &length), IFD_SUCCESS);
    assert_true(length >= 2);
    assert_true(atr[0] == 0x3B || atr[0] == 0x3F);
    assert_int_equal(IFDHSetProtocolParameters(lun, protocol, 0, 0, 0, 0), IFD_SUCCESS);
}

static RESPONSECODE transmit(DWORD lun, DWORD number, const UCHAR *command, DWORD length, UCHAR reply[2],
                             DWORD room)
{
    UCHAR copy[16];
    SCARD_IO_HEADER send = {number, sizeof send}, receive = {0, 0};
    memcpy(copy, command, length);
    return IFDHTransmitToICC(lun, send, copy, length, reply, &room, &receive);
}

static void test_not_ours(void **state)
{
    (void)state;
    assert_int_equal(open_lun(LUN, "/dev/ttyS0"), IFD_NO_SUCH_DEVICE);
    assert_int_equal(open_lun(LUN, "emulated:model=NoSuchModel"), IFD_COMMUNICATION_ERROR);
    assert_int_equal(open_lun(LUN, "emulated:card=no-such-card"), IFD_COMMUNICATION_ERROR);
    assert_int_equal(IFDHICCPresence(LUN), IFD_NO_SUCH_DEVICE);
    assert_int_equal(IFDHCloseChannel(LUN), IFD_NO_SUCH_DEVICE);
}

static void test_exchange(void **state)
{
    static const struct {
        const char *name;
        DWORD protocol, number;
    } rows[] = {{"emulated:card=t0", SCARD_PROTOCOL_T0, 0}, {"emulated:card=t1", SCARD_PROTOCOL_T1, 1}};
    UCHAR reply[2] = {0};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(open_lun(LUN, rows[i].name), IFD_SUCCESS);
        assert_int_equal(IFDHICCPresence(LUN), IFD_ICC_PRESENT);
        power_up(LUN, rows[i].protocol);
        assert_int_equal(transmit(LUN, rows[i].number, select_mf, sizeof select_mf, reply, 2), IFD_SUCCESS);
        assert_int_equal(reply[0], 0x90);
        assert_int_equal(reply[1], 0x00);
        assert_int_equal(IFDHCloseChannel(LUN), IFD_SUCCESS);
    }
}

static void test_power(void **state)
{
    UCHAR atr[MAX_ATR_SIZE], kept[MAX_ATR_SIZE];
    DWORD length = sizeof atr, kept_length = sizeof kept;
    (void)state;
    assert_int_equal(open_lun(LUN, "emulated:card=t1"), IFD_SUCCESS);
    assert_int_equal(IFDHPowerICC(LUN, IFD_RESET, atr, &length), IFD_SUCCESS); // counts as power up
    assert_int_equal(IFDHGetCapabilities(LUN, TAG_IFD_ATR, &kept_length, kept), IFD_SUCCESS);
    assert_int_equal(kept_length, length);
    assert_memory_equal(kept, atr, length);
    assert_int_equal(IFDHPowerICC(LUN, IFD_RESET, atr, &length), IFD_SUCCESS);
    assert_int_equal(length, kept_length);
    assert_int_equal(IFDHPowerICC(LUN, IFD_POWER_DOWN, atr, &length), IFD_SUCCESS);
    assert_int_equal(length, 0);
    assert_int_equal(IFDHICCPresence(LUN), IFD_ICC_PRESENT); // not a changed card: we powered it down
    assert_int_equal(IFDHPowerICC(LUN, 999, atr, &length), IFD_NOT_SUPPORTED);
    assert_int_equal(IFDHCloseChannel(LUN), IFD_SUCCESS);
}

static void test_empty_slot(void **state)
{
    UCHAR atr[MAX_ATR_SIZE], reply[2];
    DWORD length = sizeof atr;
    (void)state;
    assert_int_equal(IFDHCreateChannel(LUN, 0), IFD_SUCCESS);
    assert_int_equal(IFDHICCPresence(LUN), IFD_ICC_NOT_PRESENT);
    assert_int_equal(IFDHPowerICC(LUN, IFD_POWER_UP, atr, &length), IFD_ERROR_POWER_ACTION);
    assert_int_equal(length, 0);
    assert_int_equal(IFDHPowerICC(LUN, IFD_POWER_DOWN, atr, &length), IFD_SUCCESS);
    assert_int_equal(transmit(LUN, 1, select_mf, sizeof select_mf, reply, 2), IFD_ICC_NOT_PRESENT);
    assert_int_equal(IFDHCloseChannel(LUN), IFD_SUCCESS);
}

static void test_protocol_not_offered(void **state)
{
    UCHAR atr[MAX_ATR_SIZE];
    DWORD length = sizeof atr;
    (void)state;
    assert_int_equal(open_lun(LUN, "emulated:card=t0"), IFD_SUCCESS);
    assert_int_equal(IFDHPowerICC(LUN, IFD_POWER_UP, atr, &length), IFD_SUCCESS);
    assert_int_equal(IFDHSetProtocolParameters(LUN, SCARD_PROTOCOL_T1, 0, 0, 0, 0),
                     IFD_PROTOCOL_NOT_SUPPORTED);
    assert_int_equal(IFDHSetProtocolParameters(LUN, 77, 0, 0, 0, 0), IFD_PROTOCOL_NOT_SUPPORTED);
    assert_int_equal(IFDHSetProtocolParameters(LUN, SCARD_PROTOCOL_T0, IFD_NEGOTIATE_PTS1, 0x18, 0, 0),
                     IFD_ERROR_PTS_FAILURE);
    assert_int_equal(IFDHSetProtocolParameters(LUN, SCARD_PROTOCOL_T0, 0, 0, 0, 0), IFD_SUCCESS);
    assert_int_equal(IFDHCloseChannel(LUN), IFD_SUCCESS);
}

static void test_small_reply_buffer(void **state)
{
    UCHAR reply[2];
    (void)state;
    assert_int_equal(open_lun(LUN, "emulated:card=t1"), IFD_SUCCESS);
    power_up(LUN, SCARD_PROTOCOL_T1);
    assert_int_equal(transmit(LUN, 1, select_mf, sizeof select_mf, reply, 1), IFD_ERROR_INSUFFICIENT_BUFFER);
    assert_int_equal(IFDHCloseChannel(LUN), IFD_SUCCESS);
}

static UCHAR byte_tag(DWORD tag)
{
    UCHAR value = 0xFF;
    DWORD length = 1;
    assert_int_equal(IFDHGetCapabilities(LUN, tag, &length, &value), IFD_SUCCESS);
    assert_int_equal(length, 1);
    return value;
}

static void test_capabilities(void **state)
{
    char text[32];
    UCHAR one = 1;
    DWORD length = sizeof text;
    (void)state;
    assert_int_equal(open_lun(LUN, "emulated:card=t1"), IFD_SUCCESS);
    assert_int_equal(byte_tag(TAG_IFD_SLOTS_NUMBER), 1);
    assert_int_equal(byte_tag(TAG_IFD_THREAD_SAFE), 1);
    assert_int_equal(byte_tag(TAG_IFD_SLOT_THREAD_SAFE), 1);
    assert_int_equal(byte_tag(TAG_IFD_POLLING_THREAD_KILLABLE), 0);
    assert_true(byte_tag(TAG_IFD_SIMULTANEOUS_ACCESS) >= 16);
    assert_int_equal(IFDHGetCapabilities(LUN, SCARD_ATTR_VENDOR_NAME, &length, (PUCHAR)text), IFD_SUCCESS);
    assert_string_equal(text, "Lectern");
    assert_int_equal(length, sizeof "Lectern");
    length = 0;
    assert_int_equal(IFDHGetCapabilities(LUN, SCARD_ATTR_VENDOR_NAME, &length, NULL), IFD_SUCCESS);
    assert_int_equal(length, sizeof "Lectern");
    length = 3;
    assert_int_equal(IFDHGetCapabilities(LUN, SCARD_ATTR_VENDOR_NAME, &length, (PUCHAR)text),
                     IFD_ERROR_INSUFFICIENT_BUFFER);
    length = sizeof text;
    assert_int_equal(IFDHGetCapabilities(LUN, SCARD_ATTR_DEVICE_FRIENDLY_NAME_A, &length, (PUCHAR)text),
                     IFD_ERROR_TAG);
    assert_int_equal(length, 0);
    assert_int_equal(IFDHGetCapabilities(LUN, 0x0FAA, &length, (PUCHAR)text), IFD_ERROR_TAG);
    assert_int_equal(IFDHSetCapabilities(LUN, TAG_IFD_SLOTNUM, 1, &one), IFD_ERROR_VALUE_READ_ONLY);
    assert_int_equal(IFDHSetCapabilities(LUN, 0x0FAA, 1, &one), IFD_ERROR_TAG);
    assert_int_equal(IFDHSetCapabilities(LUN, SCARD_ATTR_VENDOR_NAME, 1, &one), IFD_ERROR_TAG);
    assert_int_equal(IFDHSetCapabilities(LUN, TAG_IFD_DEVICE_REMOVED, 1, &one), IFD_SUCCESS);
    assert_int_equal(IFDHICCPresence(LUN), IFD_NO_SUCH_DEVICE);
    assert_int_equal(IFDHCloseChannel(LUN), IFD_SUCCESS);
}

static void test_control_codes(void **state)
{
    // The resource manager's own codes, in both numberings, and what is no smart card code at all.
    static const DWORD refused[] = {0x00310004, 0x00310014, 0x42000002, 0x42000005, 0x4200000A,
                                    0,          0x00220004, 0x00316003, 0x4233000C, ~0UL};
    UCHAR reply[64], power_down[4] = {0};
    DWORD returned = 77;
    (void)state;
    assert_int_equal(open_lun(LUN, "emulated:card=t1"), IFD_SUCCESS);
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        assert_int_equal(IFDHControl(LUN, refused[i], power_down, 4, reply, sizeof reply, &returned),
                         IFD_ERROR_NOT_SUPPORTED);
        assert_int_equal(returned, 0);
    }
    // The escape is off unless the device's registry switches it on.
    assert_int_equal(IFDHControl(LUN, SCARD_CTL_CODE(1), power_down, 4, reply, sizeof reply, &returned),
                     IFD_ERROR_NOT_SUPPORTED);
    assert_int_equal(IFDHCloseChannel(LUN), IFD_SUCCESS);
}

static void test_two_readers(void **state)
{
    UCHAR reply[2];
    (void)state;
    assert_int_equal(open_lun(LUN, "emulated:card=t0"), IFD_SUCCESS);
    assert_int_equal(open_lun(SECOND_LUN, "emulated:card=t1"), IFD_SUCCESS);
    power_up(SECOND_LUN, SCARD_PROTOCOL_T1);
    power_up(LUN, SCARD_PROTOCOL_T0);
    assert_int_equal(transmit(LUN, 0, select_mf, sizeof select_mf, reply, 2), IFD_SUCCESS);
    assert_int_equal(IFDHCloseChannel(LUN), IFD_SUCCESS);
    assert_int_equal(transmit(SECOND_LUN, 1, select_mf, sizeof select_mf, reply, 2), IFD_SUCCESS);
    assert_int_equal(IFDHCloseChannel(SECOND_LUN), IFD_SUCCESS);
}

static void test_slots(void **state)
{
    UCHAR slots = 0;
    DWORD length = 1;
    (void)state;
    assert_int_equal(open_lun(LUN, "emulated:model=SpringCard_H512_Series:card=t0/t1"), IFD_SUCCESS);
    assert_int_equal(IFDHGetCapabilities(LUN, TAG_IFD_SLOTS_NUMBER, &length, &slots), IFD_SUCCESS);
    assert_int_equal(slots, 2);
    assert_int_equal(open_lun(LUN + 1, "emulated:model=SpringCard_H512_Series:card=t0/t1"), IFD_SUCCESS);
    assert_int_equal(open_lun(LUN + 2, "emulated:model=SpringCard_H512_Series:card=t0/t1"),
                     IFD_NO_SUCH_DEVICE);
    power_up(LUN, SCARD_PROTOCOL_T0);
    power_up(LUN + 1, SCARD_PROTOCOL_T1);
    assert_int_equal(IFDHCloseChannel(LUN), IFD_SUCCESS);
    assert_int_equal(IFDHICCPresence(LUN + 1), IFD_NO_SUCH_DEVICE);
    assert_int_equal(IFDHCloseChannel(LUN + 1), IFD_SUCCESS);
}

static void *run_slow_command(void *result)
{
    UCHAR reply[2];
    *(RESPONSECODE *)result = transmit(LUN, 1, slow_minute, sizeof slow_minute, reply, 2);
    return NULL;
}

static void wait_for_command(uint64_t commands)
{
    struct rig_reader reader;
    struct emu_statistics statistics = {0};
    assert_int_equal(rig_readers(&reader, 1), 1);
    while (statistics.time_extensions == 0 || statistics.commands < commands) {
        nt_sleep_us(10000);
        assert_int_equal(rig_statistics(reader.port, &statistics), 0);
    }
}

// pcscd gives up waiting for its lock and closes in the middle of an APDU.
static void test_close_during_slow_command(void **state)
{
    pthread_t thread;
    RESPONSECODE result = IFD_SUCCESS;
    (void)state;
    assert_int_equal(open_lun(LUN, "emulated:card=t1"), IFD_SUCCESS);
    power_up(LUN, SCARD_PROTOCOL_T1);
    assert_int_equal(pthread_create(&thread, NULL, run_slow_command, &result), 0);
    wait_for_command(1);
    assert_int_equal(IFDHCloseChannel(LUN), IFD_SUCCESS);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(result, IFD_NO_SUCH_DEVICE);
}

static void test_eject_during_slow_command(void **state)
{
    pthread_t thread;
    struct rig_reader reader;
    RESPONSECODE result = IFD_SUCCESS;
    (void)state;
    assert_int_equal(open_lun(LUN, "emulated:card=t1"), IFD_SUCCESS);
    power_up(LUN, SCARD_PROTOCOL_T1);
    assert_int_equal(rig_readers(&reader, 1), 1);
    assert_int_equal(pthread_create(&thread, NULL, run_slow_command, &result), 0);
    wait_for_command(1);
    assert_int_equal(rig_eject(reader.port, 0), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(result, IFD_ICC_NOT_PRESENT);
    assert_int_equal(IFDHICCPresence(LUN), IFD_ICC_NOT_PRESENT);
    assert_int_equal(IFDHCloseChannel(LUN), IFD_SUCCESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_not_ours),
        cmocka_unit_test(test_exchange),
        cmocka_unit_test(test_power),
        cmocka_unit_test(test_empty_slot),
        cmocka_unit_test(test_protocol_not_offered),
        cmocka_unit_test(test_small_reply_buffer),
        cmocka_unit_test(test_capabilities),
        cmocka_unit_test(test_control_codes),
        cmocka_unit_test(test_two_readers),
        cmocka_unit_test(test_slots),
        cmocka_unit_test(test_close_during_slow_command),
        cmocka_unit_test(test_eject_during_slow_command),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
