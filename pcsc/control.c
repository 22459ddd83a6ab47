// SPDX-License-Identifier: MIT
// IFDHControl.
#include <ifdhandler.h>
#include <reader.h>

#include "pcsc/channel.h"
#include "pcsc/host.h"
#include "rig/status.h"

enum { PCSCLITE_BASE = 0x42000000, LIBCCID_ESCAPE = 1 };

// SCARD_CTL_CODE(n) is 42000000h + n here and 310000h | n << 2 on Windows, where the driver's codes come
// from. Only the vendor range passes: the others are the resource manager's own. 0: not for the driver.
static uint32_t driver_code(DWORD code)
{
    uint32_t function;
    if (code >> 24 == PCSCLITE_BASE >> 24) {
        function = code & 0xFFFFFF;
    } else if (code >> 16 == RIG_SCARD_CTL(0) >> 16 && (code & 3) == 0) {
        function = (code & 0xFFFF) >> 2;
    } else {
        return 0;
    }
    if (function == LIBCCID_ESCAPE && code >> 24 == PCSCLITE_BASE >> 24) {
        return RIG_IOCTL_ESCAPE; // the escape's number in libccid, which programs for pcsc-lite know
    }
    bool vendor = function >= RIG_VENDOR_FUNCTION_FIRST && function <= RIG_VENDOR_FUNCTION_LAST;
    return vendor ? RIG_SCARD_CTL(function) : 0;
}

static RESPONSECODE control_failure(nt_status status)
{
    switch (status) {
    case RIG_STATUS_NOT_SUPPORTED:
    case RIG_STATUS_INVALID_DEVICE_REQUEST:
    case RIG_STATUS_ACCESS_DENIED: // the escape, unless the registry allows it
        return IFD_ERROR_NOT_SUPPORTED;
    case RIG_STATUS_BUFFER_TOO_SMALL:
        return IFD_ERROR_INSUFFICIENT_BUFFER;
    case RIG_STATUS_NO_MEDIA:
        return IFD_ICC_NOT_PRESENT;
    case RIG_STATUS_IO_TIMEOUT:
        return IFD_RESPONSE_TIMEOUT;
    default:
        return host_failure(status, IFD_COMMUNICATION_ERROR);
    }
}

RESPONSECODE IFDHControl(DWORD Lun, DWORD dwControlCode, PUCHAR TxBuffer, DWORD TxLength, PUCHAR RxBuffer,
                         DWORD RxLength, LPDWORD pdwBytesReturned)
{
    *pdwBytesReturned = 0;
    uint32_t code = driver_code(dwControlCode);
    if (code == 0) {
        return IFD_ERROR_NOT_SUPPORTED;
    }
    struct channel *channel = channel_enter(Lun);
    if (channel == NULL) {
        return IFD_NO_SUCH_DEVICE;
    }
    size_t returned = 0;
    nt_status status =
        nt_device_control(channel->file, code, TxBuffer, TxLength, RxBuffer, RxLength, &returned);
    channel_leave(channel);
    if (!rig_status_ok(status)) {
        return control_failure(status);
    }
    *pdwBytesReturned = returned;
    return IFD_SUCCESS;
}
