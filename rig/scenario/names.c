// SPDX-License-Identifier: MIT
// The words of scenarios that stand for numbers.
#include "rig/scenario/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct scn_name scn_states[] = {
    {"unknown", RIG_STATE_UNKNOWN},   {"absent", RIG_STATE_ABSENT},
    {"present", RIG_STATE_PRESENT},   {"swallowed", RIG_STATE_SWALLOWED},
    {"powered", RIG_STATE_POWERED},   {"negotiable", RIG_STATE_NEGOTIABLE},
    {"specific", RIG_STATE_SPECIFIC}, {NULL, 0},
};

const struct scn_name scn_protocols[] = {
    {"t0", RIG_PROTOCOL_T0},
    {"t1", RIG_PROTOCOL_T1},
    {"any", RIG_PROTOCOL_T0 | RIG_PROTOCOL_T1},
    {"raw", RIG_PROTOCOL_RAW},
    {"default", RIG_PROTOCOL_DEFAULT | RIG_PROTOCOL_T0 | RIG_PROTOCOL_T1},
    {NULL, 0},
};

const struct scn_name scn_powers[] = {
    {"cold", RIG_COLD_RESET}, {"warm", RIG_WARM_RESET}, {"down", RIG_POWER_DOWN}, {NULL, 0}};

const struct scn_name scn_presences[] = {
    {"present", RIG_IOCTL_IS_PRESENT}, {"absent", RIG_IOCTL_IS_ABSENT}, {NULL, 0}};

const struct scn_name scn_pnp_actions[] = {
    {"stop", SCN_PNP_STOP},
    {"start", SCN_PNP_START},
    {"remove", SCN_PNP_REMOVE},
    {"surprise", SCN_PNP_SURPRISE},
    {NULL, 0},
};

const struct scn_name scn_system_powers[] = {
    {"S1", NT_POWER_S1}, {"S2", NT_POWER_S2}, {"S3", NT_POWER_S3}, {"S4", NT_POWER_S4}, {NULL, 0}};

const struct scn_name scn_controls[] = {
    {"POWER", RIG_IOCTL_POWER},
    {"GET_ATTRIBUTE", RIG_IOCTL_GET_ATTRIBUTE},
    {"SET_ATTRIBUTE", RIG_IOCTL_SET_ATTRIBUTE},
    {"CONFISCATE", RIG_SCARD_CTL(4)},
    {"TRANSMIT", RIG_IOCTL_TRANSMIT},
    {"EJECT", RIG_SCARD_CTL(6)},
    {"SWALLOW", RIG_SCARD_CTL(7)},
    {"IS_PRESENT", RIG_IOCTL_IS_PRESENT},
    {"IS_ABSENT", RIG_IOCTL_IS_ABSENT},
    {"SET_PROTOCOL", RIG_IOCTL_SET_PROTOCOL},
    {"GET_STATE", RIG_IOCTL_GET_STATE},
    {"GET_LAST_ERROR", RIG_SCARD_CTL(15)},
    {"GET_PERF_CNTR", RIG_SCARD_CTL(16)},
    {"FEATURES", RIG_IOCTL_FEATURES},
    {"ESCAPE", RIG_IOCTL_ESCAPE},
    {NULL, 0},
};

// SCARD_ATTR_VALUE(class, tag)
#define ATTRIBUTE(class, tag) ((uint32_t)(class) << 16 | (tag))

const struct scn_name scn_attributes[] = {
    {"VENDOR_NAME", ATTRIBUTE(1, 0x0100)},
    {"VENDOR_IFD_TYPE", ATTRIBUTE(1, 0x0101)},
    {"VENDOR_IFD_VERSION", ATTRIBUTE(1, 0x0102)},
    {"VENDOR_IFD_SERIAL_NO", ATTRIBUTE(1, 0x0103)},
    {"CHANNEL_ID", ATTRIBUTE(2, 0x0110)},
    {"PROTOCOL_TYPES", ATTRIBUTE(3, 0x0120)},
    {"DEFAULT_CLK", ATTRIBUTE(3, 0x0121)},
    {"MAX_CLK", ATTRIBUTE(3, 0x0122)},
    {"DEFAULT_DATA_RATE", ATTRIBUTE(3, 0x0123)},
    {"MAX_DATA_RATE", ATTRIBUTE(3, 0x0124)},
    {"MAX_IFSD", ATTRIBUTE(3, 0x0125)},
    {"POWER_MGMT_SUPPORT", ATTRIBUTE(4, 0x0131)},
    {"CHARACTERISTICS", ATTRIBUTE(6, 0x0150)},
    {"CURRENT_PROTOCOL_TYPE", ATTRIBUTE(8, 0x0201)},
    {"CURRENT_CLK", ATTRIBUTE(8, 0x0202)},
    {"CURRENT_F", ATTRIBUTE(8, 0x0203)},
    {"CURRENT_D", ATTRIBUTE(8, 0x0204)},
    {"CURRENT_N", ATTRIBUTE(8, 0x0205)},
    {"CURRENT_W", ATTRIBUTE(8, 0x0206)},
    {"CURRENT_IFSC", ATTRIBUTE(8, 0x0207)},
    {"CURRENT_IFSD", ATTRIBUTE(8, 0x0208)},
    {"CURRENT_BWT", ATTRIBUTE(8, 0x0209)},
    {"CURRENT_CWT", ATTRIBUTE(8, 0x020A)},
    {"CURRENT_EBC_ENCODING", ATTRIBUTE(8, 0x020B)},
    {"EXTENDED_BWT", ATTRIBUTE(8, 0x020C)},
    {"ICC_PRESENCE", ATTRIBUTE(9, 0x0300)},
    {"ICC_INTERFACE_STATUS", ATTRIBUTE(9, 0x0301)},
    {"CURRENT_IO_STATE", ATTRIBUTE(9, 0x0302)},
    {"ATR_STRING", ATTRIBUTE(9, 0x0303)},
    {"ICC_TYPE_PER_ATR", ATTRIBUTE(9, 0x0304)},
    {"DEVICE_UNIT", ATTRIBUTE(0x7FFF, 0x0001)},
    {"DEVICE_IN_USE", ATTRIBUTE(0x7FFF, 0x0002)},
    {"SUPRESS_T1_IFS_REQUEST", ATTRIBUTE(0x7FFF, 0x0007)}, // spelled as the contract spells it
    {NULL, 0},
};

const struct scn_name *scn_name_find(const struct scn_name *names, const char *name)
{
    for (; names->name != NULL; names++) {
        if (strcmp(names->name, name) == 0) {
            return names;
        }
    }
    return NULL;
}

void scn_name_list(const struct scn_name *names, char *text, size_t size)
{
    size_t at = 0;
    text[0] = '\0';
    for (; names->name != NULL && at < size; names++) {
        const char *joint = at == 0 ? "" : names[1].name != NULL ? ", " : " or ";
        at += (size_t)snprintf(text + at, size - at, "%s%s", joint, names->name);
    }
}

bool scn_number(const char *word, uint64_t most, uint64_t *number)
{
    char *end;
    bool hex = word[0] == '0' && word[1] == 'x';
    errno = 0;
    *number = strtoull(hex ? word + 2 : word, &end, hex ? 16 : 10);
    const char *first = hex ? word + 2 : word;
    return *first != '\0' && strchr("+- ", *first) == NULL && *end == '\0' && errno == 0 && *number <= most;
}
