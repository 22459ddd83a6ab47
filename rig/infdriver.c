// SPDX-License-Identifier: MIT
// From a hardware id to a service: Manufacturer, Models, DDInstall, .Services, .HW, AddReg.
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "rig/inf.h"

enum { SECTION_MAX = 256, ASSOCIATED = 2 };
static const char decoration[] = "NTamd64";

struct search {
    const struct inf *inf;
    struct inf_driver *driver;
    char *error;
    size_t error_size;
};

__attribute__((format(printf, 2, 3))) static int lacks(const struct search *search, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    // clang-tidy 14 does not see the va_start above. NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized)
    (void)vsnprintf(search->error, search->error_size, format, arguments);
    va_end(arguments);
    return -ENOENT;
}

static const char *value(const struct inf_line *line, size_t index)
{
    return line != NULL && index < line->count ? line->values[index] : "";
}

static const struct inf_line *find_key(const struct inf *inf, const char *section, const char *key,
                                       size_t *at)
{
    const struct inf_line *line;
    while ((line = inf_next(inf, section, at)) != NULL) {
        if (line->key != NULL && strcasecmp(line->key, key) == 0) {
            return line;
        }
    }
    return NULL;
}

// ---- the models ----

// An architecture's decoration, perhaps followed by versions of Windows: all of them will do.
static bool is_decoration(const char *text)
{
    size_t length = strlen(decoration);
    return strncasecmp(text, decoration, length) == 0 && (text[length] == '\0' || text[length] == '.');
}

// The install section of the line that has the id, in one models section.
static bool find_in_models(const struct search *search, const char *models, const char *id,
                           char install[SECTION_MAX])
{
    size_t at = 0;
    for (const struct inf_line *line; (line = inf_next(search->inf, models, &at)) != NULL;) {
        for (size_t i = 1; line->key != NULL && i < line->count; i++) {
            if (strcasecmp(line->values[i], id) == 0) {
                return snprintf(install, SECTION_MAX, "%s", line->values[0]) < SECTION_MAX;
            }
        }
    }
    return false;
}

// The last decoration that fits is that of the newest system.
static int find_install(const struct search *search, const char *id, char install[SECTION_MAX])
{
    bool decorated = false, found = false;
    size_t at = 0;
    for (const struct inf_line *line; (line = inf_next(search->inf, "Manufacturer", &at)) != NULL;) {
        for (size_t i = 1; i < line->count; i++) {
            char models[SECTION_MAX];
            if (is_decoration(line->values[i]) &&
                snprintf(models, sizeof models, "%s.%s", line->values[0], line->values[i]) < SECTION_MAX) {
                decorated = true;
                found = find_in_models(search, models, id, install) || found;
            }
        }
    }
    if (!decorated) {
        return lacks(search, "no models for x64: no decoration %s in [Manufacturer]", decoration);
    }
    return found ? 0 : lacks(search, "no hardware id %s in its models for x64", id);
}

// ---- sections of the install section ----

// "Install.NTamd64", "Install.NT" or "Install", whichever is there, with `part` behind it.
static bool find_part(const struct inf *inf, const char *install, const char *part, char section[SECTION_MAX])
{
    static const char *const suffixes[] = {".NTamd64", ".NT", ""};
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        int length = snprintf(section, SECTION_MAX, "%s%s%s", install, suffixes[i], part);
        if (length < SECTION_MAX && inf_has(inf, section)) {
            return true;
        }
    }
    return false;
}

static const struct inf_line *find_service(const struct inf *inf, const char *section)
{
    const struct inf_line *found = NULL;
    size_t at = 0;
    for (const struct inf_line *line; (line = find_key(inf, section, "AddService", &at)) != NULL;) {
        unsigned long flags = strtoul(value(line, 1), NULL, 0);
        if (found == NULL || (flags & ASSOCIATED) != 0) {
            found = line;
        }
    }
    return found;
}

// ---- values ----

enum {
    FLAG_BINARY = 1,
    FLAG_DELETE = 4,
    TYPE_MASK = 0xFFFF0001,
    TYPE_SZ = 0,
    TYPE_EXPAND = 0x20000,
    TYPE_DWORD = 0x10001
};

static bool take_bytes(const struct inf_line *line, struct inf_value *taken)
{
    for (size_t i = 4; i < line->count && taken->length < INF_DATA_MAX; i++) {
        char *end;
        unsigned long byte = strtoul(line->values[i], &end, 16);
        if (*end != '\0' || end == line->values[i] || byte > 0xFF) {
            return false;
        }
        taken->data[taken->length++] = (uint8_t)byte;
    }
    return true;
}

static bool take_dword(const struct inf_line *line, struct inf_value *taken)
{
    char *end;
    if (line->count > 5) {
        return take_bytes(line, taken) && taken->length == sizeof(uint32_t);
    }
    unsigned long number = strtoul(value(line, 4), &end, 0);
    uint32_t dword = (uint32_t)number;
    memcpy(taken->data, &dword, sizeof dword);
    taken->length = sizeof dword;
    return *end == '\0' && number <= UINT32_MAX;
}

