// SPDX-License-Identifier: MIT
// The emulated libusb as its users see it.
#include <libusb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rig/control.h"

enum { OUT = 0x01, IN = 0x82, INTERRUPT = 0x83, SHORT_MS = 20, LONG_MS = 5000 };

static libusb_context *context;

static void ask(const char *request)
{
    cJSON *reply = rig_control_answer(request);
    if (!cJSON_IsTrue(cJSON_GetObjectItem(reply, "ok"))) {
        fail_msg("%s: %s", request, cJSON_GetStringValue(cJSON_GetObjectItem(reply, "error")));
    }
    cJSON_Delete(reply);
}

static int begin(void **state)
{
    (void)state;
    if (libusb_init(&context) != 0) {
        return -1;
    }
    ask("plug Lectern:t1");
    return 0;
}

static int end(void **state)
{
    (void)state;
    cJSON *reply = rig_control_answer("unplug any"); // some tests have done so
    cJSON_Delete(reply);
    libusb_exit(context);
    return 0;
}

static libusb_device *first_device(void)
{
    libusb_device **list;
    assert_int_equal(libusb_get_device_list(context, &list), 1);
    libusb_device *device = libusb_ref_device(list[0]);
    libusb_free_device_list(list, 1);
    return device;
}

static libusb_device_handle *open_first(void)
{
    libusb_device_handle *handle;
    libusb_device *device = first_device();
    assert_int_equal(libusb_open(device, &handle), 0);
    libusb_unref_device(device);
    assert_int_equal(libusb_claim_interface(handle, 0), 0);
    return handle;
}

static void descriptors(void **state)
{
    (void)state;
    struct libusb_device_descriptor device;
    struct libusb_config_descriptor *config;
    libusb_device *first = first_device();
    assert_int_equal(libusb_get_device_descriptor(first, &device), 0);
    assert_int_equal(device.idVendor, 0x1D50);
    assert_int_equal(libusb_get_active_config_descriptor(first, &config), 0);
    assert_int_equal(config->bNumInterfaces, 1);
    const struct libusb_interface_descriptor *setting = config->interface[0].altsetting;
    assert_int_equal(setting->bInterfaceClass, 0x0B);
    assert_int_equal(setting->extra_length, 54);
    assert_int_equal(setting->bNumEndpoints, 3);
    assert_int_equal(setting->endpoint[2].bEndpointAddress, INTERRUPT);
    libusb_free_config_descriptor(config);
    assert_int_equal(libusb_get_max_packet_size(first, IN), 64);
    libusb_unref_device(first);
}

static void strings(void **state)
{
    (void)state;
    unsigned char text[64];
    libusb_device_handle *handle = open_first();
    assert_int_equal(libusb_get_string_descriptor_ascii(handle, 1, text, sizeof text), 7);
    assert_string_equal((const char *)text, "Lectern");
    assert_int_equal(libusb_get_string_descriptor_ascii(handle, 9, text, sizeof text), LIBUSB_ERROR_PIPE);
    libusb_close(handle);
}

static void synchronous(void **state)
{
    (void)state;
    unsigned char command[10] = {0x65, 0, 0, 0, 0, 0, 7}, reply[64];
    int moved = 0;
    libusb_device_handle *handle = open_first();
    assert_int_equal(libusb_bulk_transfer(handle, OUT, command, sizeof command, &moved, LONG_MS), 0);
    assert_int_equal(moved, 10);
    assert_int_equal(libusb_bulk_transfer(handle, IN, reply, sizeof reply, &moved, LONG_MS), 0);
    assert_int_equal(moved, 10);
    assert_int_equal(reply[0], 0x81);
    assert_int_equal(reply[6], 7);
    assert_int_equal(libusb_bulk_transfer(handle, IN, reply, sizeof reply, &moved, SHORT_MS),
                     LIBUSB_ERROR_TIMEOUT);
    libusb_close(handle);
}

static int seen_status, seen_count;

static void LIBUSB_CALL seen(struct libusb_transfer *transfer)
{
    seen_status = (int)transfer->status;
    seen_count++;
    *(int *)transfer->user_data = 1;
}

// A transfer that waits for the reader's word, ended by what `request` asks, or cancelled for NULL.
static int ended_by(const char *request)
{
    unsigned char data[8];
    int done = 0;
    libusb_device_handle *handle = open_first();
    (void)libusb_interrupt_transfer(handle, INTERRUPT, data, sizeof data, NULL, SHORT_MS); // the first report
    struct libusb_transfer *transfer = libusb_alloc_transfer(0);
    libusb_fill_interrupt_transfer(transfer, handle, INTERRUPT, data, sizeof data, seen, &done, 0);
    assert_int_equal(libusb_submit_transfer(transfer), 0);
    assert_int_equal(libusb_submit_transfer(transfer), LIBUSB_ERROR_BUSY);
    if (request != NULL) {
        ask(request);
    } else {
        assert_int_equal(libusb_cancel_transfer(transfer), 0);
        assert_int_equal(libusb_cancel_transfer(transfer), LIBUSB_ERROR_NOT_FOUND);
    }
    assert_int_equal(libusb_handle_events_completed(context, &done), 0);
    assert_int_equal(done, 1);
    libusb_free_transfer(transfer);
    libusb_close(handle);
    return seen_status;
}

