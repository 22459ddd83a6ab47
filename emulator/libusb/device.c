// SPDX-License-Identifier: MIT
// Devices without a handle: the list, where they are, their raw descriptors.
#include "emulator/libusb/bus.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

ssize_t LIBUSB_CALL libusb_get_device_list(libusb_context *context, libusb_device ***list)
{
    size_t count = 0;
    libusb_device **devices = calloc(USB_READERS_MAX + 1, sizeof(libusb_device *));
    if (devices == NULL) {
        return LIBUSB_ERROR_NO_MEM;
    }
    pthread_mutex_lock(&bus_lock);
    for (struct reader *reader = bus_devices(); reader != NULL; reader = reader->next) {
        devices[count] = view_get(context_of(context), reader);
        count += devices[count] != NULL;
    }
    pthread_mutex_unlock(&bus_lock);
    *list = devices;
    return (ssize_t)count;
}

void LIBUSB_CALL libusb_free_device_list(libusb_device **list, int unreference)
{
    for (size_t i = 0; list != NULL && unreference != 0 && list[i] != NULL; i++) {
        libusb_unref_device(list[i]);
    }
    free(list);
}

libusb_device *LIBUSB_CALL libusb_ref_device(libusb_device *device)
{
    pthread_mutex_lock(&bus_lock);
    device->references++;
    pthread_mutex_unlock(&bus_lock);
    return device;
}

void LIBUSB_CALL libusb_unref_device(libusb_device *device)
{
    if (device == NULL) {
        return;
    }
    pthread_mutex_lock(&bus_lock);
    view_put(device);
    pthread_mutex_unlock(&bus_lock);
}

uint8_t LIBUSB_CALL libusb_get_bus_number(libusb_device *device)
{
    (void)device;
    return USB_BUS_NUMBER;
}

uint8_t LIBUSB_CALL libusb_get_port_number(libusb_device *device)
{
    return device->reader->number;
}

int LIBUSB_CALL libusb_get_port_numbers(libusb_device *device, uint8_t *ports, int room)
{
    if (room < 1) {
        return room < 0 ? LIBUSB_ERROR_INVALID_PARAM : LIBUSB_ERROR_OVERFLOW;
    }
    ports[0] = device->reader->number;
    return 1;
}

int LIBUSB_CALL libusb_get_port_path(libusb_context *context, libusb_device *device, uint8_t *path,
                                     uint8_t room)
{
    (void)context;
    return libusb_get_port_numbers(device, path, room);
}

libusb_device *LIBUSB_CALL libusb_get_parent(libusb_device *device)
{
    (void)device;
    return NULL; // the root hub is not shown
}

uint8_t LIBUSB_CALL libusb_get_device_address(libusb_device *device)
{
    return device->reader->number;
}

int LIBUSB_CALL libusb_get_device_speed(libusb_device *device)
{
    (void)device;
    return LIBUSB_SPEED_FULL;
}

static int packet_size(libusb_device *device, unsigned char endpoint)
{
    struct libusb_config_descriptor *config;
    int result = libusb_get_active_config_descriptor(device, &config);
    if (result != 0) {
        return LIBUSB_ERROR_OTHER;
    }
    result = LIBUSB_ERROR_NOT_FOUND;
    for (size_t i = 0; i < config->bNumInterfaces; i++) {
        const struct libusb_interface_descriptor *setting = config->interface[i].altsetting;
        for (size_t k = 0; config->interface[i].num_altsetting > 0 && k < setting->bNumEndpoints; k++) {
            if (setting->endpoint[k].bEndpointAddress == endpoint) {
                result = setting->endpoint[k].wMaxPacketSize;
            }
        }
    }
    libusb_free_config_descriptor(config);
    return result;
}

int LIBUSB_CALL libusb_get_max_packet_size(libusb_device *device, unsigned char endpoint)
{
    return packet_size(device, endpoint);
}

int LIBUSB_CALL libusb_get_max_iso_packet_size(libusb_device *device, unsigned char endpoint)
{
    return packet_size(device, endpoint); // full speed: one packet a frame
}

int LIBUSB_CALL libusb_get_device_descriptor(libusb_device *device,
                                             struct libusb_device_descriptor *descriptor)
{
    uint8_t data[USB_DESCRIPTOR_MAX];
    pthread_mutex_lock(&bus_lock);
    size_t length = bus_descriptor(device->reader, LIBUSB_DT_DEVICE, 0, data);
    pthread_mutex_unlock(&bus_lock);
    if (length < LIBUSB_DT_DEVICE_SIZE) {
        return LIBUSB_ERROR_IO;
    }
    memcpy(descriptor, data, LIBUSB_DT_DEVICE_SIZE); // its members lie as on the wire
    descriptor->bcdUSB = le16toh(descriptor->bcdUSB);
    descriptor->idVendor = le16toh(descriptor->idVendor);
    descriptor->idProduct = le16toh(descriptor->idProduct);
    descriptor->bcdDevice = le16toh(descriptor->bcdDevice);
    return 0;
}

int LIBUSB_CALL libusb_get_config_descriptor(libusb_device *device, uint8_t index,
                                             struct libusb_config_descriptor **config)
{
    uint8_t data[USB_DESCRIPTOR_MAX];
    if (index != 0) {
        return LIBUSB_ERROR_NOT_FOUND;
    }
    pthread_mutex_lock(&bus_lock);
    size_t length = bus_descriptor(device->reader, LIBUSB_DT_CONFIG, 0, data);
    pthread_mutex_unlock(&bus_lock);
    return config_parse(data, length, config);
}

int LIBUSB_CALL libusb_get_active_config_descriptor(libusb_device *device,
                                                    struct libusb_config_descriptor **config)
{
    return libusb_get_config_descriptor(device, 0, config);
}

int LIBUSB_CALL libusb_get_config_descriptor_by_value(libusb_device *device, uint8_t value,
                                                      struct libusb_config_descriptor **config)
{
    int result = libusb_get_config_descriptor(device, 0, config);
    if (result == 0 && (*config)->bConfigurationValue != value) {
        libusb_free_config_descriptor(*config);
        result = LIBUSB_ERROR_NOT_FOUND;
    }
    return result;
}
