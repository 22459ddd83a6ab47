// SPDX-License-Identifier: MIT
#pragma once

struct nt_export {
    const char *name;
    const void *address;
    int is_data;
};
extern const struct nt_export nt_exports[];
extern const unsigned nt_export_count;
const void *nt_export_find(const char *name); // NULL: there is none
