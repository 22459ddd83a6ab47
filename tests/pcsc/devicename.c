// SPDX-License-Identifier: MIT
#include "pcsc/devicename.h"

#include <errno.h>
#include <stdio.h>

#include "tests/support/hosttest.h"

static void test_bare(void **state)
{
    struct device_name name;
    (void)state;
    assert_int_equal(device_name_parse("emulated", &name), 0);
    assert_string_equal(name.model, "Lectern");
    assert_string_equal(name.models, "");
    assert_string_equal(name.cards[0], "");
}

static void test_parts(void **state)
{
    struct device_name name;
    (void)state;
    assert_int_equal(
        device_name_parse("emulated:model=ACR38U-CCID:color=red:flag:card=t1:models=/a/b.tsv", &name), 0);
    assert_string_equal(name.model, "ACR38U-CCID");
    assert_string_equal(name.models, "/a/b.tsv");
    assert_string_equal(name.cards[0], "t1");
    assert_string_equal(name.cards[1], "");
}

static void test_cards(void **state)
{
    struct device_name name;
    (void)state;
    assert_int_equal(device_name_parse("emulated:card=-/t0//t1-crc", &name), 0);
    assert_string_equal(name.cards[0], "");
    assert_string_equal(name.cards[1], "t0");
    assert_string_equal(name.cards[2], "");
    assert_string_equal(name.cards[3], "t1-crc");
    assert_int_equal(device_name_parse("emulated:card=1/2/3/4/5/6/7/8", &name), 0);
    assert_string_equal(name.cards[7], "8");
    assert_int_equal(device_name_parse("emulated:card=1/2/3/4/5/6/7/8/9", &name), -EINVAL);
}

static void test_driver(void **state)
{
    char text[DEVICENAME_PATH_MAX + 64];
    struct device_name name;
    (void)state;
    assert_int_equal(device_name_parse("emulated", &name), 0);
    assert_string_equal(name.driver, "");
    assert_int_equal(device_name_parse("\"emulated:driver=/a/b c/lectern.sys:card=t0\"", &name), 0);
    assert_string_equal(name.driver, "/a/b c/lectern.sys");
    assert_string_equal(name.cards[0], "t0");
    (void)snprintf(text, sizeof text, "emulated:driver=%0*d", DEVICENAME_PATH_MAX, 0);
    assert_int_equal(device_name_parse(text, &name), -EINVAL);
}

static void test_quotes(void **state)
{
    struct device_name name;
    (void)state;
    assert_int_equal(device_name_parse("\"emulated:model=Gemalto_Ezio_CB+:card=t1\"", &name), 0);
    assert_string_equal(name.model, "Gemalto_Ezio_CB+");
    assert_string_equal(name.cards[0], "t1");
    assert_int_equal(device_name_parse("\"emulated\"", &name), 0);
    assert_int_equal(device_name_parse("\"/dev/ttyS0\"", &name), -ENODEV);
}

static void test_not_ours(void **state)
{
    struct device_name name;
    (void)state;
    assert_int_equal(device_name_parse("", &name), -ENODEV);
    assert_int_equal(device_name_parse("/dev/ttyS0", &name), -ENODEV);
    assert_int_equal(device_name_parse("usbserial", &name), -ENODEV);
    assert_int_equal(device_name_parse("usb:08e6/3437:libudev:0:/dev/bus/usb/008/047", &name), 0);
    assert_string_equal(name.usb, "usb:08e6/3437:libudev:0:/dev/bus/usb/008/047");
    assert_int_equal(device_name_parse("emulated2", &name), -ENODEV);
}

static void test_too_long(void **state)
{
    char text[512];
    struct device_name name;
    (void)state;
    (void)snprintf(text, sizeof text, "emulated:model=%0*d", EMU_NAME_MAX - 1, 0);
    assert_int_equal(device_name_parse(text, &name), 0);
    assert_int_equal(strlen(name.model), EMU_NAME_MAX - 1);
    (void)snprintf(text, sizeof text, "emulated:model=%0*d", EMU_NAME_MAX, 0);
    assert_int_equal(device_name_parse(text, &name), -EINVAL);
    (void)snprintf(text, sizeof text, "emulated:card=t1/%0*d", EMU_NAME_MAX, 0);
    assert_int_equal(device_name_parse(text, &name), -EINVAL);
    (void)snprintf(text, sizeof text, "emulated:models=%0*d", DEVICENAME_PART_MAX, 0);
    assert_int_equal(device_name_parse(text, &name), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bare),     cmocka_unit_test(test_parts),  cmocka_unit_test(test_cards),
        cmocka_unit_test(test_driver),   cmocka_unit_test(test_quotes), cmocka_unit_test(test_not_ours),
        cmocka_unit_test(test_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
