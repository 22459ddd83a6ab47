// SPDX-License-Identifier: MIT
// IFDHGetCapabilities, IFDHSetCapabilities.
#include <ifdhandler.h>
#include <reader.h>
#include <string.h>

#include "pcsc/channel.h"
#include "pcsc/host.h"
#include "pcsc/poll.h"
#include "rig/status.h"

enum { READERS_AT_ONCE = 64 };

// A NULL value asks for the size only.
static RESPONSECODE give(const void *data, size_t size, PDWORD length, PUCHAR value)
{
    DWORD room = *length;
    *length = size;
    if (value == NULL) {
        return IFD_SUCCESS;
    }
    if (room < size) {
        return IFD_ERROR_INSUFFICIENT_BUFFER;
    }
    memcpy(value, data, size);
    return IFD_SUCCESS;
}

static RESPONSECODE give_byte(UCHAR byte, PDWORD length, PUCHAR value)
{
    return give(&byte, sizeof byte, length, value);
}

static RESPONSECODE give_atr(struct channel *channel, PDWORD length, PUCHAR value)
{
    uint8_t atr[RIG_ATR_MAX];
    channel_lock();
    size_t size = channel->atr_length;
    memcpy(atr, channel->atr, size);
    channel_unlock();
    return give(atr, size, length, value);
}

// The driver's strings are counted, pcsc-lite's end with a zero.
static bool is_text(DWORD tag)
{
    return tag == SCARD_ATTR_VENDOR_NAME || tag == SCARD_ATTR_VENDOR_IFD_TYPE ||
           tag == SCARD_ATTR_VENDOR_IFD_SERIAL_NO;
}

static RESPONSECODE give_attribute(struct channel *channel, DWORD tag, PDWORD length, PUCHAR value)
{
    uint8_t data[RIG_ATTRIBUTE_MAX + 1];
    size_t size = RIG_ATTRIBUTE_MAX;
    nt_status status = rig_slot_attribute(channel->file, (uint32_t)tag, data, &size);
    if (!rig_status_ok(status)) {
        bool unknown = status == RIG_STATUS_NOT_SUPPORTED || status == RIG_STATUS_INVALID_DEVICE_REQUEST;
        return unknown ? IFD_ERROR_TAG : host_failure(status, IFD_COMMUNICATION_ERROR);
    }
    if (is_text(tag)) {
        data[size++] = '\0';
    }
    return give(data, size, length, value);
}

static RESPONSECODE get(struct channel *channel, DWORD tag, PDWORD length, PUCHAR value)
{
    static RESPONSECODE (*const wait)(DWORD, int) = poll_wait;
    static RESPONSECODE (*const stop)(DWORD) = poll_stop;
    switch (tag) {
    case TAG_IFD_ATR:
    case SCARD_ATTR_ATR_STRING:
        return give_atr(channel, length, value);
    case TAG_IFD_SLOTNUM:
        return give_byte((UCHAR)channel->slot, length, value);
    case TAG_IFD_SLOT_THREAD_SAFE:
    case TAG_IFD_THREAD_SAFE:
    case TAG_IFD_DEVICE_REMOVED:
        return give_byte(1, length, value);
    case TAG_IFD_SLOTS_NUMBER: {
        unsigned slots = host_is_current(&channel->reader) ? rig_slots(channel->reader.port) : 0;
        return slots > 0 ? give_byte((UCHAR)slots, length, value) : IFD_NO_SUCH_DEVICE;
    }
    case TAG_IFD_SIMULTANEOUS_ACCESS:
        return give_byte(READERS_AT_ONCE, length, value);
    case TAG_IFD_POLLING_THREAD_KILLABLE:
        return give_byte(0, length, value); // a killed thread would leave its request behind
    case TAG_IFD_POLLING_THREAD_WITH_TIMEOUT:
        return give(&wait, sizeof wait, length, value);
    case TAG_IFD_STOP_POLLING_THREAD:
        return give(&stop, sizeof stop, length, value);
    default:
        return tag > 0xFFFF && tag <= UINT32_MAX ? give_attribute(channel, tag, length, value)
                                                 : IFD_ERROR_TAG;
    }
}

RESPONSECODE IFDHGetCapabilities(DWORD Lun, DWORD Tag, PDWORD Length, PUCHAR Value)
{
    struct channel *channel = channel_enter(Lun);
    if (channel == NULL) {
        *Length = 0;
        return IFD_NO_SUCH_DEVICE;
    }
    RESPONSECODE result = get(channel, Tag, Length, Value);
    if (result != IFD_SUCCESS && result != IFD_ERROR_INSUFFICIENT_BUFFER) {
        *Length = 0;
    }
    channel_leave(channel);
    return result;
}

static RESPONSECODE set(struct channel *channel, DWORD tag, DWORD length, PUCHAR value)
{
    switch (tag) {
    case TAG_IFD_DEVICE_REMOVED:
        // pcscd has lost the device: nothing may wait for it any more.
        if (length == 1 && value[0] == 1) {
            host_unplug(&channel->reader);
        }
        return IFD_SUCCESS;
    case TAG_IFD_ATR:
    case SCARD_ATTR_ATR_STRING:
    case TAG_IFD_SLOTNUM:
    case TAG_IFD_SLOTS_NUMBER:
    case TAG_IFD_THREAD_SAFE:
    case TAG_IFD_SLOT_THREAD_SAFE:
    case TAG_IFD_SIMULTANEOUS_ACCESS:
        return IFD_ERROR_VALUE_READ_ONLY;
    default:
        break;
    }
    if (tag <= 0xFFFF || tag > UINT32_MAX) {
        return IFD_ERROR_TAG;
    }
    nt_status status = rig_slot_set_attribute(channel->file, (uint32_t)tag, value, length);
    if (rig_status_ok(status)) {
        return IFD_SUCCESS;
    }
    return status == RIG_STATUS_NOT_SUPPORTED ? IFD_ERROR_TAG : host_failure(status, IFD_ERROR_SET_FAILURE);
}

RESPONSECODE IFDHSetCapabilities(DWORD Lun, DWORD Tag, DWORD Length, PUCHAR Value)
{
    struct channel *channel = channel_enter(Lun);
    if (channel == NULL) {
        return IFD_NO_SUCH_DEVICE;
    }
    RESPONSECODE result = set(channel, Tag, Length, Value);
    channel_leave(channel);
    return result;
}
