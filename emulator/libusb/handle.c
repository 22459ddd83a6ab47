// SPDX-License-Identifier: MIT
// Open devices: interfaces, kernel drivers, configuration, reset.
#include "emulator/libusb/bus.h"

#include <stdlib.h>

enum { INTERFACES = 32 };

int LIBUSB_CALL libusb_open(libusb_device *device, libusb_device_handle **handle)
{
    libusb_device_handle *opened = calloc(1, sizeof *opened);
    if (opened == NULL) {
        return LIBUSB_ERROR_NO_MEM;
    }
    pthread_mutex_lock(&bus_lock);
    int error = !device->reader->present ? LIBUSB_ERROR_NO_DEVICE
                : device->reader->denied ? LIBUSB_ERROR_ACCESS
                                         : 0;
    if (error == 0) {
        device->references++;
    }
    pthread_mutex_unlock(&bus_lock);
    if (error != 0) {
        free(opened);
        return error;
    }
    opened->view = device;
    opened->device = device->reader;
    opened->context = device->context;
    *handle = opened;
    return 0;
}

libusb_device_handle *LIBUSB_CALL libusb_open_device_with_vid_pid(libusb_context *context, uint16_t vendor,
                                                                  uint16_t product)
{
    libusb_device **list;
    libusb_device_handle *handle = NULL;
    ssize_t count = libusb_get_device_list(context, &list);
    for (ssize_t i = 0; i < count && handle == NULL; i++) {
        struct libusb_device_descriptor descriptor;
        if (libusb_get_device_descriptor(list[i], &descriptor) == 0 && descriptor.idVendor == vendor &&
            descriptor.idProduct == product && libusb_open(list[i], &handle) != 0) {
            handle = NULL;
        }
    }
    if (count >= 0) {
        libusb_free_device_list(list, 1);
    }
    return handle;
}

void LIBUSB_CALL libusb_close(libusb_device_handle *handle)
{
    if (handle == NULL) {
        return;
    }
    pthread_mutex_lock(&bus_lock);
    transfers_drop(handle);
    handle->device->claimed &= ~handle->claimed;
    view_put(handle->view);
    pthread_mutex_unlock(&bus_lock);
    free(handle);
}

libusb_device *LIBUSB_CALL libusb_get_device(libusb_device_handle *handle)
{
    return handle->view;
}

// The bit of an interface; 0: there is none of that number.
static uint32_t interface_bit(const struct reader *device, int number)
{
    return number >= 0 && number < INTERFACES && number == device->model.interface_number ? 1u << number : 0;
}

static int claim(libusb_device_handle *handle, uint32_t bit)
{
    struct reader *device = handle->device;
    if (!device->present) {
        return LIBUSB_ERROR_NO_DEVICE;
    }
    if (bit == 0) {
        return LIBUSB_ERROR_NOT_FOUND;
    }
    if ((handle->claimed & bit) != 0) {
        return 0;
    }
    if (device->kernel && handle->auto_detach) {
        device->kernel = false;
    }
    if (device->busy || device->kernel || (device->claimed & bit) != 0) {
        return LIBUSB_ERROR_BUSY;
    }
    handle->claimed |= bit;
    device->claimed |= bit;
    return 0;
}

int LIBUSB_CALL libusb_claim_interface(libusb_device_handle *handle, int number)
{
    if (number < 0 || number >= INTERFACES) {
        return LIBUSB_ERROR_INVALID_PARAM;
    }
    pthread_mutex_lock(&bus_lock);
    int result = claim(handle, interface_bit(handle->device, number));
    pthread_mutex_unlock(&bus_lock);
    return result;
}

int LIBUSB_CALL libusb_release_interface(libusb_device_handle *handle, int number)
{
    pthread_mutex_lock(&bus_lock);
    uint32_t bit = interface_bit(handle->device, number) & handle->claimed;
    handle->claimed &= ~bit;
    handle->device->claimed &= ~bit;
    pthread_mutex_unlock(&bus_lock);
    return bit != 0 ? 0 : LIBUSB_ERROR_NOT_FOUND;
}

static int kernel_driver(libusb_device_handle *handle, int number, bool from, bool to)
{
    struct reader *device = handle->device;
    pthread_mutex_lock(&bus_lock);
    int result = !device->present                     ? LIBUSB_ERROR_NO_DEVICE
                 : interface_bit(device, number) == 0 ? LIBUSB_ERROR_NOT_FOUND
                 : device->kernel != from             ? (from ? LIBUSB_ERROR_NOT_FOUND : LIBUSB_ERROR_BUSY)
                                                      : 0;
    device->kernel = result == 0 ? to : device->kernel;
    pthread_mutex_unlock(&bus_lock);
    return result;
}

