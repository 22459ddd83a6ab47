// SPDX-License-Identifier: MIT
#include "tests/nthost/support/child.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TIME_LIMIT = 60 };

static int report_pipe = -1;

void child_report(void *context, const char *text)
{
    (void)context;
    size_t length = strlen(text);
    if (write(report_pipe, text, length) != (ssize_t)length) {
        _exit(EXIT_FAILURE);
    }
}

static void run(void (*routine)(void), int pipe_end)
{
    const struct rlimit no_core = {0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    alarm(TIME_LIMIT);
    report_pipe = pipe_end;
    dup2(pipe_end, STDERR_FILENO);
    routine();
    _exit(EXIT_SUCCESS);
}

static void read_all(int pipe_end, char report[CHILD_REPORT_SIZE])
{
    size_t used = 0;
    ssize_t count;
    char rest[512];
    do {
        size_t room = CHILD_REPORT_SIZE - 1 - used;
        count = room > 0 ? read(pipe_end, report + used, room) : read(pipe_end, rest, sizeof rest);
        used += room > 0 && count > 0 ? (size_t)count : 0;
    } while (count > 0);
    report[used] = '\0';
}

int child_run(void (*routine)(void), char report[CHILD_REPORT_SIZE])
{
    int ends[2], status;
    if (pipe(ends) != 0) {
        return -1;
    }
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        run(routine, ends[1]);
    }
    close(ends[1]);
    if (child > 0) {
        read_all(ends[0], report);
    }
    close(ends[0]);
    if (child < 0 || waitpid(child, &status, 0) != child) {
        return -1;
    }
    if (WIFSIGNALED(status)) {
        return WTERMSIG(status) == SIGABRT ? 1 : -1;
    }
    // AddressSanitizer ends with a code of its own.
    return WEXITSTATUS(status) == EXIT_SUCCESS ? 0 : child_contains(report, "AddressSanitizer") ? 1 : -1;
}

int child_contains(const char *report, const char *text)
{
    return strstr(report, text) != NULL;
}

void child_show(const char *report)
{
    fprintf(stderr, "%s\n", report);
}
