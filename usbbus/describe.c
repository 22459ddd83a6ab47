// SPDX-License-Identifier: MIT
#include "usbbus/describe.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { CLASS_READER = 0x0B, CLASS_VENDOR = 0xFF, CCID_DESCRIPTOR = 0x21, CCID_LENGTH = 54 };

static bool is_reader(const struct libusb_interface_descriptor *setting)
{
    // Readers older than the class hide in the vendor's own, with the same descriptor.
    return setting->bInterfaceClass == CLASS_READER ||
           (setting->bInterfaceClass == CLASS_VENDOR && setting->extra_length >= CCID_LENGTH &&
            setting->extra[0] == CCID_LENGTH && setting->extra[1] == CCID_DESCRIPTOR);
}

static const struct libusb_interface_descriptor *find_interface(const struct libusb_config_descriptor *config,
                                                                uint8_t wanted)
{
    for (size_t i = 0; i < config->bNumInterfaces; i++) {
        const struct libusb_interface *interface = &config->interface[i];
        if (interface->num_altsetting > 0 &&
            (wanted == USBBUS_ANY_INTERFACE ? is_reader(interface->altsetting)
                                            : interface->altsetting->bInterfaceNumber == wanted)) {
            return interface->altsetting;
        }
    }
    return NULL;
}

static bool put(struct usb_about *about, const void *bytes, int length)
{
    if (length < 0 || length > USB_CONFIG_MAX - about->config_length) {
        return false;
    }
    if (length > 0) {
        memcpy(about->config + about->config_length, bytes, (size_t)length);
    }
    about->config_length = (uint16_t)(about->config_length + length);
    return true;
}

static bool put_endpoint(struct usb_about *about, const struct libusb_endpoint_descriptor *endpoint)
{
    const uint8_t bytes[LIBUSB_DT_ENDPOINT_SIZE] = {LIBUSB_DT_ENDPOINT_SIZE,
                                                    LIBUSB_DT_ENDPOINT,
                                                    endpoint->bEndpointAddress,
                                                    endpoint->bmAttributes,
                                                    (uint8_t)endpoint->wMaxPacketSize,
                                                    (uint8_t)(endpoint->wMaxPacketSize >> 8),
                                                    endpoint->bInterval};
    if (about->pipe_count == USB_PIPES_MAX || (endpoint->bEndpointAddress & 0x0F) == 0) {
        return false;
    }
    about->pipes[about->pipe_count++] = (struct usb_pipe){endpoint->bEndpointAddress, endpoint->bmAttributes,
                                                          endpoint->bInterval, endpoint->wMaxPacketSize};
    return put(about, bytes, sizeof bytes) && put(about, endpoint->extra, endpoint->extra_length);
}

// The configuration as the interface's function driver sees it: its own interface only.
static bool put_config(struct usb_about *about, const struct libusb_config_descriptor *config,
                       const struct libusb_interface_descriptor *setting)
{
    const uint8_t head[LIBUSB_DT_CONFIG_SIZE] = {
        LIBUSB_DT_CONFIG_SIZE, LIBUSB_DT_CONFIG, 0, 0, 1, config->bConfigurationValue, config->iConfiguration,
        config->bmAttributes,  config->MaxPower};
    const uint8_t own[LIBUSB_DT_INTERFACE_SIZE] = {LIBUSB_DT_INTERFACE_SIZE,    LIBUSB_DT_INTERFACE,
                                                   setting->bInterfaceNumber,   0,
                                                   setting->bNumEndpoints,      setting->bInterfaceClass,
                                                   setting->bInterfaceSubClass, setting->bInterfaceProtocol,
                                                   setting->iInterface};
    bool fits = put(about, head, sizeof head) && put(about, own, sizeof own) &&
                put(about, setting->extra, setting->extra_length);
    for (size_t i = 0; fits && i < setting->bNumEndpoints; i++) {
        fits = put_endpoint(about, &setting->endpoint[i]);
    }
    about->config[2] = (uint8_t)about->config_length;
    about->config[3] = (uint8_t)(about->config_length >> 8);
    return fits;
}

