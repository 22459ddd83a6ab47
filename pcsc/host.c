// SPDX-License-Identifier: MIT
#include "pcsc/host.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pcsc/devicename.h"
#include "pcsc/log.h"
#include "rig/control.h"
#include "rig/rig.h"
#include "rig/status.h"

static bool up; // it has been booted
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned readers, boots;
static char running[DEVICENAME_PATH_MAX]; // the driver

static void print(void *context, const char *text)
{
    (void)context;
    IFD_INFO("lectern: %s", text);
}

// By lines, since the log cuts long ones off.
static void log_lines(const char *text)
{
    while (*text != '\0') {
        int length = (int)strcspn(text, "\n");
        IFD_ERROR("lectern: %.*s", length, text);
        text += length + (text[length] == '\n');
    }
}

static void bugcheck(void *context, const char *report)
{
    (void)context;
    log_lines(report);
}

static RESPONSECODE boot_kernel(const char *driver)
{
    (void)snprintf(running, sizeof running, "%s", driver);
    int chosen = rig_choose_driver(driver[0] != '\0' ? driver : NULL);
    if (chosen != 0) {
        IFD_ERROR("lectern: driver=%s: %s", driver, strerror(-chosen));
        return IFD_COMMUNICATION_ERROR;
    }
    rig_isolate(true);
    // The built-in driver has been verified by its tests; here a broken rule would take pcscd along.
    bool foreign = driver[0] != '\0';
    const struct nt_options options = {
        .clock = NT_CLOCK_REAL, .verifier = foreign, .print = print, .bugcheck = bugcheck};
    nt_status status = rig_boot(&options);
    if (!rig_status_ok(status)) {
        char buffer[16];
        IFD_ERROR("lectern: the driver's kernel did not start: %s", rig_status_name(status, buffer));
        log_lines(rig_refusal());
        return IFD_COMMUNICATION_ERROR;
    }
    const char *path = getenv(RIG_CONTROL_VARIABLE);
    int error = path != NULL ? rig_control_start(path) : 0;
    if (error != 0) {
        // Readers work without it.
        IFD_ERROR("lectern: no control channel at %s: %s", path, strerror(-error));
    }
    boots++;
    return IFD_SUCCESS;
}

static void shut_down(void)
{
    rig_control_stop();
    rig_shutdown();
}

static RESPONSECODE acquire_locked(const char *driver)
{
    if (readers != 0 && strcmp(driver, running) != 0) {
        IFD_ERROR("lectern: driver=%s: a pcscd serves the readers of one driver, and here that is %s", driver,
                  running[0] != '\0' ? running : "the built-in one");
        return IFD_COMMUNICATION_ERROR;
    }
    if (!up) {
        return boot_kernel(driver);
    }
    if (nt_alive()) {
        return IFD_SUCCESS;
    }
    IFD_INFO("lectern: the driver broke its kernel, another one starts");
    shut_down();
    up = false;
    return boot_kernel(driver);
}

RESPONSECODE host_acquire(const char *driver, struct host_reader *reader)
{
    pthread_mutex_lock(&lock);
    RESPONSECODE result = acquire_locked(driver);
    if (result == IFD_SUCCESS) {
        up = true;
        readers++;
        reader->boot = boots;
    }
    pthread_mutex_unlock(&lock);
    return result;
}

bool host_is_current(const struct host_reader *reader)
{
    pthread_mutex_lock(&lock);
    bool current = up && nt_alive() && reader->boot == boots;
    pthread_mutex_unlock(&lock);
    return current;
}

void host_unplug(const struct host_reader *reader)
{
    pthread_mutex_lock(&lock);
    if (up && reader->boot == boots) {
        (void)rig_unplug(reader->port);
    }
    pthread_mutex_unlock(&lock);
}

void host_release(void)
{
    pthread_mutex_lock(&lock);
    if (--readers == 0 && up) {
        shut_down();
        up = false;
    }
    pthread_mutex_unlock(&lock);
}

RESPONSECODE host_failure(nt_status status, RESPONSECODE otherwise)
{
    return rig_status_gone(status) ? IFD_NO_SUCH_DEVICE : otherwise;
}
