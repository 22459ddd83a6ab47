// SPDX-License-Identifier: MIT
#include "pcsc/host.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "pcsc/log.h"
#include "rig/control.h"
#include "rig/rig.h"
#include "rig/status.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned readers;

static void print(void *context, const char *text)
{
    (void)context;
    IFD_INFO("lectern: %s", text);
}

static void bugcheck(void *context, const char *report)
{
    (void)context;
    IFD_ERROR("lectern: %s", report);
}

static RESPONSECODE boot(void)
{
    const struct nt_options options = {
        .clock = NT_CLOCK_REAL, .verifier = true, .print = print, .bugcheck = bugcheck};
    nt_status status = rig_boot(&options);
    if (!rig_status_ok(status)) {
        char buffer[16];
        IFD_ERROR("lectern: the driver's kernel did not start: %s", rig_status_name(status, buffer));
        return IFD_COMMUNICATION_ERROR;
    }
    const char *path = getenv(RIG_CONTROL_VARIABLE);
    int error = path != NULL ? rig_control_start(path) : 0;
    if (error != 0) {
        // Readers work without it.
        IFD_ERROR("lectern: no control channel at %s: %s", path, strerror(-error));
    }
    return IFD_SUCCESS;
}

RESPONSECODE host_acquire(void)
{
    pthread_mutex_lock(&lock);
    RESPONSECODE result = readers == 0 ? boot() : IFD_SUCCESS;
    if (result == IFD_SUCCESS) {
        readers++;
    }
    pthread_mutex_unlock(&lock);
    return result;
}

void host_release(void)
{
    pthread_mutex_lock(&lock);
    if (--readers == 0) {
        rig_control_stop();
        rig_shutdown();
    }
    pthread_mutex_unlock(&lock);
}

RESPONSECODE host_failure(nt_status status, RESPONSECODE otherwise)
{
    return rig_status_gone(status) ? IFD_NO_SUCH_DEVICE : otherwise;
}
