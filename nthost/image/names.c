// SPDX-License-Identifier: MIT
#include "nthost/image/names.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "nthost/os/os.h"

static const char usb_module[] = "usbd.sys";

bool img_same_name(const char *left, const char *right)
{
    return strcasecmp(left, right) == 0;
}

const char *img_file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

bool img_kernel_module(const char *module)
{
    return img_same_name(module, "ntoskrnl.exe") || img_same_name(module, "hal.dll") ||
           img_same_name(module, usb_module);
}

bool img_kernel_exports(const char *module, const char *routine)
{
    bool usb = strncmp(routine, "USBD_", strlen("USBD_")) == 0;
    return img_kernel_module(module) && usb == img_same_name(module, usb_module);
}

static char *join(const char *folder, size_t length, const char *name)
{
    size_t size = length + strlen(name) + 2;
    char *path = os_allocate(size, 1);
    if (path != NULL) {
        snprintf(path, size, "%.*s/%s", (int)length, folder, name);
    }
    return path;
}

char *img_beside(const char *path, const char *name)
{
    const char *base = img_file_name(path);
    const char *folder = base == path ? "." : path;
    size_t length = base == path ? 1 : (size_t)(base - path);
    char *where = join(folder, length, "");
    DIR *directory = where != NULL ? opendir(where) : NULL;
    char *found = NULL;
    os_free(where);
    // An image names what it imports from; with a file of the folder it names nothing elsewhere.
    for (struct dirent *entry; found == NULL && directory != NULL && (entry = readdir(directory)) != NULL;) {
        if (img_same_name(entry->d_name, name)) {
            found = join(folder, length, entry->d_name);
        }
    }
    if (directory != NULL) {
        closedir(directory);
    }
    return found;
}
