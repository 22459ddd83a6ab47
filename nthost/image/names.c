// SPDX-License-Identifier: MIT
#include "nthost/image/names.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "nthost/loader/loader.h"
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
    char found[LOADER_LINE];
    const char *base = img_file_name(path);
    size_t length = base == path ? 0 : (size_t)(base - 1 - path);
    char *folder = base == path ? join(".", 1, "") : join(path, length, "");
    if (folder == NULL) {
        return NULL;
    }
    folder[strlen(folder) - 1] = '\0'; // its slash
    char *beside = loader_find_file(folder[0] != '\0' ? folder : "/", name, found)
                       ? join(folder, strlen(folder), found)
                       : NULL;
    os_free(folder);
    return beside;
}
