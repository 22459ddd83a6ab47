// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "nthost/os/os.h"

#include "nthost/os/asan.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

void os_print(const char *text)
{
    size_t length = strlen(text);
    while (length > 0) {
        ssize_t written = write(STDERR_FILENO, text, length);
        if (written <= 0) {
            return;
        }
        text += written;
        length -= (size_t)written;
    }
}

void os_abort(void)
{
    abort();
}

enum { PAGE_FAULT_WRITE = 2 };

static os_fault_handler *fault_handler;
static struct sigaction previous_segv, previous_bus;

static void give_back(void)
{
    sigaction(SIGSEGV, &previous_segv, NULL);
    sigaction(SIGBUS, &previous_bus, NULL);
    fault_handler = NULL;
}

static void on_signal(int number, siginfo_t *info, void *context)
{
    const ucontext_t *machine = context;
    bool write_access = (machine->uc_mcontext.gregs[REG_ERR] & PAGE_FAULT_WRITE) != 0;
    (void)number;
    // Whoever had the signal before gets it when the instruction faults again.
    if (fault_handler == NULL ||
        !fault_handler(info->si_addr, write_access, (const void *)machine->uc_mcontext.gregs[REG_RIP])) {
        give_back();
    }
}

static bool has_signal(void)
{
    struct sigaction current;
    return sigaction(SIGSEGV, NULL, &current) == 0 && (current.sa_flags & SA_SIGINFO) != 0 &&
           current.sa_sigaction == on_signal;
}

void os_on_fault(os_fault_handler *handler)
{
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK};
    if (has_signal()) {
        give_back();
    }
    // An image loader has the signal and hands on what is not its own: it stays in front.
    fault_handler = handler;
    if (handler != NULL) {
        sigaction(SIGSEGV, &action, &previous_segv);
        sigaction(SIGBUS, &action, &previous_bus);
    }
}

bool os_has_asan(void)
{
#ifdef HAVE_ASAN
    return true;
#else
    return false;
#endif
}