// Appends one id and its terminator; the buffer is zeroed, so that the list ends by itself.
static void add_id(char ids[USB_IDS_MAX], size_t *length, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(ids + *length, USB_IDS_MAX - 1 - *length, format, arguments);
    va_end(arguments);
    *length += (size_t)size + 1; // the ids' lengths are known: all fit
}

static void name(struct usb_about *about, libusb_device *device,
                 const struct libusb_device_descriptor *descriptor, bool composite)
{
    char part[16] = "";
    size_t hardware = 0, compatible = 0;
    if (composite) {
        (void)snprintf(part, sizeof part, "&MI_%02X", about->number);
    }
    (void)snprintf(about->device_id, sizeof about->device_id, "USB\\VID_%04X&PID_%04X%s",
                   descriptor->idVendor, descriptor->idProduct, part);
    (void)snprintf(about->instance_id, sizeof about->instance_id, "%u&%u&%u", libusb_get_bus_number(device),
                   libusb_get_device_address(device), about->number);
    add_id(about->hardware_ids, &hardware, "USB\\VID_%04X&PID_%04X&REV_%04X%s", descriptor->idVendor,
           descriptor->idProduct, descriptor->bcdDevice, part);
    add_id(about->hardware_ids, &hardware, "%s", about->device_id);
    add_id(about->compatible_ids, &compatible, "USB\\Class_%02X&SubClass_%02X&Prot_%02X",
           about->interface_class, about->subclass, about->protocol);
    add_id(about->compatible_ids, &compatible, "USB\\Class_%02X&SubClass_%02X", about->interface_class,
           about->subclass);
    add_id(about->compatible_ids, &compatible, "USB\\Class_%02X", about->interface_class);
}

static void raw_device(const struct libusb_device_descriptor *from, uint8_t to[LIBUSB_DT_DEVICE_SIZE])
{
    const uint8_t bytes[LIBUSB_DT_DEVICE_SIZE] = {LIBUSB_DT_DEVICE_SIZE,    LIBUSB_DT_DEVICE,
                                                  (uint8_t)from->bcdUSB,    (uint8_t)(from->bcdUSB >> 8),
                                                  from->bDeviceClass,       from->bDeviceSubClass,
                                                  from->bDeviceProtocol,    from->bMaxPacketSize0,
                                                  (uint8_t)from->idVendor,  (uint8_t)(from->idVendor >> 8),
                                                  (uint8_t)from->idProduct, (uint8_t)(from->idProduct >> 8),
                                                  (uint8_t)from->bcdDevice, (uint8_t)(from->bcdDevice >> 8),
                                                  from->iManufacturer,      from->iProduct,
                                                  from->iSerialNumber,      from->bNumConfigurations};
    memcpy(to, bytes, sizeof bytes);
}

int usb_describe(libusb_device *device, uint8_t wanted, struct usb_about *about)
{
    struct libusb_device_descriptor descriptor;
    struct libusb_config_descriptor *config;
    *about = (struct usb_about){0};
    if (libusb_get_device_descriptor(device, &descriptor) != 0 ||
        libusb_get_active_config_descriptor(device, &config) != 0) {
        return -EINVAL;
    }
    const struct libusb_interface_descriptor *setting = find_interface(config, wanted);
    int error = setting == NULL ? -ENODEV : put_config(about, config, setting) ? 0 : -EINVAL;
    if (error == 0) {
        about->number = setting->bInterfaceNumber;
        about->interface_class = setting->bInterfaceClass;
        about->subclass = setting->bInterfaceSubClass;
        about->protocol = setting->bInterfaceProtocol;
        about->value = config->bConfigurationValue;
        raw_device(&descriptor, about->device);
        name(about, device, &descriptor, config->bNumInterfaces > 1);
    }
    libusb_free_config_descriptor(config);
    return error;
}

void usb_describe_text(libusb_device_handle *handle, struct usb_about *about)
{
    uint8_t index = about->device[15];
    if (index == 0 ||
        libusb_get_string_descriptor_ascii(handle, index, (unsigned char *)about->text, USB_TEXT_MAX) <= 0) {
        (void)snprintf(about->text, USB_TEXT_MAX, "USB smart card reader");
    }
}
