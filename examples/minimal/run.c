// SPDX-License-Identifier: MIT
// Runs the driver on Linux, in nthost: what Windows would do with it, and two requests of an application.
#include <stdio.h>
#include <string.h>

#include "nthost/user/nthost.h"

enum {
    IOCTL_POWER = 0x310004,
    IOCTL_MOVE_CARD = 0x312000, // of this driver's imitated hardware
    COLD_RESET = 1,
    ATR_MAX = 33
};

nt_entry_point MinimalDriverEntry; // its DriverEntry, renamed when it is compiled

// SmartCardReaderGuid in memory order
static const uint8_t interface_guid[16] = {0x30, 0x52, 0xDD, 0x50, 0x8A, 0xBA, 0xD1, 0x11,
                                           0xBF, 0x5D, 0x00, 0x00, 0xF8, 0x05, 0xF5, 0x30};

static void print(void *context, const char *text)
{
    (void)context;
    (void)fputs(text, stderr);
}

static void take_link(void *context, const char *link)
{
    (void)snprintf(context, NT_ID_MAX, "%s", link);
}

static int power_card(const char *link)
{
    const uint32_t present = 1, action = COLD_RESET;
    uint8_t atr[ATR_MAX];
    size_t length;
    nt_file *file;
    nt_status status = nt_open(link, &file);
    if (status != 0) {
        (void)fprintf(stderr, "open: status %08X\n", status);
        return 1;
    }
    (void)nt_device_control(file, IOCTL_MOVE_CARD, &present, sizeof present, NULL, 0, NULL);
    status = nt_device_control(file, IOCTL_POWER, &action, sizeof action, atr, sizeof atr, &length);
    (void)printf("status %08X, ATR", status);
    for (size_t i = 0; status == 0 && i < length; i++) {
        (void)printf(" %02X", atr[i]);
    }
    (void)printf("\n");
    nt_close(file);
    return status != 0;
}

int main(void)
{
    static const char *const ids[] = {"ROOT\\MINIMAL", NULL};
    const struct nt_service service = {"minimal", MinimalDriverEntry, ids};
    // Threads of the host, since a debugger shows those.
    const struct nt_options options = {
        .clock = NT_CLOCK_VIRTUAL, .threads = true, .verifier = true, .print = print};
    char instance[NT_ID_MAX], link[NT_ID_MAX] = "";
    if (nt_boot(&options) != 0 || nt_service_add(&service) != 0 ||
        nt_root_device_add(ids[0], instance) != 0) {
        (void)fputs("the kernel or the device did not start\n", stderr);
        return 1;
    }
    nt_pnp_wait();
    nt_interfaces(interface_guid, take_link, link);
    int result = power_card(link);
    nt_shutdown(); // ends the process when the driver left anything behind
    return result;
}
