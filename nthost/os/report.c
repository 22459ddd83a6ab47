// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "nthost/os/os.h"

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

static void on_signal(int number, siginfo_t *info, void *context)
{
    const ucontext_t *machine = context;
    bool write_access = (machine->uc_mcontext.gregs[REG_ERR] & PAGE_FAULT_WRITE) != 0;
    if (fault_handler != NULL &&
        fault_handler(info->si_addr, write_access, (const void *)machine->uc_mcontext.gregs[REG_RIP])) {
        return;
    }
    signal(number, SIG_DFL);
}

void os_on_fault(os_fault_handler *handler)
{
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_NODEFER};
    fault_handler = handler;
    if (handler == NULL) {
        action = (struct sigaction){.sa_handler = SIG_DFL};
    }
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
}
