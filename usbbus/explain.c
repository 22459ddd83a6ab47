// SPDX-License-Identifier: MIT
// Why a reader cannot be had: the process that holds it, the kernel's driver, or the missing right.
#include "usbbus/describe.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static bool holds(const char *process, const char *node)
{
    char path[64], target[PATH_MAX];
    (void)snprintf(path, sizeof path, "/proc/%.20s/fd", process);
    DIR *files = opendir(path);
    bool found = false;
    for (struct dirent *entry; files != NULL && !found && (entry = readdir(files)) != NULL;) {
        ssize_t length = readlinkat(dirfd(files), entry->d_name, target, sizeof target - 1);
        target[length > 0 ? length : 0] = '\0';
        found = strcmp(target, node) == 0;
    }
    if (files != NULL) {
        (void)closedir(files);
    }
    return found;
}

static void name_of(const char *process, char name[32])
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%.20s/comm", process);
    FILE *file = fopen(path, "re");
    if (file == NULL || fgets(name, 32, file) == NULL) {
        (void)snprintf(name, 32, "?");
    }
    name[strcspn(name, "\n")] = '\0';
    if (file != NULL) {
        (void)fclose(file);
    }
}

// Processes of other users cannot be seen without their rights.
static bool find_holder(const char *node, char why[USB_WHY_MAX])
{
    DIR *processes = opendir("/proc");
    bool found = false;
    for (struct dirent *entry; processes != NULL && !found && (entry = readdir(processes)) != NULL;) {
        long number = strtol(entry->d_name, NULL, 10);
        if (number <= 0 || number == (long)getpid() || !holds(entry->d_name, node)) {
            continue;
        }
        char name[32] = "?";
        name_of(entry->d_name, name);
        (void)snprintf(why, USB_WHY_MAX, "%s is in use by process %ld (%s)", node, number, name);
        found = true;
    }
    if (processes != NULL) {
        (void)closedir(processes);
    }
    return found;
}

static void explain_busy(const char *node, libusb_device_handle *handle, uint8_t interface,
                         char why[USB_WHY_MAX])
{
    if (handle != NULL && libusb_kernel_driver_active(handle, interface) == 1) {
        (void)snprintf(why, USB_WHY_MAX,
                       "%s: a kernel driver is bound to interface %u; unbind it below /sys/bus/usb/drivers",
                       node, interface);
    } else if (!find_holder(node, why)) {
        (void)snprintf(why, USB_WHY_MAX,
                       "%s is in use by another program (root can see which: fuser %s); is pcscd running?",
                       node, node);
    }
}

void usb_explain(libusb_device *device, libusb_device_handle *handle, uint8_t interface, int error,
                 char why[USB_WHY_MAX])
{
    char node[64];
    (void)snprintf(node, sizeof node, "/dev/bus/usb/%03u/%03u", libusb_get_bus_number(device),
                   libusb_get_device_address(device));
    if (error == LIBUSB_ERROR_ACCESS) {
        (void)snprintf(
            why, USB_WHY_MAX,
            "no permission to open %s: a udev rule must grant it (TAG+=\"uaccess\"), or run as root", node);
    } else if (error == LIBUSB_ERROR_BUSY) {
        explain_busy(node, handle, interface, why);
    } else {
        (void)snprintf(why, USB_WHY_MAX, "%s: %s", node, libusb_error_name(error));
    }
}
