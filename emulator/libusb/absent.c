// SPDX-License-Identifier: MIT
// What full-speed readers do not have: streams, memory of the controller, descriptors of USB 3.
#include <libusb.h>
#include <stddef.h>

int LIBUSB_CALL libusb_alloc_streams(libusb_device_handle *handle, uint32_t count, unsigned char *endpoints,
                                     int endpoint_count)
{
    (void)handle, (void)count, (void)endpoints, (void)endpoint_count;
    return LIBUSB_ERROR_NOT_SUPPORTED;
}

int LIBUSB_CALL libusb_free_streams(libusb_device_handle *handle, unsigned char *endpoints,
                                    int endpoint_count)
{
    (void)handle, (void)endpoints, (void)endpoint_count;
    return LIBUSB_ERROR_NOT_SUPPORTED;
}

unsigned char *LIBUSB_CALL libusb_dev_mem_alloc(libusb_device_handle *handle, size_t length)
{
    (void)handle, (void)length;
    return NULL;
}

int LIBUSB_CALL libusb_dev_mem_free(libusb_device_handle *handle, unsigned char *buffer, size_t length)
{
    (void)handle, (void)buffer, (void)length;
    return LIBUSB_ERROR_NOT_SUPPORTED;
}

int LIBUSB_CALL libusb_get_ss_endpoint_companion_descriptor(
    libusb_context *context, const struct libusb_endpoint_descriptor *endpoint,
    struct libusb_ss_endpoint_companion_descriptor **companion)
{
    (void)context, (void)endpoint, (void)companion;
    return LIBUSB_ERROR_NOT_FOUND;
}

int LIBUSB_CALL libusb_get_bos_descriptor(libusb_device_handle *handle, struct libusb_bos_descriptor **bos)
{
    (void)handle, (void)bos;
    return LIBUSB_ERROR_PIPE; // USB 2.0 devices stall the request
}

int LIBUSB_CALL libusb_get_usb_2_0_extension_descriptor(
    libusb_context *context, struct libusb_bos_dev_capability_descriptor *capability,
    struct libusb_usb_2_0_extension_descriptor **extension)
{
    (void)context, (void)capability, (void)extension;
    return LIBUSB_ERROR_NOT_FOUND;
}

int LIBUSB_CALL libusb_get_ss_usb_device_capability_descriptor(
    libusb_context *context, struct libusb_bos_dev_capability_descriptor *capability,
    struct libusb_ss_usb_device_capability_descriptor **descriptor)
{
    (void)context, (void)capability, (void)descriptor;
    return LIBUSB_ERROR_NOT_FOUND;
}

int LIBUSB_CALL libusb_get_container_id_descriptor(libusb_context *context,
                                                   struct libusb_bos_dev_capability_descriptor *capability,
                                                   struct libusb_container_id_descriptor **container)
{
    (void)context, (void)capability, (void)container;
    return LIBUSB_ERROR_NOT_FOUND;
}

// None is ever handed out, so only NULL comes back.
void LIBUSB_CALL
libusb_free_ss_endpoint_companion_descriptor(struct libusb_ss_endpoint_companion_descriptor *companion)
{
    (void)companion;
}

void LIBUSB_CALL libusb_free_bos_descriptor(struct libusb_bos_descriptor *bos)
{
    (void)bos;
}

void LIBUSB_CALL
libusb_free_usb_2_0_extension_descriptor(struct libusb_usb_2_0_extension_descriptor *extension)
{
    (void)extension;
}

void LIBUSB_CALL
libusb_free_ss_usb_device_capability_descriptor(struct libusb_ss_usb_device_capability_descriptor *descriptor)
{
    (void)descriptor;
}

void LIBUSB_CALL libusb_free_container_id_descriptor(struct libusb_container_id_descriptor *container)
{
    (void)container;
}
