// SPDX-License-Identifier: MIT
#include "rig/cards.h"
#include "rig/internal.h"

#include <errno.h>

#include "rig/status.h"
#include "vbus/vbusioctl.h"

const uint8_t rig_reader_guid[16] = {
    0x30, 0x52, 0xDD, 0x50, 0x8A, 0xBA, 0xD1, 0x11, 0xBF, 0x5D, 0x00, 0x00, 0xF8, 0x05, 0xF5, 0x30,
};

static nt_file *bus;

static nt_status start_bus(void)
{
    char instance[NT_ID_MAX];
    if (nt_root_device_add(VBUS_ROOT_ID, instance) != 0) {
        return RIG_STATUS_INSUFFICIENT_RESOURCES;
    }
    nt_pnp_wait();
    return nt_open(VBUS_USER_PATH, &bus);
}

nt_status rig_boot(const struct nt_options *options)
{
    struct nt_options kernel = *options;
    if (rig_prepare_options(&kernel) != 0 || nt_boot(&kernel) != 0) {
        return RIG_STATUS_UNSUCCESSFUL;
    }
    int error = rig_add_services();
    nt_status status = error == 0         ? start_bus()
                       : error == -ENOMEM ? RIG_STATUS_INSUFFICIENT_RESOURCES
                                          : RIG_STATUS_UNSUCCESSFUL;
    if (!rig_status_ok(status)) {
        nt_shutdown();
    }
    return status;
}

void rig_shutdown(void)
{
    rig_unplug_all();
    nt_close(bus);
    bus = NULL;
    nt_shutdown();
    cards_close();
}

nt_status rig_bus_control(uint32_t code, const void *in, size_t in_length, void *out, size_t out_length)
{
    size_t returned = 0;
    nt_status status = nt_device_control(bus, code, in, in_length, out, out_length, &returned);
    if (rig_status_ok(status) && returned < out_length) {
        return RIG_STATUS_UNSUCCESSFUL;
    }
    return status;
}
