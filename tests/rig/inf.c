// SPDX-License-Identifier: MIT
#include "rig/inf.h"

#include <errno.h>
#include <stdio.h>

#include "tests/support/hosttest.h"

static char error[256];

static struct inf *parse(const char *text)
{
    struct inf *inf = inf_parse(text, strlen(text), error, sizeof error);
    if (inf == NULL) {
        fail_msg("%s", error);
    }
    return inf;
}

static const struct inf_line *first(const struct inf *inf, const char *section)
{
    size_t at = 0;
    return inf_next(inf, section, &at);
}

static void test_lines(void **state)
{
    (void)state;
    struct inf *inf = parse("; comment\r\n[One] ; another\r\n"
                            " key = a, \"b, c\" , \"d \"\"e\"\"\",,f;g\r\n"
                            "only, values\\ ; goes on\r\n"
                            "  , here\r\n"
                            "[TWO]\r\n[one]\r\nlater=\";\"\r\n");
    size_t at = 0;
    const struct inf_line *line = inf_next(inf, "ONE", &at);
    assert_string_equal(line->key, "key");
    assert_int_equal(line->count, 5);
    assert_string_equal(line->values[0], "a");
    assert_string_equal(line->values[1], "b, c");
    assert_string_equal(line->values[2], "d \"e\"");
    assert_string_equal(line->values[3], "");
    assert_string_equal(line->values[4], "f");
    line = inf_next(inf, "one", &at);
    assert_null(line->key);
    assert_int_equal(line->count, 3);
    assert_string_equal(line->values[1], "values");
    assert_string_equal(line->values[2], "here");
    line = inf_next(inf, "one", &at);
    assert_string_equal(line->values[0], ";");
    assert_null(inf_next(inf, "one", &at));
    assert_false(inf_has(inf, "two"));
    inf_free(inf);
}

static void test_strings(void **state)
{
    (void)state;
    struct inf *inf = parse("[A]\nx=%Name%,%13%\\f.sys,100%%,%none%,\"%name% !\"\n"
                            "[Strings.0409]\nname=\"second\"\nOther=o\n[Strings]\nNAME = \"first\"\n");
    const struct inf_line *line = first(inf, "A");
    assert_string_equal(line->values[0], "first");
    assert_string_equal(line->values[1], "%13%\\f.sys");
    assert_string_equal(line->values[2], "100%");
    assert_string_equal(line->values[3], "%none%");
    assert_string_equal(line->values[4], "first !");
    inf_free(inf);
}

static void test_utf16(void **state)
{
    static const char little[] = "\xFF\xFE[\0A\0]\0\n\0k\0=\0\xE9\0";
    static const char big[] = "\xFE\xFF\0[\0A\0]\0\n\0k\0=\0\xE9";
    (void)state;
    const struct {
        const char *text;
        size_t length;
    } rows[] = {{little, sizeof little - 1}, {big, sizeof big - 1}};
    for (size_t i = 0; i < 2; i++) {
        struct inf *inf = inf_parse(rows[i].text, rows[i].length, error, sizeof error);
        assert_non_null(inf);
        assert_string_equal(first(inf, "A")->values[0], "\xC3\xA9");
        inf_free(inf);
    }
}

static void test_malformed(void **state)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        {"key=value\n", "line 1: it belongs to no section"},
        {"[A]\n[B\n", "line 2: a section's name does not end"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_null(inf_parse(rows[i].text, strlen(rows[i].text), error, sizeof error));
        assert_string_equal(error, rows[i].why);
    }
    char *line = malloc(0x10000);
    assert_non_null(line);
    memset(line, 'x', 0x10000);
    line[0] = '[';
    line[2] = ']';
    line[3] = '\n';
    assert_null(inf_parse(line, 0x10000, error, sizeof error));
    assert_string_equal(error, "line 2: it is too long");
    free(line);
}

#define MODELS                                                                                               \
    "[Manufacturer]\n%Us%=Models,NTx86,NTamd64,NTamd64.10.0...16299\n"                                       \
    "[Models.NTx86]\n%R%=Wrong,USB\\VID_1&PID_2\n"                                                           \
    "[Models.NTamd64]\n%R%=Old,USB\\VID_1&PID_2\n%R%=Old,USB\\VID_1&PID_3\n"                                 \
    "[Models.NTamd64.10.0...16299]\n\"R\" = Inst, USB\\VID_1&PID_2, USB\\Class_0B\n"
