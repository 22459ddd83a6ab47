// SPDX-License-Identifier: MIT
// IFDHCreateChannelByName, IFDHCreateChannel, IFDHCloseChannel.
#include <errno.h>
#include <ifdhandler.h>

#include "pcsc/channel.h"
#include "pcsc/devicename.h"
#include "pcsc/host.h"
#include "pcsc/log.h"
#include "rig/models.h"
#include "rig/status.h"
#include "rig/usb.h"

static int find_model(const struct device_name *name, struct emu_model *model)
{
    char error[DEVICENAME_PART_MAX] = "no such model in readers.tsv, see `lectern models`";
    int result = rig_model_find(name->models[0] != '\0' ? name->models : NULL, name->model, model, error,
                                sizeof error);
    if (result != 0) {
        IFD_ERROR("lectern: model=%s: %s", name->model, error);
    }
    return result;
}

static RESPONSECODE plug(const struct device_name *name, uint32_t *port)
{
    struct emu_model model;
    const char *cards[EMU_SLOTS_MAX];
    for (size_t slot = 0; slot < EMU_SLOTS_MAX; slot++) {
        cards[slot] = name->cards[slot];
        if (cards[slot][0] != '\0' && !rig_card_open(cards[slot])) {
            IFD_ERROR("lectern: card=%s: no such card, see `lectern cards`. %s", cards[slot], rig_card_why());
            return IFD_COMMUNICATION_ERROR;
        }
    }
    if (find_model(name, &model) != 0) {
        return IFD_COMMUNICATION_ERROR;
    }
    nt_status status = rig_plug(&model, cards, EMU_SLOTS_MAX, port);
    if (!rig_status_ok(status)) {
        char buffer[16];
        IFD_ERROR("lectern: model=%s did not start: %s", name->model, rig_status_name(status, buffer));
        return IFD_COMMUNICATION_ERROR;
    }
    return IFD_SUCCESS;
}

static RESPONSECODE claim(const struct device_name *name, uint32_t *port)
{
    char why[RIG_USB_WHY_MAX] = "";
    nt_status status = rig_usb_plug(name->usb, port, why);
    if (!rig_status_ok(status)) {
        IFD_ERROR("lectern: %s: %s", name->usb, why);
        return host_failure(status, IFD_COMMUNICATION_ERROR);
    }
    return IFD_SUCCESS;
}

static RESPONSECODE open_slot(DWORD lun, struct host_reader reader)
{
    nt_file *file;
    unsigned slot = lun & 0xFFFF;
    nt_status status = rig_open(reader.port, slot, &file);
    if (!rig_status_ok(status)) {
        char buffer[16];
        IFD_ERROR("lectern: slot %u does not open: %s", slot, rig_status_name(status, buffer));
        return host_failure(status, IFD_COMMUNICATION_ERROR);
    }
    if (channel_add(lun, reader, slot, file) != 0) {
        nt_close(file);
        return IFD_COMMUNICATION_ERROR;
    }
    return IFD_SUCCESS;
}

static RESPONSECODE open_reader(DWORD lun, const struct device_name *name, struct host_reader reader)
{
    RESPONSECODE result = name->usb[0] != '\0' ? claim(name, &reader.port) : plug(name, &reader.port);
    if (result != IFD_SUCCESS) {
        return result;
    }
    result = open_slot(lun, reader);
    if (result != IFD_SUCCESS) {
        host_unplug(&reader);
    }
    return result;
}

RESPONSECODE IFDHCreateChannelByName(DWORD Lun, LPSTR DeviceName)
{
    struct device_name name;
    struct host_reader reader = {0}, first;
    int error = device_name_parse(DeviceName, &name);
    if (error == -ENODEV) {
        return IFD_NO_SUCH_DEVICE;
    }
    if (error != 0) {
        IFD_ERROR("lectern: DEVICENAME %s: a part is too long, or more cards than slots", DeviceName);
        return IFD_COMMUNICATION_ERROR;
    }
    RESPONSECODE result = host_acquire(name.driver, &reader);
    if (result != IFD_SUCCESS) {
        return result;
    }
    // Slots after the first come with the same DEVICENAME and belong to the reader that is there already.
    if ((Lun & 0xFFFF) != 0) {
        bool there = channel_reader(Lun, &first) && first.boot == reader.boot;
        result = there ? open_slot(Lun, first) : IFD_NO_SUCH_DEVICE;
    } else {
        result = open_reader(Lun, &name, reader);
    }
    if (result != IFD_SUCCESS) {
        host_release();
    }
    return result;
}

RESPONSECODE IFDHCreateChannel(DWORD Lun, DWORD Channel)
{
    char name[] = "emulated";
    (void)Channel; // no port to choose: every channel is a new reader
    return IFDHCreateChannelByName(Lun, name);
}

RESPONSECODE IFDHCloseChannel(DWORD Lun)
{
    struct host_reader reader;
    if (!channel_begin_close(Lun, &reader)) {
        return IFD_NO_SUCH_DEVICE;
    }
    // pcscd closes all slots of a reader or none. Unplugging with the first ends whatever still waits for a
    // card.
    host_unplug(&reader);
    channel_end_close(Lun);
    host_release();
    return IFD_SUCCESS;
}