static void cancelled(void **state)
{
    (void)state;
    seen_count = 0;
    assert_int_equal(ended_by(NULL), LIBUSB_TRANSFER_CANCELLED);
    assert_int_equal(seen_count, 1);
}

static void card_moves(void **state)
{
    (void)state;
    assert_int_equal(ended_by("eject any 0"), LIBUSB_TRANSFER_COMPLETED);
}

static void unplugged(void **state)
{
    (void)state;
    assert_int_equal(ended_by("unplug any"), LIBUSB_TRANSFER_NO_DEVICE);
}

static int LIBUSB_CALL count_event(libusb_context *where, libusb_device *device, libusb_hotplug_event event,
                                   void *counts)
{
    (void)where, (void)device;
    ((int *)counts)[event == LIBUSB_HOTPLUG_EVENT_DEVICE_LEFT]++;
    return 0;
}

static void hotplug(void **state)
{
    (void)state;
    int counts[2] = {0, 0};
    struct timeval now = {0, 0};
    libusb_hotplug_callback_handle number;
    assert_int_equal(libusb_hotplug_register_callback(
                         context, LIBUSB_HOTPLUG_EVENT_DEVICE_ARRIVED | LIBUSB_HOTPLUG_EVENT_DEVICE_LEFT,
                         LIBUSB_HOTPLUG_ENUMERATE, LIBUSB_HOTPLUG_MATCH_ANY, LIBUSB_HOTPLUG_MATCH_ANY,
                         LIBUSB_HOTPLUG_MATCH_ANY, count_event, counts, &number),
                     0);
    assert_int_equal(counts[0], 1);
    ask("unplug any");
    ask("plug Lectern");
    assert_int_equal(libusb_handle_events_timeout(context, &now), 0);
    assert_int_equal(counts[0], 2);
    assert_int_equal(counts[1], 1);
    libusb_hotplug_deregister_callback(context, number);
    ask("unplug any");
    assert_int_equal(libusb_handle_events_timeout(context, &now), 0);
    assert_int_equal(counts[1], 1);
}

static void refusals(void **state)
{
    (void)state;
    libusb_device *device = first_device();
    libusb_device_handle *handle, *second;
    ask("deny any");
    assert_int_equal(libusb_open(device, &handle), LIBUSB_ERROR_ACCESS);
    ask("permit any");
    ask("kernel any");
    assert_int_equal(libusb_open(device, &handle), 0);
    assert_int_equal(libusb_kernel_driver_active(handle, 0), 1);
    assert_int_equal(libusb_claim_interface(handle, 0), LIBUSB_ERROR_BUSY);
    assert_int_equal(libusb_detach_kernel_driver(handle, 0), 0);
    assert_int_equal(libusb_claim_interface(handle, 0), 0);
    assert_int_equal(libusb_open(device, &second), 0);
    assert_int_equal(libusb_claim_interface(second, 0), LIBUSB_ERROR_BUSY);
    assert_int_equal(libusb_claim_interface(second, 5), LIBUSB_ERROR_NOT_FOUND);
    libusb_close(second);
    libusb_close(handle);
    ask("unplug any");
    assert_int_equal(libusb_open(device, &handle), LIBUSB_ERROR_NO_DEVICE);
    libusb_unref_device(device);
}

// Whatever a descriptor's byte says, the library hands out what it could make sense of, or an error.
static void damaged(void **state)
{
    (void)state;
    static const unsigned values[] = {0x00, 0x01, 0x7F, 0xFF};
    unsigned refused = 0;
    for (unsigned at = 0; at < 93; at++) {
        for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
            char request[64];
            struct libusb_config_descriptor *config;
            ask("unplug any");
            ask("plug Lectern");
            (void)snprintf(request, sizeof request, "describe any 2 %u %u", at, values[i]);
            ask(request);
            libusb_device *device = first_device();
            int result = libusb_get_config_descriptor(device, 0, &config);
            refused += result != 0;
            libusb_free_config_descriptor(result == 0 ? config : NULL);
            libusb_unref_device(device);
        }
    }
    assert_in_range(refused, 10, 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(descriptors, begin, end),
        cmocka_unit_test_setup_teardown(strings, begin, end),
        cmocka_unit_test_setup_teardown(synchronous, begin, end),
        cmocka_unit_test_setup_teardown(cancelled, begin, end),
        cmocka_unit_test_setup_teardown(card_moves, begin, end),
        cmocka_unit_test_setup_teardown(unplugged, begin, end),
        cmocka_unit_test_setup_teardown(hotplug, begin, end),
        cmocka_unit_test_setup_teardown(refusals, begin, end),
        cmocka_unit_test_setup_teardown(damaged, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
