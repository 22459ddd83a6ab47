// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "nthost/os/child.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

_Noreturn static void run_child(int (*routine)(void *), void *argument, int output)
{
    const struct rlimit no_core = {0, 0};
    setrlimit(RLIMIT_CORE, &no_core); // there may be thousands
    signal(SIGALRM, SIG_DFL);
    if (dup2(output, STDOUT_FILENO) < 0 || dup2(output, STDERR_FILENO) < 0) {
        _exit(EXIT_FAILURE);
    }
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
