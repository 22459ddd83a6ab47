// SPDX-License-Identifier: MIT
// Configuration descriptors in libusb's shape, from bytes that may say anything.
#include "emulator/libusb/bus.h"

#include <stdlib.h>
#include <string.h>

enum { INTERFACES_MAX = 32 };

struct cursor {
    const uint8_t *at;
    size_t left;
};

static unsigned word(const uint8_t *at)
{
    return at[0] | (unsigned)at[1] << 8;
}

static int append(const unsigned char **extra, int *length, const uint8_t *data, size_t size)
{
    unsigned char *grown = realloc((void *)*extra, (size_t)*length + size);
    if (grown == NULL) {
        return LIBUSB_ERROR_NO_MEM;
    }
    memcpy(grown + *length, data, size);
    *extra = grown;
    *length += (int)size;
    return 0;
}

static int add_endpoint(struct libusb_interface_descriptor *setting, unsigned *have, const uint8_t *data)
{
    if (*have == setting->bNumEndpoints || data[0] < LIBUSB_DT_ENDPOINT_SIZE) {
        return LIBUSB_ERROR_IO;
    }
    struct libusb_endpoint_descriptor *endpoint =
        (struct libusb_endpoint_descriptor *)&setting->endpoint[(*have)++];
    *endpoint = (struct libusb_endpoint_descriptor){.bLength = data[0],
                                                    .bDescriptorType = data[1],
                                                    .bEndpointAddress = data[2],
                                                    .bmAttributes = data[3],
                                                    .wMaxPacketSize = (uint16_t)word(data + 4),
                                                    .bInterval = data[6]};
    return 0;
}

static struct libusb_interface *interface_of(struct libusb_config_descriptor *config, unsigned *have,
                                             uint8_t number)
{
    struct libusb_interface *interfaces = (struct libusb_interface *)config->interface;
    for (unsigned i = 0; i < *have; i++) {
        if (interfaces[i].altsetting[0].bInterfaceNumber == number) {
            return &interfaces[i];
        }
    }
    return *have < config->bNumInterfaces ? &interfaces[(*have)++] : NULL;
}

static int add_setting(struct libusb_config_descriptor *config, unsigned *have, const uint8_t *data,
                       struct libusb_interface_descriptor **current)
{
    struct libusb_interface *interface =
        data[0] < LIBUSB_DT_INTERFACE_SIZE ? NULL : interface_of(config, have, data[2]);
    if (interface == NULL) {
        return LIBUSB_ERROR_IO;
    }
    size_t count = (size_t)interface->num_altsetting;
    struct libusb_interface_descriptor *settings =
        realloc((void *)interface->altsetting, (count + 1) * sizeof *settings);
    if (settings == NULL) {
        *have -= count == 0; // nothing may follow an interface without settings
        return LIBUSB_ERROR_NO_MEM;
    }
    interface->altsetting = settings;
    interface->num_altsetting++;
    *current = &settings[count];
    **current = (struct libusb_interface_descriptor){.bLength = data[0],
                                                     .bDescriptorType = data[1],
                                                     .bInterfaceNumber = data[2],
                                                     .bAlternateSetting = data[3],
                                                     .bNumEndpoints = data[4],
                                                     .bInterfaceClass = data[5],
                                                     .bInterfaceSubClass = data[6],
                                                     .bInterfaceProtocol = data[7],
                                                     .iInterface = data[8]};
    (*current)->endpoint = calloc(data[4] + 1u, sizeof(struct libusb_endpoint_descriptor));
    return (*current)->endpoint != NULL ? 0 : LIBUSB_ERROR_NO_MEM;
}

static int add_extra(struct libusb_config_descriptor *config, struct libusb_interface_descriptor *setting,
                     unsigned endpoints, const uint8_t *data)
{
    if (setting == NULL) {
        return append(&config->extra, &config->extra_length, data, data[0]);
    }
    if (endpoints == 0) {
        return append(&setting->extra, &setting->extra_length, data, data[0]);
    }
    struct libusb_endpoint_descriptor *endpoint =
        (struct libusb_endpoint_descriptor *)&setting->endpoint[endpoints - 1];
    return append(&endpoint->extra, &endpoint->extra_length, data, data[0]);
}

static int walk(struct libusb_config_descriptor *config, struct cursor cursor)
{
    struct libusb_interface_descriptor *setting = NULL;
    unsigned interfaces = 0, endpoints = 0;
    int error = 0;
    for (; error == 0 && cursor.left >= 2; cursor.at += cursor.at[0]) {
        if (cursor.at[0] < 2 || cursor.at[0] > cursor.left) {
            error = LIBUSB_ERROR_IO;
            break;
        }
        if (cursor.at[1] == LIBUSB_DT_INTERFACE) {
            error = add_setting(config, &interfaces, cursor.at, &setting);
            endpoints = 0;
        } else if (cursor.at[1] == LIBUSB_DT_ENDPOINT && setting != NULL) {
            error = add_endpoint(setting, &endpoints, cursor.at);
        } else {
            error = add_extra(config, setting, endpoints, cursor.at);
        }
        cursor.left -= cursor.at[0];
    }
    // Interfaces and endpoints that were announced and are not there do not exist.
    config->bNumInterfaces = (uint8_t)interfaces;
    return error;
}

int config_parse(const uint8_t *data, size_t length, struct libusb_config_descriptor **result)
{
    if (length < LIBUSB_DT_CONFIG_SIZE || data[0] < LIBUSB_DT_CONFIG_SIZE || data[0] > length ||
        data[1] != LIBUSB_DT_CONFIG || data[4] > INTERFACES_MAX) {
        return LIBUSB_ERROR_IO;
    }
    struct libusb_config_descriptor *config = calloc(1, sizeof *config);
    if (config == NULL) {
        return LIBUSB_ERROR_NO_MEM;
    }
    config->bLength = data[0];
    config->bDescriptorType = data[1];
    config->wTotalLength = (uint16_t)word(data + 2);
    config->bNumInterfaces = data[4];
    config->bConfigurationValue = data[5];
    config->iConfiguration = data[6];
    config->bmAttributes = data[7];
    config->MaxPower = data[8];
    config->interface = calloc(data[4] + 1u, sizeof *config->interface);
    size_t total = config->wTotalLength < length ? config->wTotalLength : length;
    int error = config->interface == NULL ? LIBUSB_ERROR_NO_MEM
                : total < data[0]         ? LIBUSB_ERROR_IO
                                          : walk(config, (struct cursor){data + data[0], total - data[0]});
    if (error != 0) {
        libusb_free_config_descriptor(config);
        // clang-tidy 14 does not follow that one. NOLINTNEXTLINE(clang-analyzer-unix.Malloc)
        return error;
    }
    *result = config;
    return 0;
}

static void free_setting(const struct libusb_interface_descriptor *setting)
{
    for (size_t i = 0; setting->endpoint != NULL && i < setting->bNumEndpoints; i++) {
        free((void *)setting->endpoint[i].extra);
    }
    free((void *)setting->endpoint);
    free((void *)setting->extra);
}

void LIBUSB_CALL libusb_free_config_descriptor(struct libusb_config_descriptor *config)
{
    if (config == NULL) {
        return;
    }
    for (size_t i = 0; config->interface != NULL && i < config->bNumInterfaces; i++) {
        const struct libusb_interface *interface = &config->interface[i];
        for (int k = 0; k < interface->num_altsetting; k++) {
            free_setting(&interface->altsetting[k]);
        }
        free((void *)interface->altsetting);
    }
    free((void *)config->interface);
    free((void *)config->extra);
    free(config);
}
