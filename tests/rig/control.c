// SPDX-License-Identifier: MIT
#include "rig/control.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "rig/models.h"
#include "rig/rig.h"
#include "rig/status.h"
#include "tests/support/hosttest.h"

static char folder[] = "/tmp/lectern-control-XXXXXX";
static char path[64];

static int make_folder(void **state)
{
    (void)state;
    const struct nt_options options = {.clock = NT_CLOCK_REAL, .verifier = true};
    if (mkdtemp(folder) == NULL || !rig_status_ok(rig_boot(&options))) {
        return -1;
    }
    (void)snprintf(path, sizeof path, "%s/socket", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    rig_shutdown();
    return rmdir(folder);
}

static bool answers_ok(const char *request)
{
    cJSON *reply = rig_control_answer(request);
    bool ok = cJSON_IsTrue(cJSON_GetObjectItem(reply, "ok"));
    assert_true(ok || cJSON_IsString(cJSON_GetObjectItem(reply, "error")));
    cJSON_Delete(reply);
    return ok;
}

static void test_refusals(void **state)
{
    static const char *const refused[] = {
        "",
        " ",
        "nonsense",
        "list now",
        "insert",
        "insert any 0",
        "unplug",
        "unplug any",
        "eject any 0",
        "eject 7 0",
        "eject x 0",
        "insert any 0 t1 t1 t1 t1",
        "eject 99999999999999999999 0",
    };
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        assert_false(answers_ok(refused[i]));
    }
    assert_true(answers_ok("list"));
    assert_true(answers_ok("report"));
}

static void test_moves(void **state)
{
    uint32_t port;
    (void)state;
    assert_int_equal(rig_plug(rig_default_model(), NULL, 0, &port), RIG_STATUS_SUCCESS);
    assert_false(answers_ok("eject any 0"));
    assert_false(answers_ok("insert any 0 nothing-like-it"));
    assert_false(answers_ok("insert any 1 t1"));
    assert_true(answers_ok("insert any 0 t1"));
    assert_false(answers_ok("insert any 0 t1"));
    assert_true(answers_ok("eject any 0"));
    assert_true(answers_ok("unplug any"));
    assert_false(answers_ok("unplug any"));
}

static void test_any_means_the_only_one(void **state)
{
    uint32_t ports[2];
    char request[64];
    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(rig_plug(rig_default_model(), NULL, 0, &ports[i]), RIG_STATUS_SUCCESS);
    }
    assert_false(answers_ok("unplug any"));
    for (int i = 0; i < 2; i++) {
        (void)snprintf(request, sizeof request, "unplug %u", ports[i]);
        assert_true(answers_ok(request));
    }
}

static void test_socket(void **state)
{
    cJSON *reply = NULL;
    struct stat attributes;
    (void)state;
    assert_int_equal(rig_control_ask(path, "list", &reply), -ENOENT);
    assert_int_equal(rig_control_start(path), 0);
    assert_int_equal(stat(path, &attributes), 0);
    assert_int_equal(attributes.st_mode & 0777, 0600);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(rig_control_ask(path, "list", &reply), 0);
        assert_true(cJSON_IsArray(cJSON_GetObjectItem(reply, "readers")));
        cJSON_Delete(reply);
    }
    rig_control_stop();
    assert_int_equal(access(path, F_OK), -1);
    rig_control_stop();
}

static int connect_to_path(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int connection = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_true(connection >= 0);
    assert_int_equal(connect(connection, (const struct sockaddr *)&address, sizeof address), 0);
    return connection;
}

static void test_rude_clients(void **state)
{
    cJSON *reply = NULL;
    char flood[4096];
    (void)state;
    assert_int_equal(rig_control_start(path), 0);
    assert_int_equal(close(connect_to_path()), 0); // asks nothing
    int connection = connect_to_path();
    memset(flood, 'x', sizeof flood); // a line without an end
    (void)send(connection, flood, sizeof flood, MSG_NOSIGNAL);
    assert_int_equal(rig_control_ask(path, "list", &reply), 0);
    cJSON_Delete(reply);
    assert_int_equal(close(connection), 0);
    rig_control_stop();
}

static void test_taken_and_left_over(void **state)
{
    (void)state;
    int other = socket(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    assert_int_equal(bind(other, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(other, 1), 0);
    assert_int_equal(rig_control_start(path), -EADDRINUSE);
    assert_int_equal(close(other), 0);
    assert_int_equal(rig_control_start(path), 0); // its socket is still there, its owner is not
    rig_control_stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_moves),
        cmocka_unit_test(test_any_means_the_only_one),
        cmocka_unit_test(test_socket),
        cmocka_unit_test(test_rude_clients),
        cmocka_unit_test(test_taken_and_left_over),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