static bool take_string(const struct inf_line *line, struct inf_value *taken)
{
    int length = snprintf((char *)taken->data, INF_DATA_MAX, "%s", value(line, 4));
    taken->length = (uint32_t)length + 1;
    return length < INF_DATA_MAX;
}

static bool take_data(const struct inf_line *line, unsigned long flags, struct inf_value *taken)
{
    switch (flags & TYPE_MASK) {
    case TYPE_SZ:
    case TYPE_EXPAND:
        taken->type = INF_STRING;
        return take_string(line, taken);
    case TYPE_DWORD:
        taken->type = INF_DWORD;
        return take_dword(line, taken);
    case FLAG_BINARY:
        taken->type = INF_BINARY;
        return take_bytes(line, taken);
    default:
        return false;
    }
}

// HKR, subkey, name, flags, data...
static void take_value(struct inf_driver *driver, const struct inf_line *line, bool hardware)
{
    unsigned long flags = strtoul(value(line, 3), NULL, 0);
    if (strcasecmp(value(line, 0), "HKR") != 0 || (flags & FLAG_DELETE) != 0) {
        return; // other roots are the system's
    }
    if (driver->value_count == INF_VALUES_MAX) {
        driver->left_out++;
        return;
    }
    struct inf_value *taken = &driver->values[driver->value_count];
    *taken = (struct inf_value){.hardware = hardware};
    if (snprintf(taken->key, sizeof taken->key, "%s", value(line, 1)) < INF_ID_MAX &&
        snprintf(taken->name, sizeof taken->name, "%s", value(line, 2)) < INF_NAME_MAX &&
        take_data(line, flags, taken)) {
        driver->value_count++;
    } else {
        driver->left_out++;
    }
}

// AddReg = section, section
static void take_values(const struct search *search, const char *section, bool hardware)
{
    size_t at = 0;
    for (const struct inf_line *line; (line = find_key(search->inf, section, "AddReg", &at)) != NULL;) {
        for (size_t i = 0; i < line->count; i++) {
            size_t row = 0;
            for (const struct inf_line *entry;
                 (entry = inf_next(search->inf, line->values[i], &row)) != NULL;) {
                take_value(search->driver, entry, hardware);
            }
        }
    }
}

// ---- files ----

static void take_file(struct inf_driver *driver, const char *name)
{
    if (driver->file_count < INF_FILES_MAX && name[0] != '\0' && strlen(name) < INF_NAME_MAX) {
        (void)snprintf(driver->files[driver->file_count++], INF_NAME_MAX, "%s", name);
    }
}

// CopyFiles = section, @file
static void take_files(const struct search *search, const char *section)
{
    size_t at = 0;
    for (const struct inf_line *line; (line = find_key(search->inf, section, "CopyFiles", &at)) != NULL;) {
        for (size_t i = 0; i < line->count; i++) {
            size_t row = 0;
            if (line->values[i][0] == '@') {
                take_file(search->driver, line->values[i] + 1);
            }
            for (const struct inf_line *entry;
                 (entry = inf_next(search->inf, line->values[i], &row)) != NULL;) {
                take_file(search->driver, value(entry, value(entry, 1)[0] != '\0' ? 1 : 0));
            }
        }
    }
}

// ---- the whole ----

static int take_service(const struct search *search, const char *install)
{
    struct inf_driver *driver = search->driver;
    char section[SECTION_MAX];
    size_t at = 0;
    const struct inf_line *service =
        find_part(search->inf, install, ".Services", section) ? find_service(search->inf, section) : NULL;
    if (service == NULL || service->count < 3 ||
        snprintf(driver->service, INF_NAME_MAX, "%s", service->values[0]) >= INF_NAME_MAX) {
        return lacks(search, "no AddService for [%s]", install);
    }
    const struct inf_line *binary = find_key(search->inf, service->values[2], "ServiceBinary", &at);
    const char *path = value(binary, 0), *slash = strrchr(path, '\\');
    if (snprintf(driver->image, INF_NAME_MAX, "%s", slash != NULL ? slash + 1 : path) >= INF_NAME_MAX ||
        driver->image[0] == '\0') {
        return lacks(search, "no ServiceBinary in [%s]", service->values[2]);
    }
    take_values(search, service->values[2], false);
    return 0;
}

int inf_find_driver(const struct inf *inf, const char *hardware_id, struct inf_driver *driver, char *error,
                    size_t error_size)
{
    const struct search search = {inf, driver, error, error_size};
    char install[SECTION_MAX], section[SECTION_MAX];
    memset(driver, 0, sizeof *driver);
    int result = find_install(&search, hardware_id, install);
    if (result == 0 && !find_part(inf, install, "", section)) {
        result = lacks(&search, "no section [%s]", install);
    }
    if (result == 0) {
        take_files(&search, section);
        result = take_service(&search, install);
    }
    if (result == 0 && find_part(inf, install, ".HW", section)) {
        take_values(&search, section, true);
    }
    return result;
}
