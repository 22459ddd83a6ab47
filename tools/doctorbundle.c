// SPDX-License-Identifier: MIT
// The Info.plist files by which pcscd finds the handler of a reader.
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tools/doctor.h"

enum { IDS_MAX = 4096, LINE_BYTES = 256 };
#define FOLDER  "/usr/lib/pcsc/drivers"
#define OURS    "/usr/lib/lectern/ifd-lectern.bundle"
#define DROP_IN "/etc/systemd/system/pcscd.service.d/pcscd-lectern.conf"
#define ENABLE                                                                                               \
    "install -D -m 644 -t /etc/systemd/system/pcscd.service.d "                                              \
    "/usr/share/doc/lectern/examples/pcscd-lectern.conf"

struct ids {
    unsigned numbers[IDS_MAX];
    size_t count;
};

static bool value_of(const char *line, unsigned *value)
{
    const char *text = strstr(line, "<string>");
    char *end;
    *value = text != NULL ? (unsigned)strtoul(text + strlen("<string>"), &end, 16) : 0;
    return text != NULL && *end == '<';
}

// The two lists have the ids of a reader at the same place.
static bool lists(const struct doctor *doctor, const char *bundle, unsigned vendor, unsigned product)
{
    char path[PATH_MAX], line[LINE_BYTES];
    static struct ids vendors, products;
    struct ids *now = NULL;
    unsigned value;
    FILE *file = doctor_path(doctor, path, "%s/Contents/Info.plist", bundle) ? fopen(path, "re") : NULL;
    vendors.count = products.count = 0;
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (strstr(line, "<key>") != NULL) {
            now = strstr(line, "ifdVendorID") != NULL    ? &vendors
                  : strstr(line, "ifdProductID") != NULL ? &products
                                                         : NULL;
        } else if (now != NULL && now->count < IDS_MAX && value_of(line, &value)) {
            now->numbers[now->count++] = value;
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    for (size_t i = 0; i < vendors.count && i < products.count; i++) {
        if (vendors.numbers[i] == vendor && products.numbers[i] == product) {
            return true;
        }
    }
    return false;
}

bool doctor_enabled(const struct doctor *doctor)
{
    return doctor_has(doctor, "BindReadOnlyPaths=-/usr/lib/lectern:", DROP_IN);
}

static bool find_bundle(const struct doctor *doctor, unsigned vendor, unsigned product, char name[LINE_BYTES])
{
    char path[PATH_MAX], bundle[PATH_MAX];
    DIR *folder = doctor_path(doctor, path, FOLDER) ? opendir(path) : NULL;
    bool found = false;
    for (struct dirent *entry; folder != NULL && !found && (entry = readdir(folder)) != NULL;) {
        (void)snprintf(bundle, sizeof bundle, FOLDER "/%.250s", entry->d_name);
        found = strstr(entry->d_name, ".bundle") != NULL && lists(doctor, bundle, vendor, product);
        (void)snprintf(name, LINE_BYTES, "%.250s", entry->d_name);
    }
    if (folder != NULL) {
        (void)closedir(folder);
    }
    return found;
}

void doctor_bundles(struct doctor *doctor, const char *reader, unsigned vendor, unsigned product)
{
    char name[LINE_BYTES] = "";
    bool ours = lists(doctor, OURS, vendor, product);
    if (doctor_enabled(doctor)) {
        if (ours) {
            doctor_say(doctor, DOCTOR_OK, "handler", "", "%s: pcscd serves it by Lectern", reader);
        } else {
            doctor_say(doctor, DOCTOR_PROBLEM, "handler",
                       "give pcscd a reader.conf entry with its name, see lectern-devicename(5)",
                       "%s: Lectern is enabled, and its Info.plist does not have this reader", reader);
        }
    } else if (find_bundle(doctor, vendor, product, name)) {
        doctor_say(doctor, DOCTOR_NOTE, "handler", ours ? "to let Lectern serve it: " ENABLE : "",
                   "%s: pcscd serves it by %s, not by Lectern", reader, name);
    } else if (ours) {
        doctor_say(doctor, DOCTOR_PROBLEM, "handler",
                   ENABLE "; then systemctl daemon-reload and restart pcscd",
                   "%s: no handler of pcscd has it, and that of Lectern is not enabled", reader);
    } else {
        doctor_say(doctor, DOCTOR_PROBLEM, "handler", "install libccid, or lectern and enable its handler",
                   "%s: no handler of pcscd has it", reader);
    }
}
