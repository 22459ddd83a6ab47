// SPDX-License-Identifier: MIT
// Readers of driver images as pcscd has them: DEVICENAME driver=, and a driver that breaks.
#include <ifdhandler.h>
#include <debuglog.h>
#include <reader.h>
#include <stdio.h>

#include "tests/support/hosttest.h"

// In place of pcscd's.
static char logged[0x10000];
void log_msg(const int priority, const char *format, ...)
{
    char line[2048];
    va_list arguments;
    (void)priority;
    va_start(arguments, format);
    (void)vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    size_t used = strlen(logged);
    (void)snprintf(logged + used, sizeof logged - used, "%s\n", line);
}

static void said(const char *text)
{
    if (strstr(logged, text) == NULL) {
        fail_msg("the log lacks '%s': %s", text, logged);
    }
    logged[0] = '\0';
}

enum { LUN = 0, SECOND_LUN = 0x10000, THIRD_LUN = 0x20000 };

static RESPONSECODE open_lun(DWORD lun, const char *driver, const char *rest)
{
    char text[1200];
    (void)snprintf(text, sizeof text, "emulated:driver=" LECTERN_IMAGES "%s%s", driver, rest);
    return IFDHCreateChannelByName(lun, text);
}

static RESPONSECODE transmit(DWORD lun, UCHAR instruction, UCHAR reply[4])
{
    UCHAR command[] = {0x00, instruction, 0x00, 0x0C, 0x02, 0x3F, 0x00};
    DWORD room = 4;
    SCARD_IO_HEADER send = {0, sizeof send}, receive = {0, 0};
    return IFDHTransmitToICC(lun, send, command, sizeof command, reply, &room, &receive);
}

static void power_up(DWORD lun)
{
    UCHAR atr[MAX_ATR_SIZE];
    DWORD length = sizeof atr;
    assert_int_equal(IFDHPowerICC(lun, IFD_POWER_UP, atr, &length), IFD_SUCCESS);
    assert_int_equal(IFDHSetProtocolParameters(lun, SCARD_PROTOCOL_T0, 0, 0, 0, 0), IFD_SUCCESS);
}

static void answers(DWORD lun)
{
    UCHAR reply[4] = {0};
    assert_int_equal(transmit(lun, 0xA4, reply), IFD_SUCCESS);
    assert_true(reply[0] == 0x90 || reply[1] == 0x90); // the example repeats the instruction first
}

static void test_shipped_images(void **state)
{
    (void)state;
    if (open_lun(LUN, "", ":card=t0") != IFD_SUCCESS) {
        fail_msg("%s", logged);
    }
    assert_int_equal(open_lun(SECOND_LUN, "", ":model=ACR122U"), IFD_SUCCESS);
    assert_int_equal(IFDHICCPresence(LUN), IFD_ICC_PRESENT);
    assert_int_equal(IFDHICCPresence(SECOND_LUN), IFD_ICC_NOT_PRESENT);
    power_up(LUN);
    answers(LUN);
    assert_int_equal(IFDHCloseChannel(LUN), IFD_SUCCESS);
    assert_int_equal(IFDHICCPresence(SECOND_LUN), IFD_ICC_NOT_PRESENT);
    assert_int_equal(IFDHCloseChannel(SECOND_LUN), IFD_SUCCESS);
}

static void test_one_driver_at_a_time(void **state)
{
    char native[] = "emulated";
    (void)state;
    assert_int_equal(open_lun(LUN, "", ""), IFD_SUCCESS);
    assert_int_equal(IFDHCreateChannelByName(SECOND_LUN, native), IFD_COMMUNICATION_ERROR);
    assert_int_equal(open_lun(SECOND_LUN, "/drivers/faulty.sys", ""), IFD_COMMUNICATION_ERROR);
    said("a pcscd serves the readers of one driver");
    assert_int_equal(IFDHICCPresence(LUN), IFD_ICC_NOT_PRESENT);
    assert_int_equal(IFDHCloseChannel(LUN), IFD_SUCCESS);
    assert_int_equal(IFDHCreateChannelByName(SECOND_LUN, native), IFD_SUCCESS);
    assert_int_equal(IFDHCloseChannel(SECOND_LUN), IFD_SUCCESS);
}

static void test_no_such_driver(void **state)
{
    (void)state;
    assert_int_equal(open_lun(LUN, "/nothing.sys", ""), IFD_COMMUNICATION_ERROR);
    said("nothing.sys: No such file");
    assert_int_equal(open_lun(LUN, "/smclib.debug", ""), IFD_COMMUNICATION_ERROR);
    said("smclib.debug: ");
    assert_int_equal(IFDHCloseChannel(LUN), IFD_NO_SUCH_DEVICE);
}

// Its readers are gone, also those that do nothing; what is opened later is served anew.
static void test_broken_driver(void **state)
{
    UCHAR reply[4] = {0};
    DWORD length = sizeof reply;
    (void)state;
    assert_int_equal(open_lun(LUN, "/drivers/faulty.sys", ""), IFD_SUCCESS);
    assert_int_equal(open_lun(SECOND_LUN, "/drivers/faulty.sys", ""), IFD_SUCCESS);
    power_up(LUN);
    answers(LUN);
    logged[0] = '\0';
    assert_int_equal(transmit(LUN, 0xFA, reply), IFD_NO_SUCH_DEVICE);
    assert_int_equal(IFDHICCPresence(LUN), IFD_NO_SUCH_DEVICE);
    assert_int_equal(IFDHICCPresence(SECOND_LUN), IFD_NO_SUCH_DEVICE);
    assert_int_equal(IFDHGetCapabilities(SECOND_LUN, TAG_IFD_SLOTS_NUMBER, &length, reply),
                     IFD_NO_SUCH_DEVICE);

    assert_int_equal(open_lun(THIRD_LUN, "/drivers/faulty.sys", ""),
                     IFD_SUCCESS); // waits for the report, too
    said("access violation, write to 0x0 at faulty.sys!HardwareExchange+0x");
    power_up(THIRD_LUN);
    answers(THIRD_LUN);
    assert_int_equal(IFDHICCPresence(LUN), IFD_NO_SUCH_DEVICE);
    assert_int_equal(IFDHCloseChannel(LUN), IFD_SUCCESS);
    assert_int_equal(IFDHCloseChannel(SECOND_LUN), IFD_SUCCESS); // whose port the third one has now
    answers(THIRD_LUN);
    assert_int_equal(IFDHCloseChannel(THIRD_LUN), IFD_SUCCESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shipped_images),
        cmocka_unit_test(test_one_driver_at_a_time),
        cmocka_unit_test(test_no_such_driver),
        cmocka_unit_test(test_broken_driver),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
