// SPDX-License-Identifier: MIT
#define _GNU_SOURCE // dladdr
#include "rig/beside.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// The file this code was loaded from: a library does not live beside its process's program.
static bool own_path(char path[PATH_MAX])
{
    static const char here;
    Dl_info info;
    if (dladdr(&here, &info) != 0 && strchr(info.dli_fname, '/') != NULL) {
        return realpath(info.dli_fname, path) != NULL;
    }
    return realpath("/proc/self/exe", path) != NULL;
}

bool rig_beside(const char *relative, char path[PATH_MAX])
{
    char own[PATH_MAX];
    if (!own_path(own)) {
        return false;
    }
    *strrchr(own, '/') = '\0';
    int length = snprintf(path, PATH_MAX, "%s/%s", own, relative);
    return length > 0 && length < PATH_MAX && access(path, F_OK) == 0;
}
