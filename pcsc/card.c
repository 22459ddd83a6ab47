// SPDX-License-Identifier: MIT
// IFDHICCPresence, IFDHPowerICC, IFDHSetProtocolParameters, IFDHTransmitToICC.
#include <ifdhandler.h>
#include <string.h>

#include "pcsc/channel.h"
#include "pcsc/host.h"
#include "rig/status.h"

// A card changed between two questions must be seen to have gone once: the new one is not the one pcscd
// knows.
static bool presence(struct channel *channel, enum rig_state state)
{
    bool present = state > RIG_STATE_ABSENT;
    channel_lock();
    if (present && (channel->removed || (channel->powered && state < RIG_STATE_POWERED))) {
        present = false;
    }
    channel->removed = false;
    channel->reported = present;
    if (!present) {
        channel->powered = false;
        channel->atr_length = 0;
    }
    channel_unlock();
    return present;
}

RESPONSECODE IFDHICCPresence(DWORD Lun)
{
    struct channel *channel = channel_enter(Lun);
    if (channel == NULL) {
        return IFD_NO_SUCH_DEVICE;
    }
    enum rig_state state;
    nt_status status = rig_slot_state(channel->file, &state);
    RESPONSECODE result;
    if (rig_status_ok(status)) {
        result = presence(channel, state) ? IFD_ICC_PRESENT : IFD_ICC_NOT_PRESENT;
    } else {
        result = host_failure(status, IFD_COMMUNICATION_ERROR);
    }
    channel_leave(channel);
    return result;
}

static void note_power(struct channel *channel, const uint8_t *atr, size_t length)
{
    channel_lock();
    memcpy(channel->atr, atr, length);
    channel->atr_length = length;
    channel->powered = length > 0;
    channel_unlock();
}

static RESPONSECODE power_down(struct channel *channel)
{
    uint8_t none[RIG_ATR_MAX] = {0};
    size_t length;
    note_power(channel, none, 0); // before: what follows may find the slot unpowered by our own doing
    nt_status status = rig_slot_power(channel->file, RIG_POWER_DOWN, none, &length);
    bool down = rig_status_ok(status) || status == RIG_STATUS_NO_MEDIA;
    return down ? IFD_SUCCESS : host_failure(status, IFD_ERROR_POWER_ACTION);
}

static RESPONSECODE power_up(struct channel *channel, bool warm, PUCHAR atr, PDWORD atr_length)
{
    uint8_t answer[RIG_ATR_MAX] = {0};
    size_t length = 0;
    enum rig_state state;
    nt_status status = rig_slot_state(channel->file, &state);
    if (rig_status_ok(status)) {
        enum rig_power action = warm && state >= RIG_STATE_POWERED ? RIG_WARM_RESET : RIG_COLD_RESET;
        status = rig_slot_power(channel->file, action, answer, &length);
    }
    note_power(channel, answer, length);
    if (!rig_status_ok(status) || length == 0) {
        return host_failure(status, IFD_ERROR_POWER_ACTION);
    }
    memcpy(atr, answer, length);
    *atr_length = length;
    return IFD_SUCCESS;
}

RESPONSECODE IFDHPowerICC(DWORD Lun, DWORD Action, PUCHAR Atr, PDWORD AtrLength)
{
    *AtrLength = 0;
    struct channel *channel = channel_enter(Lun);
    if (channel == NULL) {
        return IFD_NO_SUCH_DEVICE;
    }
    RESPONSECODE result = IFD_NOT_SUPPORTED;
    switch (Action) {
    case IFD_POWER_UP:
    case IFD_RESET:
        result = power_up(channel, Action == IFD_RESET, Atr, AtrLength);
        break;
    case IFD_POWER_DOWN:
        result = power_down(channel);
        break;
    default:
        break;
    }
    channel_leave(channel);
    return result;
}

RESPONSECODE IFDHSetProtocolParameters(DWORD Lun, DWORD Protocol, UCHAR Flags, UCHAR PTS1, UCHAR PTS2,
                                       UCHAR PTS3)
{
    (void)PTS1;
    (void)PTS2;
    (void)PTS3;
    if (Protocol != SCARD_PROTOCOL_T0 && Protocol != SCARD_PROTOCOL_T1) {
        return IFD_PROTOCOL_NOT_SUPPORTED;
    }
    if (Flags != 0) {
        return IFD_ERROR_PTS_FAILURE; // the contract leaves the parameters to the driver
    }
    struct channel *channel = channel_enter(Lun);
    if (channel == NULL) {
        return IFD_NO_SUCH_DEVICE;
    }
    uint32_t selected;
    RESPONSECODE result = IFD_SUCCESS;
    nt_status status = rig_slot_set_protocol(channel->file, (uint32_t)Protocol, &selected);
    if (status == RIG_STATUS_NOT_SUPPORTED || status == RIG_STATUS_INVALID_DEVICE_REQUEST) {
        result = IFD_PROTOCOL_NOT_SUPPORTED;
    } else if (!rig_status_ok(status)) {
        result = host_failure(status, IFD_ERROR_PTS_FAILURE);
    }
    channel_leave(channel);
    return result;
}

static RESPONSECODE transmit_failure(nt_status status)
{
    switch (status) {
    case RIG_STATUS_NO_MEDIA:
        return IFD_ICC_NOT_PRESENT;
    case RIG_STATUS_IO_TIMEOUT:
        return IFD_RESPONSE_TIMEOUT;
    case RIG_STATUS_BUFFER_TOO_SMALL:
        return IFD_ERROR_INSUFFICIENT_BUFFER;
    case RIG_STATUS_NOT_SUPPORTED:
        return IFD_NOT_SUPPORTED;
    default:
        return host_failure(status, IFD_COMMUNICATION_ERROR);
    }
}

static uint32_t driver_protocol(DWORD number)
{
    switch (number) {
    case 0:
        return RIG_PROTOCOL_T0;
    case 1:
        return RIG_PROTOCOL_T1;
    default:
        return RIG_PROTOCOL_RAW;
    }
}

RESPONSECODE IFDHTransmitToICC(DWORD Lun, SCARD_IO_HEADER SendPci, PUCHAR TxBuffer, DWORD TxLength,
                               PUCHAR RxBuffer, PDWORD RxLength, PSCARD_IO_HEADER RecvPci)
{
    size_t length = *RxLength;
    *RxLength = 0;
    struct channel *channel = channel_enter(Lun);
    if (channel == NULL) {
        return IFD_NO_SUCH_DEVICE;
    }
    nt_status status = rig_slot_transmit(channel->file, driver_protocol(SendPci.Protocol), TxBuffer, TxLength,
                                         RxBuffer, &length);
    channel_leave(channel);
    if (!rig_status_ok(status)) {
        return transmit_failure(status);
    }
    *RxLength = length;
    if (RecvPci != NULL) {
        *RecvPci = (SCARD_IO_HEADER){SendPci.Protocol, sizeof *RecvPci};
    }
    return IFD_SUCCESS;
}
