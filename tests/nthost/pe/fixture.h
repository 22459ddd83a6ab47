// SPDX-License-Identifier: MIT
// Boots the kernel with the test driver from one of the image folders.
#pragma once
#include "nthost/user/nthost.h"
#include "tests/nthost/pe/badctl.h"

enum { PE_REPORT_SIZE = 0x10000 };

extern const char *const pe_compilers[]; // folders, NULL-terminated

// `report`: of a broken rule; NULL: to stderr.
void pe_boot(enum nt_clock clock, uint64_t seed, void (*report)(void *context, const char *text));
// "mingw", "bad.sys": 0 or negative errno and why.
int pe_add(const char *folder, const char *file, char report[PE_REPORT_SIZE]);
// The same, which works, and a device for it. `instance`: NT_ID_MAX bytes, NULL: not wanted.
void pe_start(const char *folder, char *instance);
// Opens the device, has the driver act, closes it. `answer`: sizeof(struct bad_place) bytes.
nt_status pe_act(enum bad_action action, void *answer);
unsigned pe_count(enum bad_action action); // one that answers a number
