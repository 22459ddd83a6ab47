// SPDX-License-Identifier: MIT
#include "tools/package.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "rig/models.h"
#include "rig/rig.h"

enum { PATH_ROOM = 4096 };

static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

static struct inf *read_inf(const struct command *command, const char *path)
{
    char error[256];
    size_t length = 0;
    int reason = 0;
    char *text = read_file(path, &length, &reason);
    if (text == NULL) {
        (void)complain(command, EXIT_FAILED, "%s: %s", path, strerror(reason));
        return NULL;
    }
    struct inf *inf = inf_parse(text, length, error, sizeof error);
    free(text);
    if (inf == NULL) {
        (void)complain(command, EXIT_FAILED, "%s: %s", path, error);
    }
    return inf;
}

// Beside the INF or beside the image.
static bool is_there(const char *inf, const char *image, const char *file)
{
    const char *const besides[] = {inf, image};
    struct stat status;
    for (size_t i = 0; i < 2; i++) {
        char path[PATH_ROOM];
        int folder = (int)(file_name(besides[i]) - besides[i]);
        int length = snprintf(path, sizeof path, "%.*s%s", folder, besides[i], file);
        if (length < PATH_ROOM && stat(path, &status) == 0) {
            return true;
        }
    }
    return false;
}

static int check_files(const struct command *command, const char *inf, const struct package *package)
{
    const struct inf_driver *driver = &package->driver;
    if (strcasecmp(driver->image, file_name(package->image)) != 0) {
        return complain(command, EXIT_FAILED, "%s: its driver is %s, not %s", inf, driver->image,
                        file_name(package->image));
    }
    for (size_t i = 0; i < driver->file_count; i++) {
        if (!is_there(inf, package->image, driver->files[i])) {
            return complain(command, EXIT_FAILED, "%s: it names %s, which is not there", inf,
                            driver->files[i]);
        }
    }
    if (driver->left_out != 0) {
        (void)complain(command, EXIT_DONE, "%s: %zu registry values are of kinds that are not set here", inf,
                       driver->left_out);
    }
    return EXIT_DONE;
}

static int take_inf(const struct command *command, const char *path, const char *hardware_id,
                    struct package *package)
{
    char error[512];
    struct inf *inf = read_inf(command, path);
    if (inf == NULL) {
        return EXIT_FAILED;
    }
    int found = inf_find_driver(inf, hardware_id, &package->driver, error, sizeof error);
    inf_free(inf);
    return found == 0 ? check_files(command, path, package)
                      : complain(command, EXIT_FAILED, "%s: %s", path, error);
}

// Without an INF the service is called as the file.
static void name_service(struct package *package)
{
    const char *file = file_name(package->image);
    (void)snprintf(package->driver.service, sizeof package->driver.service, "%.*s", (int)strcspn(file, "."),
                   file);
}

int package_read(const struct command *command, const char *image, const char *inf, const char *hardware_id,
                 struct package *package)
{
    struct stat status;
    package->image = image;
    if (stat(image, &status) != 0 || S_ISDIR(status.st_mode)) {
        return complain(command, EXIT_FAILED, "%s: %s", image,
                        S_ISDIR(status.st_mode) ? strerror(EISDIR) : strerror(errno));
    }
    name_service(package);
    int result = inf != NULL ? take_inf(command, inf, hardware_id, package) : EXIT_DONE;
    int error = result == EXIT_DONE ? rig_choose_driver(image) : 0;
    return error == 0 ? result : complain(command, EXIT_FAILED, "%s: %s", image, strerror(-error));
}

// ---- the reader ----

struct wanted {
    unsigned vendor, product;
    struct emu_model *model;
    bool found;
};

static void match_model(void *context, const struct emu_model *model)
{
    struct wanted *wanted = context;
    if (!wanted->found && model->vendor_id == wanted->vendor && model->product_id == wanted->product) {
        *wanted->model = *model;
        wanted->found = true;
    }
}

int package_model(const struct command *command, const char *hardware_id, const char *models,
                  struct emu_model *model)
{
    char error[512];
    struct wanted wanted = {.model = model};
    *model = *rig_default_model();
    if (strncasecmp(hardware_id, "USB\\VID_", 8) != 0 ||
        sscanf(hardware_id + 8, "%4x&%*[Pp]%*[Ii]%*[Dd]_%4x", &wanted.vendor, &wanted.product) != 2) {
        return EXIT_DONE;
    }
    if (rig_models(models, match_model, &wanted, error, sizeof error) != 0) {
        return complain(command, EXIT_FAILED, "%s", error);
    }
    if (!wanted.found) {
        model->vendor_id = (uint16_t)wanted.vendor;
        model->product_id = (uint16_t)wanted.product;
    }
    return EXIT_DONE;
}
