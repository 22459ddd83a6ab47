// SPDX-License-Identifier: MIT
#include "rig/models.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "rig/beside.h"

static FILE *open_table(char path[PATH_MAX])
{
    bool beside = rig_beside("readers.tsv", path) || rig_beside("../share/lectern/readers.tsv", path);
    FILE *table = beside ? fopen(path, "re") : NULL;
    static const char *const fixed[] = {LECTERN_MODELS_INSTALLED, LECTERN_MODELS_SOURCE};
    for (size_t i = 0; table == NULL && i < sizeof fixed / sizeof fixed[0]; i++) {
        (void)snprintf(path, PATH_MAX, "%s", fixed[i]);
        table = fopen(path, "re");
    }
    return table;
}

typedef bool line_visitor(void *context, const struct emu_model *model); // true: go on

static int read_lines(FILE *table, const char *path, line_visitor *visitor, void *context, char *error,
                      size_t error_size)
{
    char *line = NULL;
    size_t size = 0;
    struct emu_model model;
    int result = 0;
    bool more = true;
    for (unsigned number = 1; more && getline(&line, &size, table) > 0; number++) {
        if (number == 1) {
            continue; // the column names
        }
        size_t text = strcspn(line, "\r\n");
        const char *wrong = text == 0 ? NULL : emu_model_parse(line, text, &model);
        if (wrong != NULL) {
            (void)snprintf(error, error_size, "%s:%u: %s", path, number, wrong);
            result = -EINVAL;
            break;
        }
        more = text == 0 || visitor(context, &model);
    }
    free(line);
    return result;
}

static int read_table(const char *path, line_visitor *visitor, void *context, char *error, size_t error_size)
{
    char found[PATH_MAX];
    FILE *table = path != NULL ? fopen(path, "re") : open_table(found);
    if (table == NULL) {
        int reason = errno;
        (void)snprintf(error, error_size, "%s: %s", path != NULL ? path : "readers.tsv", strerror(reason));
        return reason == ENOENT ? -ENODATA : -reason;
    }
    const char *name = path != NULL ? path : found;
    int result = read_lines(table, name, visitor, context, error, error_size);
    if (result == 0 && ferror(table)) {
        (void)snprintf(error, error_size, "%s: cannot be read", name);
        result = -EIO;
    }
    (void)fclose(table);
    return result;
}

struct search {
    const char *name;
    struct emu_model *model;
    bool found;
};

static bool match(void *context, const struct emu_model *model)
{
    struct search *search = context;
    if (strcmp(search->name, model->name) == 0) {
        *search->model = *model;
        search->found = true;
    }
    return !search->found;
}

int rig_model_find(const char *path, const char *name, struct emu_model *model, char *error,
                   size_t error_size)
{
    if (strcmp(name, RIG_DEFAULT_MODEL) == 0) {
        *model = *rig_default_model();
        return 0;
    }
    struct search search = {.name = name, .model = model};
    int result = read_table(path, match, &search, error, error_size);
    return result != 0 || search.found ? result : -ENOENT;
}

struct visit {
    rig_model_visitor *visitor;
    void *context;
    bool started;
};

// The default model comes first, but not before the table has turned out to be readable.
static void start(struct visit *visit)
{
    if (!visit->started) {
        visit->started = true;
        visit->visitor(visit->context, rig_default_model());
    }
}

static bool pass(void *context, const struct emu_model *model)
{
    struct visit *visit = context;
    start(visit);
    visit->visitor(visit->context, model);
    return true;
}

int rig_models(const char *path, rig_model_visitor *visitor, void *context, char *error, size_t error_size)
{
    struct visit visit = {visitor, context, false};
    int result = read_table(path, pass, &visit, error, error_size);
    if (result == 0) {
        start(&visit);
    }
    return result;
}
