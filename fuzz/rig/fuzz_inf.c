// SPDX-License-Identifier: MIT
// Any text as an INF file, and the driver of each id that it names.
#include <stdlib.h>
#include <string.h>

#include "rig/inf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void find_driver(const struct inf *inf, const char *id)
{
    static struct inf_driver driver;
    char error[64] = "";
    int result = inf_find_driver(inf, id, &driver, error, sizeof error);
    if (result != 0 && (error[0] == '\0' || driver.value_count > INF_VALUES_MAX)) {
        abort();
    }
    for (size_t i = 0; result == 0 && i < driver.value_count; i++) {
        const struct inf_value *value = &driver.values[i];
        bool ended = value->type != INF_STRING || value->data[value->length - 1] == 0;
        if (value->length > sizeof value->data || !ended) {
            abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char error[128] = "";
    struct inf *inf = inf_parse((const char *)data, size, error, sizeof error);
    if (inf == NULL) {
        if (error[0] == '\0' || strchr(error, '\n') != NULL) {
            abort();
        }
        return 0;
    }
    find_driver(inf, "USB\\Class_0B&SubClass_00&Prot_00");
    find_driver(inf, "USB\\VID_1&PID_2");
    inf_free(inf);
    return 0;
}
