// SPDX-License-Identifier: MIT
// The table behind MmGetSystemRoutineAddress and the image loader. Only addresses are taken, so no prototype
// is needed.
#include "nthost/exports.h"

#include <stddef.h>
#include <string.h>

// NOLINTBEGIN(bugprone-macro-parentheses): declarators
#define NT_EXPORT(name, irql)            extern const unsigned char name[];
#define NT_EXPORT_AS(name, symbol, irql) extern const unsigned char symbol[];
#define NT_EXPORT_DATA(name, symbol)     extern const unsigned char symbol[];
// NOLINTEND(bugprone-macro-parentheses)
#include "nthost/exports.inc"
#undef NT_EXPORT
#undef NT_EXPORT_AS
#undef NT_EXPORT_DATA

const struct nt_export nt_exports[] = {
#define NT_EXPORT(name, irql)            {#name, name, 0},
#define NT_EXPORT_AS(name, symbol, irql) {#name, symbol, 0},
#define NT_EXPORT_DATA(name, symbol)     {#name, symbol, 1},
#include "nthost/exports.inc"
};
const unsigned nt_export_count = sizeof nt_exports / sizeof nt_exports[0];

const void *nt_export_find(const char *name)
{
    for (unsigned i = 0; i < nt_export_count; i++) {
        if (strcmp(nt_exports[i].name, name) == 0) {
            return nt_exports[i].address;
        }
    }
    return NULL;
}
