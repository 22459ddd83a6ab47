// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "nthost/os/child.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void prepare_child(int output)
{
    const struct rlimit no_core = {0, 0};
    setrlimit(RLIMIT_CORE, &no_core); // there may be thousands
    signal(SIGALRM, SIG_DFL);
    if (dup2(output, STDOUT_FILENO) < 0 || dup2(output, STDERR_FILENO) < 0) {
        _exit(EXIT_FAILURE);
    }
}

_Noreturn static void run_child(int (*routine)(void *), void *argument, int output)
{
    prepare_child(output);
    int result = routine(argument);
    fflush(NULL);
    _exit(result == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}

static void read_end(int file, char *text, size_t size)
{
    off_t length = lseek(file, 0, SEEK_END);
    off_t start = length >= (off_t)size ? length - (off_t)size + 1 : 0;
    ssize_t got = pread(file, text, size - 1, start);
    text[got > 0 ? got : 0] = '\0';
}

static enum os_child_end end_of(int status)
{
    if (WIFEXITED(status)) {
        // Sanitizers leave with a status of their own.
        return WEXITSTATUS(status) == 0              ? OS_CHILD_DONE
               : WEXITSTATUS(status) == EXIT_FAILURE ? OS_CHILD_FAILED
                                                     : OS_CHILD_BROKE;
    }
    return WTERMSIG(status) == SIGALRM ? OS_CHILD_HUNG : OS_CHILD_BROKE;
}

int os_child(int (*routine)(void *), void *argument, char *output, size_t size)
{
    int file = memfd_create("output", MFD_CLOEXEC);
    int status;
    if (file < 0) {
        return -1;
    }
    fflush(NULL); // or the child writes it again
    pid_t child = fork();
    if (child == 0) {
        run_child(routine, argument, file);
    }
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    read_end(file, output, size);
    close(file);
    return child > 0 ? (int)end_of(status) : -1;
}

// ---- children that work on demand ----

_Noreturn static void run_worker(const struct os_worker *worker, int (*routine)(void *), void *argument)
{
    char order, answer;
    close(worker->ours);
    while (read(worker->theirs, &order, 1) == 1) {
        answer = routine(argument) == 0 ? OS_CHILD_DONE : OS_CHILD_FAILED;
        fflush(NULL);
        if (write(worker->theirs, &answer, 1) != 1) {
            break;
        }
    }
    exit(EXIT_SUCCESS); // at exit the leak check runs
}

int os_worker_start(struct os_worker *worker, int (*routine)(void *), void *argument)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        return -1;
    }
    *worker = (struct os_worker){.ours = ends[0], .theirs = ends[1]};
    worker->output = memfd_create("output", MFD_CLOEXEC);
    fflush(NULL);
    worker->pid = worker->output >= 0 ? fork() : -1;
    if (worker->pid == 0) {
        prepare_child(worker->output);
        run_worker(worker, routine, argument);
    }
    close(worker->theirs);
    if (worker->pid < 0) {
        close(worker->ours);
        close(worker->output);
        return -1;
    }
    return 0;
}

static int reap(const struct os_worker *worker)
{
    int status = 0;
    while (waitpid(worker->pid, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
}

enum os_child_end os_worker_run(struct os_worker *worker, char *output, size_t size)
{
    char answer = 0;
    enum os_child_end end;
    if (ftruncate(worker->output, 0) == 0 && write(worker->ours, &answer, 1) == 1 &&
        read(worker->ours, &answer, 1) == 1) {
        end = (enum os_child_end)answer;
    } else {
        end = end_of(reap(worker));
        end = end == OS_CHILD_DONE ? OS_CHILD_FAILED : end; // left in the middle
        worker->pid = 0;
        close(worker->ours);
    }
    read_end(worker->output, output, size);
    if (worker->pid == 0) {
        close(worker->output);
    }
    return end;
}

enum os_child_end os_worker_end(struct os_worker *worker, char *output, size_t size)
{
    close(worker->ours);
    enum os_child_end end = end_of(reap(worker));
    read_end(worker->output, output, size);
    close(worker->output);
    worker->pid = 0;
    return end;
}

void os_child_alive(unsigned seconds)
{
    alarm(seconds);
}

void *os_share(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

void os_unshare(void *memory, size_t size)
{
    munmap(memory, size);
}
