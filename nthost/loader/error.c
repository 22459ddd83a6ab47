// SPDX-License-Identifier: MIT
#include "nthost/loader/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int error_set(struct loader_error *error, int code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    // clang-tidy 14 does not see the va_start above. NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized)
    vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    // Names come from the image: whatever they hold, the text stays one printable line.
    for (char *at = error->text; *at != '\0'; at++) {
        if ((unsigned char)*at < ' ' || (unsigned char)*at > '~') {
            *at = '?';
        }
    }
    return code;
}

void error_name(struct loader_error *error, const char *name)
{
    char line[LOADER_LINE];
    memcpy(line, error->text, sizeof line);
    (void)error_set(error, 0, "%.60s: %.190s", name, line);
}

int error_missing(struct loader_error *error, const char *module, const char *import)
{
    char **list = realloc(error->missing, (error->missing_count + 1) * sizeof *list);
    if (list == NULL) {
        return -ENOMEM;
    }
    error->missing = list;
    size_t length = strlen(module) + strlen(import) + 2;
    char *entry = malloc(length);
    if (entry == NULL) {
        return -ENOMEM;
    }
    snprintf(entry, length, "%s!%s", module, import);
    list[error->missing_count++] = entry;
    return 0;
}

void loader_error_clear(struct loader_error *error)
{
    for (size_t i = 0; i < error->missing_count; i++) {
        free(error->missing[i]);
    }
    free(error->missing);
    memset(error, 0, sizeof *error);
}
