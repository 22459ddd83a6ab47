// SPDX-License-Identifier: MIT
// Which driver runs: the one built into this program, or image files.
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "rig/beside.h"
#include "rig/inf.h"
#include "rig/internal.h"
#include "rig/status.h"
#include "vbus/vbusioctl.h"

enum { IMAGE_PATH = 4096, REFUSAL = 0x10000 };

static char reader_image[IMAGE_PATH], bus_image[IMAGE_PATH]; // empty: the native one
static char image_folder[IMAGE_PATH], host_program[PATH_MAX];
static bool isolated;
static const struct rig_package *package;
static char refusal[REFUSAL];

static size_t folder_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? (size_t)(slash - path) : 0;
}

static int set_path(char path[IMAGE_PATH], const char *folder, size_t length, const char *file)
{
    int needed = snprintf(path, IMAGE_PATH, "%.*s%s", (int)length, folder, file);
    return needed < IMAGE_PATH ? 0 : -ENAMETOOLONG;
}

static int choose_images(const char *given)
{
    struct stat status;
    char path[PATH_MAX]; // whole: a process of its own may be somewhere else
    if (realpath(given, path) == NULL || stat(path, &status) != 0) {
        return -errno;
    }
    bool folder = S_ISDIR(status.st_mode);
    int error = set_path(reader_image, path, strlen(path), folder ? "/" RIG_READER_SERVICE ".sys" : "");
    size_t length = folder_length(reader_image);
    return error != 0 ? error : set_path(bus_image, reader_image, length, "/" RIG_BUS_SERVICE ".sys");
}

int rig_choose_driver(const char *path)
{
    struct stat status;
    int error = path != NULL ? choose_images(path) : 0;
    if (path == NULL || error != 0) {
        reader_image[0] = '\0';
    }
    if (reader_image[0] == '\0' || stat(bus_image, &status) != 0) {
        bus_image[0] = '\0';
    }
    return error;
}

const char *rig_refusal(void)
{
    return refusal;
}

void rig_isolate(bool isolate)
{
    isolated = isolate;
}

static bool find_host(void)
{
    return rig_beside("lectern-host", host_program) || rig_beside("../bin/lectern-host", host_program) ||
           rig_beside("../../libexec/lectern/lectern-host", host_program) ||
           rig_beside("../libexec/lectern/lectern-host", host_program) ||
           rig_beside("../../../libexec/lectern/lectern-host", host_program); // from pcscd's folder
}

int rig_prepare_options(struct nt_options *options)
{
    refusal[0] = '\0';
    options->images = reader_image[0] != '\0';
    if (!options->images || !isolated) {
        return 0;
    }
    if (!find_host()) {
        (void)snprintf(refusal, sizeof refusal, "lectern-host is not installed beside this program\n");
        return -ENOENT;
    }
    (void)snprintf(image_folder, sizeof image_folder, "%.*s", (int)folder_length(reader_image), reader_image);
    options->host = host_program;
    options->folder = image_folder;
    return 0;
}

static int add_service(const struct nt_service *service, const char *image)
{
    return image[0] == '\0' ? nt_service_add(service)
                            : nt_service_add_image(service, image, refusal, sizeof refusal);
}

static int add_reader(void)
{
    // An INF names the readers that hide CCID in the vendor class one by one; on this bus there is nothing
    // else.
    static const char *const reader_ids[] = {"USB\\Class_0B", "USB\\Class_FF", NULL};
    const struct nt_service reader = {package != NULL ? package->service : RIG_READER_SERVICE,
                                      LecternDriverEntry,
                                      package != NULL ? package->hardware_ids : reader_ids};
    return add_service(&reader, reader_image);
}

int rig_add_services(void)
{
    static const char *const bus_ids[] = {VBUS_ROOT_ID, NULL};
    const struct nt_service virtual_bus = {RIG_BUS_SERVICE, LectvbusDriverEntry, bus_ids};
    int error = package == NULL ? add_reader() : 0; // a package's with the device that it is for
    return error != 0 ? error : add_service(&virtual_bus, bus_image);
}

void rig_choose_package(const struct rig_package *chosen)
{
    package = chosen;
}

static int set_value(const char *instance, const struct inf_value *value)
{
    char key[2 * NT_ID_MAX + INF_ID_MAX];
    uint32_t number;
    const char *slash = value->key[0] != '\0' ? "\\" : "";
    if (value->hardware) {
        (void)snprintf(key, sizeof key, "Enum\\%s\\Device Parameters%s%s", instance, slash, value->key);
    } else {
        (void)snprintf(key, sizeof key, "Services\\%s%s%s", package->service, slash, value->key);
    }
    switch (value->type) {
    case INF_DWORD:
        memcpy(&number, value->data, sizeof number);
        return nt_registry_set_dword(key, value->name, number);
    case INF_STRING:
        return nt_registry_set_string(key, value->name, (const char *)value->data);
    default:
        return nt_registry_set_binary(key, value->name, value->data, value->length);
    }
}

nt_status rig_install_package(const char *instance)
{
    int error = 0;
    for (size_t i = 0; package != NULL && error == 0 && i < package->value_count; i++) {
        error = set_value(instance, &package->values[i]);
    }
    if (package != NULL && error == 0) {
        error = add_reader();
        error = error == -EEXIST ? 0 : error; // for an earlier device
    }
    return error == 0 ? RIG_STATUS_SUCCESS : RIG_STATUS_UNSUCCESSFUL;
}
