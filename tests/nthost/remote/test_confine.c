// SPDX-License-Identifier: MIT
// A confined process: what it must still be able to do, and all it must not.
#define _GNU_SOURCE
#include "nthost/user/remote/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/hosttest.h"

// Runs in a child, which says by its status which step went wrong: 0, none.
static int in_child(int (*steps)(void))
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        _exit(confine("") != 0 ? 100 : steps());
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static bool denied(long result)
{
    return result < 0 && (errno == EPERM || errno == EACCES || errno == ENOSYS);
}

static int try_what_is_denied(void)
{
    char *arguments[] = {(char *)"/bin/false", NULL};
    int step = 1;
    const long results[] = {
        open("/etc/passwd", O_RDONLY),
        open("/tmp/lectern.confined", O_WRONLY | O_CREAT, 0600),
        unlink("/tmp/lectern.confined"),
        socket(AF_INET, SOCK_STREAM, 0),
        socket(AF_UNIX, SOCK_STREAM, 0),
        fork(),
        execv("/bin/false", arguments),
        kill(getppid(), 0),
        (long)ptrace(PTRACE_TRACEME, 0, NULL, NULL),
        setuid(0),
        chdir("/"),
        memfd_create("x", 0),
    };
    for (size_t i = 0; i < sizeof results / sizeof results[0]; i++, step++) {
        if (results[i] >= 0) {
            return step;
        }
    }
    return denied(open("/etc/passwd", O_RDONLY)) && denied(fork()) ? 0 : step;
}

static void test_denied(void **state)
{
    (void)state;
    assert_int_equal(in_child(try_what_is_denied), 0);
}

static void *touch(void *argument)
{
    *(int *)argument = 1;
    return NULL;
}

static int try_what_is_needed(void)
{
    pthread_t thread;
    int touched = 0;
    if (pthread_create(&thread, NULL, touch, &touched) != 0 || pthread_join(thread, NULL) != 0 ||
        touched != 1) {
        return 1;
    }
    void *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (code == MAP_FAILED || mprotect(code, 4096, PROT_READ | PROT_EXEC) != 0) {
        return 2;
    }
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) >= 0) {
        return 3; // not even asking is needed
    }
    if (signal(SIGUSR1, SIG_IGN) == SIG_ERR || raise(SIGUSR1) != 0) {
        return 4;
    }
    return 0;
}

static void test_needed(void **state)
{
    (void)state;
    assert_int_equal(in_child(try_what_is_needed), 0);
}

static int abort_here(void)
{
    abort();
}

// What a bug check ends with.
static void test_abort(void **state)
{
    int status;
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        _exit(confine("") != 0 ? 100 : abort_here());
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}

static int is_nobody(void)
{
    return getuid() == 0 || geteuid() == 0 || getgid() == 0;
}

static void test_user(void **state)
{
    (void)state;
    if (geteuid() == 0) {
        assert_int_equal(in_child(is_nobody), 0);
    }
}

static void test_no_folder(void **state)
{
    int status;
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        _exit(confine("/nonexistent") == -ENOENT ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_denied), cmocka_unit_test(test_needed),    cmocka_unit_test(test_abort),
        cmocka_unit_test(test_user),   cmocka_unit_test(test_no_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
