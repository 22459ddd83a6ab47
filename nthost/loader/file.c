// SPDX-License-Identifier: MIT
#include "nthost/loader/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nthost/loader/image.h"
#include "nthost/loader/keep.h"

static int read_all(int file, uint8_t *bytes, size_t length)
{
    for (size_t done = 0; done < length;) {
        ssize_t count = pread(file, bytes + done, length - done, (off_t)done);
        if (count <= 0) {
            return count < 0 ? -errno : -EIO; // it shrank while it was read
        }
        done += (size_t)count;
    }
    return 0;
}

static int open_file(const char *path, struct stat *status)
{
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file >= 0 && fstat(file, status) == 0) {
        return file;
    }
    int error = -errno;
    if (file >= 0) {
        close(file);
    }
    return error;
}

int file_read(const char *path, uint8_t **bytes, size_t *length)
{
    struct stat status;
    int kept = kept_file(path, &status);
    int file = kept == -EBADF ? open_file(path, &status) : kept;
    if (file < 0) {
        return file;
    }
    int result = S_ISREG(status.st_mode) ? 0 : -ENOEXEC;
    if (result == 0 && status.st_size > IMAGE_LIMIT) {
        result = -EFBIG;
    }
    *bytes = NULL;
    if (result == 0) {
        *length = (size_t)status.st_size;
        *bytes = malloc(*length + 1);
        result = *bytes == NULL ? -ENOMEM : read_all(file, *bytes, *length);
    }
    if (kept == -EBADF) {
        close(file);
    }
    return result;
}
