// SPDX-License-Identifier: MIT
#include "bench/nthost/plug.h"

#include <stdio.h>

#include "bench/nthost/measure.h"
#include "rig/models.h"
#include "rig/rig.h"
#include "vbus/vbusioctl.h"

static nt_file *bus;
static char arrived[NT_ID_MAX];

static void note_link(void *context, const char *link, bool enabled)
{
    (void)context;
    if (enabled) {
        snprintf(arrived, sizeof arrived, "%s", link);
    }
}

void plug_boot(bool verifier)
{
    const struct nt_options options = {.clock = NT_CLOCK_VIRTUAL, .verifier = verifier};
    measure_require(rig_boot(&options) == 0, "boot");
    measure_require(nt_interface_subscribe(rig_reader_guid, note_link, NULL) == 0, "subscription");
    measure_require(nt_open(VBUS_USER_PATH, &bus) == 0, "bus");
}

void plug_shutdown(void)
{
    nt_close(bus);
    nt_interface_unsubscribe(rig_reader_guid, note_link, NULL);
    rig_shutdown();
}

void plug_in(struct plug *plug, const char *card)
{
    struct vbus_plug request = {.model = *rig_default_model()};
    size_t returned;
    snprintf(request.cards[0], sizeof request.cards[0], "%s", card);
    arrived[0] = '\0';
    measure_require(nt_device_control(bus, IOCTL_VBUS_PLUG, &request, sizeof request, &plug->port,
                                      sizeof plug->port, &returned) == 0,
                    "plug");
    nt_pnp_wait();
    measure_require(arrived[0] != '\0', "start of the reader");
    snprintf(plug->link, sizeof plug->link, "%s", arrived);
}

void plug_out(const struct plug *plug)
{
    size_t returned;
    measure_require(
        nt_device_control(bus, IOCTL_VBUS_UNPLUG, &plug->port, sizeof plug->port, NULL, 0, &returned) == 0,
        "unplug");
    nt_pnp_wait();
}
