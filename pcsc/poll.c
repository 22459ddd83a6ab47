// SPDX-License-Identifier: MIT
#include "pcsc/poll.h"

#include "pcsc/channel.h"
#include "pcsc/host.h"
#include "rig/status.h"

// Published so that poll_stop() can cancel it; a stop that came before counts as well.
static bool publish(struct channel *channel, nt_request *request)
{
    channel_lock();
    bool stopped = channel->stop;
    channel->poll = request;
    channel_unlock();
    return !stopped;
}

// After this nobody cancels the request any more, so it may be ended.
static void retract(struct channel *channel)
{
    channel_lock();
    channel->poll = NULL;
    channel->stop = false;
    channel_unlock();
}

static RESPONSECODE track(struct channel *channel, bool present, int timeout_ms)
{
    nt_request *request = nt_device_control_begin(
        channel->file, present ? RIG_IOCTL_IS_ABSENT : RIG_IOCTL_IS_PRESENT, NULL, 0, NULL, 0);
    if (request == NULL) {
        return IFD_COMMUNICATION_ERROR;
    }
    if (!publish(channel, request) || !nt_request_wait(request, (int64_t)timeout_ms * 1000)) {
        nt_request_cancel(request);
    }
    retract(channel);
    size_t returned;
    nt_status status = nt_request_end(request, &returned);
    if (rig_status_ok(status)) {
        channel_lock();
        channel->removed = present;
        channel_unlock();
        return IFD_SUCCESS;
    }
    return status == RIG_STATUS_CANCELLED ? IFD_SUCCESS : host_failure(status, IFD_COMMUNICATION_ERROR);
}

RESPONSECODE poll_wait(DWORD lun, int timeout_ms)
{
    struct channel *channel = channel_enter(lun);
    if (channel == NULL) {
        return IFD_NO_SUCH_DEVICE;
    }
    channel_lock();
    bool present = channel->reported;
    channel_unlock();
    RESPONSECODE result = track(channel, present, timeout_ms);
    channel_leave(channel);
    return result;
}

RESPONSECODE poll_stop(DWORD lun)
{
    struct channel *channel = channel_enter(lun);
    if (channel == NULL) {
        return IFD_NO_SUCH_DEVICE;
    }
    channel_lock();
    channel->stop = true;
    if (channel->poll != NULL) {
        nt_request_cancel(channel->poll);
    }
    channel_unlock();
    channel_leave(channel);
    return IFD_SUCCESS;
}
