// SPDX-License-Identifier: MIT
// Readers as sysfs shows them: kernel drivers, device nodes and their holders.
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rig/models.h"
#include "tools/doctor.h"

enum { CLASS_READER = 0x0B, CLASS_VENDOR = 0xFF, NAME_BYTES = 96, CURE_BYTES = 256 };

struct reader {
    char interface[NAME_BYTES], name[NAME_BYTES]; // "1-2:1.0", as in sysfs; for people
    unsigned vendor, product, bus, address;
    bool known;
};

static unsigned number(const struct doctor *doctor, const char *device, const char *attribute, int base)
{
    char line[32];
    return doctor_line(doctor, line, sizeof line, "/sys/bus/usb/devices/%s/%s", device, attribute)
               ? (unsigned)strtoul(line, NULL, base)
               : UINT_MAX;
}

static void match_model(void *context, const struct emu_model *model)
{
    struct reader *reader = context;
    reader->known =
        reader->known || (model->vendor_id == reader->vendor && model->product_id == reader->product);
}

// Of the reader class, or a known reader that is older than the class.
static bool find_reader(const struct doctor *doctor, const char *interface, struct reader *reader)
{
    char device[NAME_BYTES], product[48] = "", error[256];
    unsigned class = number(doctor, interface, "bInterfaceClass", 16);
    if (class != CLASS_READER && class != CLASS_VENDOR) {
        return false;
    }
    (void)snprintf(device, sizeof device, "%.*s", (int)strcspn(interface, ":"), interface);
    *reader = (struct reader){.vendor = number(doctor, device, "idVendor", 16),
                              .product = number(doctor, device, "idProduct", 16),
                              .bus = number(doctor, device, "busnum", 10),
                              .address = number(doctor, device, "devnum", 10)};
    (void)rig_models(NULL, match_model, reader, error, sizeof error);
    (void)doctor_line(doctor, product, sizeof product, "/sys/bus/usb/devices/%s/product", device);
    (void)snprintf(reader->interface, sizeof reader->interface, "%s", interface);
    (void)snprintf(reader->name, sizeof reader->name, "%04x:%04x%s%s", reader->vendor, reader->product,
                   product[0] != '\0' ? " " : "", product);
    return reader->vendor <= UINT16_MAX && reader->product <= UINT16_MAX &&
           (class == CLASS_READER || reader->known);
}

static void check_binding(struct doctor *doctor, const struct reader *reader)
{
    char path[PATH_MAX], target[PATH_MAX], cure[CURE_BYTES];
    if (!doctor_path(doctor, path, "/sys/bus/usb/devices/%s/driver", reader->interface)) {
        return;
    }
    ssize_t length = readlink(path, target, sizeof target - 1);
    if (length <= 0) {
        doctor_say(doctor, DOCTOR_OK, "driver", "", "%s: no kernel driver is in the way", reader->name);
        return;
    }
    target[length] = '\0';
    const char *slash = strrchr(target, '/'), *driver = slash != NULL ? slash + 1 : target;
    if (strcmp(driver, "usbfs") == 0) { // a program's claim
        doctor_say(doctor, DOCTOR_OK, "driver", "", "%s: a program uses it", reader->name);
        return;
    }
    (void)snprintf(cure, sizeof cure, "echo %s > /sys/bus/usb/drivers/%.64s/unbind", reader->interface,
                   driver);
    doctor_say(doctor, DOCTOR_PROBLEM, "driver", cure, "%s: the kernel's driver %.64s is bound to it",
               reader->name, driver);
}

static bool may_open(const char *path)
{
    return access(path, R_OK | W_OK) == 0;
}

static void check_node(struct doctor *doctor, const struct reader *reader)
{
    static const char *const rules[] = {"/etc/udev/rules.d/70-lectern.rules",
                                        "/lib/udev/rules.d/70-lectern.rules",
                                        "/usr/lib/udev/rules.d/70-lectern.rules"};
    char path[PATH_MAX];
    bool rule = false;
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        rule = rule || doctor_exists(doctor, rules[i]);
    }
    if (!doctor_path(doctor, path, "/dev/bus/usb/%03u/%03u", reader->bus, reader->address)) {
        return;
    }
    if (access(path, F_OK) != 0) {
        doctor_say(doctor, DOCTOR_PROBLEM, "node", "start udev; a container must be given /dev/bus/usb",
                   "%s: %s is not there", reader->name, path);
    } else if (may_open(path)) {
        doctor_say(doctor, DOCTOR_OK, "node", "", "%s: %s may be opened", reader->name, path);
    } else if (rule) {
        doctor_say(doctor, DOCTOR_NOTE, "node",
                   "log in at the machine itself, or plug the reader in again; pcscd as root needs no right",
                   "%s: you may not open %s, although the udev rule is there", reader->name, path);
    } else {
        doctor_say(doctor, DOCTOR_PROBLEM, "node",
                   "install 70-lectern.rules into /etc/udev/rules.d and plug the reader in again",
                   "%s: you may not open %s, and the udev rule is missing", reader->name, path);
    }
}

static bool holds(const struct doctor *doctor, const char *process, const char *node)
{
    char path[PATH_MAX], target[PATH_MAX];
    DIR *files = doctor_path(doctor, path, "/proc/%s/fd", process) ? opendir(path) : NULL;
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

// Processes of other users are seen by root only.
static void check_holder(struct doctor *doctor, const struct reader *reader)
{
    char path[PATH_MAX], node[48], name[32], cure[CURE_BYTES];
    (void)snprintf(node, sizeof node, "/dev/bus/usb/%03u/%03u", reader->bus, reader->address);
    DIR *processes = doctor_path(doctor, path, "/proc") ? opendir(path) : NULL;
    for (struct dirent *entry; processes != NULL && (entry = readdir(processes)) != NULL;) {
        if (strtol(entry->d_name, NULL, 10) <= 0 || !holds(doctor, entry->d_name, node)) {
            continue;
        }
        (void)doctor_line(doctor, name, sizeof name, "/proc/%s/comm", entry->d_name);
        if (strcmp(name, "pcscd") == 0) {
            doctor_say(doctor, DOCTOR_OK, "holder", "", "%s: pcscd serves it", reader->name);
        } else {
            (void)snprintf(cure, sizeof cure, "end process %.20s, or let it use the reader through pcscd",
                           entry->d_name);
            doctor_say(doctor, DOCTOR_PROBLEM, "holder", cure, "%s: process %.20s (%s) holds it",
                       reader->name, entry->d_name, name);
        }
    }
    if (processes != NULL) {
        (void)closedir(processes);
    }
}

unsigned doctor_usb(struct doctor *doctor)
{
    char path[PATH_MAX];
    struct reader reader;
    unsigned count = 0;
    DIR *devices = doctor_path(doctor, path, "/sys/bus/usb/devices") ? opendir(path) : NULL;
    for (struct dirent *entry; devices != NULL && (entry = readdir(devices)) != NULL;) {
        if (strchr(entry->d_name, ':') == NULL || strlen(entry->d_name) >= NAME_BYTES ||
            !find_reader(doctor, entry->d_name, &reader)) {
            continue;
        }
        count++;
        doctor_say(doctor, DOCTOR_OK, "usb", "", "%s is a %s reader", reader.name,
                   reader.known ? "known" : "CCID");
        check_binding(doctor, &reader);
        check_node(doctor, &reader);
        check_holder(doctor, &reader);
        doctor_bundles(doctor, reader.name, reader.vendor, reader.product);
    }
    if (devices != NULL) {
        (void)closedir(devices);
    }
    return count;
}
