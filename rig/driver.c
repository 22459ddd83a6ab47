// SPDX-License-Identifier: MIT
// Which driver runs: the one built into this program, or image files.
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "rig/internal.h"
#include "vbus/vbusioctl.h"

nt_entry_point LecternDriverEntry;
nt_entry_point LectvbusDriverEntry;

enum { IMAGE_PATH = 4096, REFUSAL = 0x10000 };

static char reader_image[IMAGE_PATH], bus_image[IMAGE_PATH]; // empty: the native one
static char refusal[REFUSAL];

static int set_path(char path[IMAGE_PATH], const char *folder, size_t length, const char *file)
{
    int needed = snprintf(path, IMAGE_PATH, "%.*s%s", (int)length, folder, file);
    return needed < IMAGE_PATH ? 0 : -ENAMETOOLONG;
}

static int choose_images(const char *path)
{
    struct stat status;
    const char *slash = strrchr(path, '/');
    size_t folder = slash != NULL ? (size_t)(slash + 1 - path) : 0;
    int error = stat(path, &status) == 0 ? 0 : -errno;
    if (error == 0 && S_ISDIR(status.st_mode)) {
        error = set_path(reader_image, path, strlen(path), "/" RIG_READER_SERVICE ".sys");
        return error != 0 ? error : set_path(bus_image, path, strlen(path), "/" RIG_BUS_SERVICE ".sys");
    }
    if (error == 0) {
        error = set_path(reader_image, path, strlen(path), "");
    }
    return error != 0 ? error : set_path(bus_image, path, folder, RIG_BUS_SERVICE ".sys");
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

bool rig_uses_images(void)
{
    return reader_image[0] != '\0';
}

static int add_service(const struct nt_service *service, const char *image)
{
    return image[0] == '\0' ? nt_service_add(service)
                            : nt_service_add_image(service, image, refusal, sizeof refusal);
}

int rig_add_services(void)
{
    // An INF names the readers that hide CCID in the vendor class one by one; on this bus there is nothing
    // else.
    static const char *const reader_ids[] = {"USB\\Class_0B", "USB\\Class_FF", NULL};
    static const char *const bus_ids[] = {VBUS_ROOT_ID, NULL};
    const struct nt_service reader = {RIG_READER_SERVICE, LecternDriverEntry, reader_ids};
    const struct nt_service virtual_bus = {RIG_BUS_SERVICE, LectvbusDriverEntry, bus_ids};
    refusal[0] = '\0';
    int error = add_service(&reader, reader_image);
    return error != 0 ? error : add_service(&virtual_bus, bus_image);
}