#define INSTALL                                                                                              \
    "[Old]\nx=y\n[Inst.NT]\nCopyFiles=Files,@also.dll\nAddReg=Elsewhere\n[Elsewhere]\nHKR,,No,,no\n"         \
    "[Files]\nreader.sys\nrenamed.bin,source.bin\n"                                                          \
    "[Inst.NT.HW]\nAddReg=Hardware\n"                                                                        \
    "[Hardware]\nHKR,,Bytes,1,0a,FF\nHKR,Sub\\Key,Number,%REG_DWORD%,0x10\nHKR,,Old,4\nHKLM,x,y,,z\n"        \
    "HKR,,Four,0x00010001,01,02,03,04\nHKR,,Many,0x00010000,a,b\n"                                           \
    "[Inst.NT.Services]\nAddService=other,0,OtherService\nAddService=rdr,%2%,Service,Log\n"                  \
    "[OtherService]\nServiceBinary=%12%\\other.sys\n[Log]\nAddReg=Events\n[Events]\nHKR,,Never,,1\n"         \
    "[Service]\nServiceBinary=%12%\\reader.sys\nAddReg=Params\n[Params]\nHKR,Parameters,Text,,\"a;b\"\n"     \
    "[Strings]\nREG_DWORD=0x00010001\n2=0x2\nUs=\"Us\"\n"

static void test_driver(void **state)
{
    static struct inf_driver driver;
    static const char *const ids[] = {"USB\\VID_1&PID_2", "usb\\class_0b"};
    (void)state;
    struct inf *inf = parse(MODELS INSTALL);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(inf_find_driver(inf, ids[i], &driver, error, sizeof error), 0);
        assert_string_equal(driver.service, "rdr");
        assert_string_equal(driver.image, "reader.sys");
        assert_int_equal(driver.file_count, 3);
        assert_string_equal(driver.files[0], "reader.sys");
        assert_string_equal(driver.files[1], "source.bin");
        assert_string_equal(driver.files[2], "also.dll");
        assert_int_equal(driver.left_out, 1); // REG_MULTI_SZ
        assert_int_equal(driver.value_count, 4);
        const struct inf_value *value = driver.values;
        assert_false(value[0].hardware);
        assert_string_equal(value[0].key, "Parameters");
        assert_string_equal(value[0].name, "Text");
        assert_string_equal((const char *)value[0].data, "a;b");
        assert_true(value[1].hardware && value[1].type == INF_BINARY);
        assert_int_equal(value[1].length, 2);
        assert_memory_equal(value[1].data, "\x0A\xFF", 2);
        assert_string_equal(value[2].key, "Sub\\Key");
        assert_true(value[2].type == INF_DWORD);
        assert_memory_equal(value[2].data, "\x10\0\0\0", 4);
        assert_memory_equal(value[3].data, "\1\2\3\4", 4);
    }
    inf_free(inf);
}

static void test_lacks(void **state)
{
    static struct inf_driver driver;
    static const struct {
        const char *text, *id, *why;
    } rows[] = {
        {"[Version]\nx=y\n", "A", "no models for x64: no decoration NTamd64 in [Manufacturer]"},
        {"[Manufacturer]\nUs=Models,NTx86\n", "A",
         "no models for x64: no decoration NTamd64 in [Manufacturer]"},
        {MODELS INSTALL, "USB\\VID_9&PID_9", "no hardware id USB\\VID_9&PID_9 in its models for x64"},
        {MODELS INSTALL, "USB\\VID_1&PID_3", "no AddService for [Old]"},
        {MODELS, "USB\\VID_1&PID_2", "no section [Inst]"},
        {MODELS "[Inst]\nx=y\n[Inst.Services]\nAddService=a,2,S\n", "USB\\VID_1&PID_2",
         "no ServiceBinary in [S]"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct inf *inf = parse(rows[i].text);
        assert_int_equal(inf_find_driver(inf, rows[i].id, &driver, error, sizeof error), -ENOENT);
        assert_string_equal(error, rows[i].why);
        inf_free(inf);
    }
}

// Every cut and every changed byte of a file is read, or refused with a line, within its bounds.
static void test_mangled(void **state)
{
    static const char whole[] = MODELS INSTALL;
    static const char changes[] = "\"%=,[];\\\n";
    static struct inf_driver driver;
    (void)state;
    for (size_t i = 0; i < sizeof whole; i++) {
        for (size_t c = 0; c < sizeof changes; c++) {
            char *copy = malloc(i + 1);
            assert_non_null(copy);
            memcpy(copy, whole, i);
            copy[i] = changes[c];
            struct inf *inf = inf_parse(copy, i + (c != sizeof changes - 1), error, sizeof error);
            free(copy);
            if (inf != NULL) {
                (void)inf_find_driver(inf, "USB\\VID_1&PID_2", &driver, error, sizeof error);
            }
            inf_free(inf);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),     cmocka_unit_test(test_strings), cmocka_unit_test(test_utf16),
        cmocka_unit_test(test_malformed), cmocka_unit_test(test_driver),  cmocka_unit_test(test_lacks),
        cmocka_unit_test(test_mangled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
