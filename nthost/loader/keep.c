// SPDX-License-Identifier: MIT
// The files of one folder, opened before a process gives up the right to open any.
#include "nthost/loader/keep.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "nthost/loader/loader.h"

enum { KEPT_MAX = 512 };

static struct {
    char *folder; // NULL: none is kept
    size_t count;
    struct {
        char *name;
        int file;
        struct stat status;
    } files[KEPT_MAX];
} kept;

static bool is_image_name(const char *name)
{
    static const char *const extensions[] = {".sys", ".dll", ".exe", ".debug"};
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot != NULL && i < sizeof extensions / sizeof extensions[0]; i++) {
        if (strcasecmp(dot, extensions[i]) == 0) {
            return true;
        }
    }
    return false;
}

static int keep(DIR *directory, const char *name)
{
    if (kept.count == KEPT_MAX) {
        return -EMFILE;
    }
    int file = openat(dirfd(directory), name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) {
        return errno == EMFILE ? -EMFILE : 0; // one that cannot be read is as good as none
    }
    char *copy = strdup(name);
    if (copy == NULL || fstat(file, &kept.files[kept.count].status) != 0) {
        int error = -errno;
        free(copy);
        close(file);
        return error;
    }
    kept.files[kept.count].name = copy;
    kept.files[kept.count++].file = file;
    return 0;
}

int loader_keep_files(const char *folder)
{
    DIR *directory = opendir(folder);
    if (directory == NULL) {
        return -errno;
    }
    kept.folder = strdup(folder);
    int result = kept.folder != NULL ? 0 : -ENOMEM;
    for (struct dirent *entry; result == 0 && (entry = readdir(directory)) != NULL;) {
        if (is_image_name(entry->d_name)) {
            result = keep(directory, entry->d_name);
        }
    }
    closedir(directory);
    return result;
}

static bool is_kept_folder(const char *folder, size_t length)
{
    return strlen(kept.folder) == length && memcmp(kept.folder, folder, length) == 0;
}

int kept_file(const char *path, struct stat *status)
{
    const char *slash = strrchr(path, '/');
    if (kept.folder == NULL) {
        return -EBADF;
    }
    if (slash == NULL || !is_kept_folder(path, (size_t)(slash - path))) {
        return -ENOENT;
    }
    for (size_t i = 0; i < kept.count; i++) {
        if (strcmp(kept.files[i].name, slash + 1) == 0) {
            *status = kept.files[i].status;
            return kept.files[i].file;
        }
    }
    return -ENOENT;
}

static bool take_name(const char *candidate, const char *name, char found[LOADER_LINE])
{
    bool same = strcasecmp(candidate, name) == 0 && strlen(candidate) < LOADER_LINE;
    if (same) {
        snprintf(found, LOADER_LINE, "%s", candidate);
    }
    return same;
}

bool loader_find_file(const char *folder, const char *name, char found[LOADER_LINE])
{
    bool done = false;
    if (kept.folder != NULL) {
        for (size_t i = 0; !done && i < kept.count && is_kept_folder(folder, strlen(folder)); i++) {
            done = take_name(kept.files[i].name, name, found);
        }
        return done;
    }
    DIR *directory = opendir(folder);
    // An image names what it imports from; with a file of the folder it names nothing elsewhere.
    for (struct dirent *entry; !done && directory != NULL && (entry = readdir(directory)) != NULL;) {
        done = take_name(entry->d_name, name, found);
    }
    if (directory != NULL) {
        closedir(directory);
    }
    return done;
}
