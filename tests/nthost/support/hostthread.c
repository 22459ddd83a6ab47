// SPDX-License-Identifier: MIT
#include "tests/nthost/support/child.h"

#include <pthread.h>
#include <stdlib.h>

static pthread_t thread;

static void *run(void *context)
{
    host_thread_body(context);
    return NULL;
}

void host_thread_start(void *context)
{
    if (pthread_create(&thread, NULL, run, context) != 0) {
        abort();
    }
}

void host_thread_join(void)
{
    pthread_join(thread, NULL);
}