int LIBUSB_CALL libusb_kernel_driver_active(libusb_device_handle *handle, int number)
{
    int result = kernel_driver(handle, number, true, true);
    return result == 0 ? 1 : result == LIBUSB_ERROR_NOT_FOUND ? 0 : result;
}

int LIBUSB_CALL libusb_detach_kernel_driver(libusb_device_handle *handle, int number)
{
    return kernel_driver(handle, number, true, false);
}

// Readers have no kernel driver, so that none comes back.
int LIBUSB_CALL libusb_attach_kernel_driver(libusb_device_handle *handle, int number)
{
    int result = kernel_driver(handle, number, false, false);
    return result == 0 ? LIBUSB_ERROR_NOT_FOUND : result;
}

int LIBUSB_CALL libusb_set_auto_detach_kernel_driver(libusb_device_handle *handle, int enable)
{
    handle->auto_detach = enable != 0;
    return 0;
}

static int simple(libusb_device_handle *handle, uint8_t type, uint8_t request, uint16_t value, uint16_t index)
{
    const struct emu_setup setup = {type, request, value, index, 0};
    size_t length = 0;
    int result = LIBUSB_ERROR_NO_DEVICE;
    pthread_mutex_lock(&bus_lock);
    if (handle->device->present) {
        result = bus_control(handle->device, &setup, NULL, &length) == EMU_OK ? 0 : LIBUSB_ERROR_NOT_FOUND;
        bus_pump(handle->device);
        bus_changed(NULL);
    }
    pthread_mutex_unlock(&bus_lock);
    return result;
}

int LIBUSB_CALL libusb_get_configuration(libusb_device_handle *handle, int *value)
{
    const struct emu_setup setup = {0x80, LIBUSB_REQUEST_GET_CONFIGURATION, 0, 0, 1};
    uint8_t configuration = 0;
    size_t length = 1;
    pthread_mutex_lock(&bus_lock);
    bool moved =
        handle->device->present && bus_control(handle->device, &setup, &configuration, &length) == EMU_OK;
    pthread_mutex_unlock(&bus_lock);
    *value = configuration;
    return moved ? 0 : LIBUSB_ERROR_NO_DEVICE;
}

int LIBUSB_CALL libusb_set_configuration(libusb_device_handle *handle, int value)
{
    if (value < -1 || value > UINT8_MAX) {
        return LIBUSB_ERROR_INVALID_PARAM;
    }
    pthread_mutex_lock(&bus_lock);
    bool claimed = handle->device->claimed != 0;
    pthread_mutex_unlock(&bus_lock);
    uint16_t wanted = value == -1 ? 0 : (uint16_t)value;
    return claimed ? LIBUSB_ERROR_BUSY : simple(handle, 0x00, LIBUSB_REQUEST_SET_CONFIGURATION, wanted, 0);
}

int LIBUSB_CALL libusb_set_interface_alt_setting(libusb_device_handle *handle, int number, int setting)
{
    if (number < 0 || number >= INTERFACES || setting < 0 || setting > UINT8_MAX) {
        return LIBUSB_ERROR_INVALID_PARAM;
    }
    if ((handle->claimed & 1u << number) == 0) {
        return LIBUSB_ERROR_NOT_FOUND;
    }
    return simple(handle, 0x01, LIBUSB_REQUEST_SET_INTERFACE, (uint16_t)setting, (uint16_t)number);
}

int LIBUSB_CALL libusb_clear_halt(libusb_device_handle *handle, unsigned char endpoint)
{
    return simple(handle, 0x02, LIBUSB_REQUEST_CLEAR_FEATURE, 0, endpoint);
}

int LIBUSB_CALL libusb_reset_device(libusb_device_handle *handle)
{
    struct reader *device = handle->device;
    pthread_mutex_lock(&bus_lock);
    bool present = device->present;
    if (present) {
        const struct emu_setup configure = {0x00, LIBUSB_REQUEST_SET_CONFIGURATION, 1, 0, 0};
        size_t length = 0;
        emu_reader_reset(device->emulated, bus_now());
        (void)bus_control(device, &configure, NULL, &length); // the kernel restores the configuration
        bus_pump(device);
    }
    pthread_mutex_unlock(&bus_lock);
    return present ? 0 : LIBUSB_ERROR_NOT_FOUND;
}
