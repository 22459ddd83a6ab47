// SPDX-License-Identifier: MIT
#include "rig/usb.h"

#include <stdio.h>
#include <string.h>

#include "rig/internal.h"
#include "rig/status.h"
#include "usbbus/usbbusioctl.h"

nt_entry_point LectusbDriverEntry;

static struct usbbus_place wanted; // one plug at a time, as rig_plug_by has it
static struct usbbus_claim claim;

static const char usb[] = "usb";

bool rig_usb_named(const char *text)
{
    size_t length = strlen(usb);
    return strncmp(text, usb, length) == 0 && (text[length] == '\0' || text[length] == ':');
}

static int parse(const char *text, struct usbbus_place *place)
{
    unsigned vendor, product, bus = 0, address = 0, number = USBBUS_ANY_INTERFACE;
    *place = (struct usbbus_place){.number = USBBUS_ANY_INTERFACE};
    text += strlen(usb);
    if (text[0] == '\0') {
        return 0;
    }
    int taken =
        sscanf(text, ":%4x/%4x:libudev:%3u:/dev/bus/usb/%3u/%3u", &vendor, &product, &number, &bus, &address);
    if (taken != 5) {
        number = USBBUS_ANY_INTERFACE;
        taken = sscanf(text, ":%4x/%4x:libusb-1.0:%3u:%3u:%3u", &vendor, &product, &bus, &address, &number);
    }
    if ((taken != 2 && taken != 4 && taken != 5) || bus > UINT8_MAX || address > UINT8_MAX ||
        number > UINT8_MAX) {
        return -1;
    }
    *place = (struct usbbus_place){(uint16_t)vendor, (uint16_t)product, (uint8_t)bus,
                                   (uint8_t)address, (uint8_t)number,   0};
    return 0;
}

// The bus is started by the first who needs it: opening libusb reads every device's descriptors.
static nt_status open_bus(nt_file **bus)
{
    static const char *const ids[] = {USBBUS_ROOT_ID, NULL};
    const struct nt_service service = {"lectusb", LectusbDriverEntry, ids};
    char instance[NT_ID_MAX];
    nt_status status = nt_open(USBBUS_USER_PATH, bus);
    if (rig_status_ok(status)) {
        return status;
    }
    if (nt_service_add(&service) != 0 || nt_root_device_add(USBBUS_ROOT_ID, instance) != 0) {
        return RIG_STATUS_INSUFFICIENT_RESOURCES;
    }
    nt_pnp_wait();
    return nt_open(USBBUS_USER_PATH, bus);
}

static nt_status control(uint32_t code, const void *in, size_t in_length, void *out, size_t out_length)
{
    nt_file *bus;
    size_t returned = 0;
    nt_status status = open_bus(&bus);
    if (rig_status_ok(status)) {
        status = nt_device_control(bus, code, in, in_length, out, out_length, &returned);
        nt_close(bus);
    }
    return status;
}

static nt_status send_claim(struct rig_reader *reader)
{
    nt_status status = control(IOCTL_USBBUS_CLAIM, &wanted, sizeof wanted, &claim, sizeof claim);
    if (!rig_status_ok(status)) {
        return status;
    }
    if (claim.port == 0) {
        return RIG_STATUS_NO_SUCH_DEVICE;
    }
    reader->port = RIG_USB_PORTS + claim.port;
    reader->model.vendor_id = claim.place.vendor;
    reader->model.product_id = claim.place.product;
    (void)snprintf(reader->model.name, sizeof reader->model.name, "usb:%04x/%04x:libusb-1.0:%u:%u:%u",
                   claim.place.vendor, claim.place.product, claim.place.bus, claim.place.address,
                   claim.place.number);
    memcpy(reader->model.product, claim.name, sizeof reader->model.product);
    return status;
}

nt_status rig_usb_release(uint32_t port)
{
    port -= RIG_USB_PORTS;
    return control(IOCTL_USBBUS_RELEASE, &port, sizeof port, NULL, 0);
}

nt_status rig_usb_plug(const char *name, uint32_t *port, char why[RIG_USB_WHY_MAX])
{
    struct rig_reader reader = {0};
    nt_file *bus;
    *port = 0;
    claim = (struct usbbus_claim){0};
    if (parse(name, &wanted) != 0) {
        (void)snprintf(why, RIG_USB_WHY_MAX,
                       "'%.60s' is not usb[:VVVV/PPPP[:libusb-1.0:BUS:ADDRESS[:INTERFACE]]]", name);
        return RIG_STATUS_NO_SUCH_DEVICE;
    }
    nt_status status = open_bus(&bus); // before the list of devices is compared
    if (rig_status_ok(status)) {
        nt_close(bus);
        status = rig_plug_by(&reader, send_claim);
    }
    if (!rig_status_ok(status)) {
        char buffer[16];
        (void)snprintf(why, RIG_USB_WHY_MAX, "%s",
                       claim.port == 0 && claim.why[0] != '\0' ? claim.why : rig_status_name(status, buffer));
    }
    *port = reader.port;
    return status;
}
