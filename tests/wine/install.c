// SPDX-License-Identifier: MIT
#include "tests/wine/install.h"

#define WIN32_LEAN_AND_MEAN
#include <windows.h>

#include <newdev.h>
#include <setupapi.h>
#include <stdio.h>
#include <string.h>

static bool report(const char *what, const char *name, BOOL succeeded)
{
    DWORD error = GetLastError();
    if (!succeeded) {
        (void)fprintf(stderr, "%s %s: error 0x%08lX\n", what, name, error);
    }
    return succeeded != FALSE;
}

static bool full_path(const char *inf, char path[MAX_PATH])
{
    DWORD length = GetFullPathNameA(inf, MAX_PATH, path, NULL);
    return report("path of", inf, length != 0 && length < MAX_PATH);
}

bool install_section(const char *inf)
{
    char path[MAX_PATH];
    if (!full_path(inf, path)) {
        return false;
    }
    HINF handle = SetupOpenInfFileA(path, NULL, INF_STYLE_WIN4, NULL);
    if (!report("SetupOpenInfFile", inf, handle != INVALID_HANDLE_VALUE)) {
        return false;
    }
    void *context = SetupInitDefaultQueueCallback(NULL);
    BOOL installed =
        context != NULL && SetupInstallFromInfSectionA(NULL, handle, "DefaultInstall", SPINST_ALL, NULL, NULL,
                                                       0, SetupDefaultQueueCallbackA, context, NULL, NULL);
    bool succeeded = report("SetupInstallFromInfSection", inf, installed);
    if (context != NULL) {
        SetupTermDefaultQueueCallback(context);
    }
    SetupCloseInfFile(handle);
    return succeeded;
}

bool install_driver(const char *inf)
{
    char path[MAX_PATH];
    return full_path(inf, path) &&
           report("SetupCopyOEMInf", inf, SetupCopyOEMInfA(path, NULL, SPOST_PATH, 0, NULL, 0, NULL, NULL));
}

// ---- the root device ----

static bool register_device(HDEVINFO set, SP_DEVINFO_DATA *device, const char *hardware_id)
{
    char ids[MAX_PATH] = {0}; // ends with two terminators
    size_t length = strlen(hardware_id);
    if (length > sizeof ids - 2) {
        return false;
    }
    memcpy(ids, hardware_id, length);
    return report("hardware id", hardware_id,
                  SetupDiSetDeviceRegistryPropertyA(set, device, SPDRP_HARDWAREID, (const BYTE *)ids,
                                                    (DWORD)length + 2)) &&
           report("DIF_REGISTERDEVICE", hardware_id,
                  SetupDiCallClassInstaller(DIF_REGISTERDEVICE, set, device));
}

bool install_root_device(const char *hardware_id, const char *inf)
{
    GUID class_guid;
    char class_name[32], path[MAX_PATH], instance[MAX_PATH];
    SP_DEVINFO_DATA device = {.cbSize = sizeof device};
    BOOL reboot = FALSE;
    (void)snprintf(instance, sizeof instance, "%s\\0000", hardware_id);
    if (!full_path(inf, path) ||
        !report("SetupDiGetINFClass", inf,
                SetupDiGetINFClassA(path, &class_guid, class_name, sizeof class_name, NULL))) {
        return false;
    }
    HDEVINFO set = SetupDiCreateDeviceInfoList(&class_guid, NULL);
    if (!report("SetupDiCreateDeviceInfoList", class_name, set != INVALID_HANDLE_VALUE)) {
        return false;
    }
    bool succeeded =
        report("SetupDiCreateDeviceInfo", instance,
               SetupDiCreateDeviceInfoA(set, instance, &class_guid, NULL, NULL, 0, &device)) &&
        register_device(set, &device, hardware_id) &&
        report("UpdateDriverForPlugAndPlayDevices", inf,
               UpdateDriverForPlugAndPlayDevicesA(NULL, hardware_id, path, INSTALLFLAG_FORCE, &reboot));
    SetupDiDestroyDeviceInfoList(set);
    return succeeded;
}

bool remove_root_device(const char *hardware_id)
{
    char instance[MAX_PATH];
    SP_DEVINFO_DATA device = {.cbSize = sizeof device};
    (void)snprintf(instance, sizeof instance, "%s\\0000", hardware_id);
    HDEVINFO set = SetupDiCreateDeviceInfoList(NULL, NULL);
    if (!report("SetupDiCreateDeviceInfoList", hardware_id, set != INVALID_HANDLE_VALUE)) {
        return false;
    }
    bool succeeded =
        report("SetupDiOpenDeviceInfo", instance, SetupDiOpenDeviceInfoA(set, instance, NULL, 0, &device)) &&
        report("DIF_REMOVE", instance, SetupDiCallClassInstaller(DIF_REMOVE, set, &device));
    SetupDiDestroyDeviceInfoList(set);
    return succeeded;
}
