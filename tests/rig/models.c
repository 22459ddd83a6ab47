// SPDX-License-Identifier: MIT
#include "rig/models.h"

#include <errno.h>
#include <stdio.h>

#include "tests/support/hosttest.h"

static char error[512];

static void test_default_needs_no_table(void **state)
{
    struct emu_model model;
    (void)state;
    assert_int_equal(rig_model_find("/nonexistent", RIG_DEFAULT_MODEL, &model, error, sizeof error), 0);
    assert_int_equal(model.vendor_id, 0x1D50);
    assert_int_equal(model.ccid[0], EMU_CCID_DESCRIPTOR);
    assert_int_equal(model.ccid[42], 0x04); // dwFeatures: extended APDU level
}

static void test_installed_table(void **state)
{
    struct emu_model model;
    (void)state;
    assert_int_equal(rig_model_find(NULL, "ACR122U", &model, error, sizeof error), 0);
    assert_string_equal(model.name, "ACR122U");
    assert_int_equal(model.product_id, 0x90CC);
    assert_int_equal(rig_model_find(NULL, "ACR122", &model, error, sizeof error), -ENOENT);
}

static void count_model(void *context, const struct emu_model *model)
{
    assert_true(model->name[0] != '\0');
    ++*(unsigned *)context;
}

static void test_visit(void **state)
{
    unsigned count = 0;
    (void)state;
    assert_int_equal(rig_models(NULL, count_model, &count, error, sizeof error), 0);
    assert_int_equal(count, 477); // 476 rows and the built-in one
}

static void test_missing_table(void **state)
{
    struct emu_model model;
    (void)state;
    error[0] = '\0';
    assert_int_equal(rig_model_find("/nonexistent/table", "ACR122U", &model, error, sizeof error), -ENODATA);
    assert_non_null(strstr(error, "/nonexistent/table"));
    assert_int_equal(rig_model_find("/", "ACR122U", &model, error, sizeof error), -EIO);
}

static void test_broken_table(void **state)
{
    char path[] = "/tmp/lectern-models-XXXXXX";
    struct emu_model model;
    (void)state;
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    FILE *file = fdopen(descriptor, "w");
    assert_non_null(file);
    assert_true(fputs("reader\tblock\n\nbroken\t0\tnonsense\n", file) >= 0);
    assert_int_equal(fclose(file), 0);
    int result = rig_model_find(path, "broken", &model, error, sizeof error);
    assert_int_equal(remove(path), 0);
    assert_int_equal(result, -EINVAL);
    assert_non_null(strstr(error, ":3: "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_default_needs_no_table),
        cmocka_unit_test(test_installed_table),
        cmocka_unit_test(test_visit),
        cmocka_unit_test(test_missing_table),
        cmocka_unit_test(test_broken_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
