// SPDX-License-Identifier: MIT
#include "nthost/loader/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nthost/loader/image.h"

static int read_all(int file, uint8_t *bytes, size_t length)
{
    for (size_t done = 0; done < length;) {
        ssize_t count = read(file, bytes + done, length - done);
        if (count <= 0) {
            return count < 0 ? -errno : -EIO; // it shrank while it was read
        }
        done += (size_t)count;
    }
    return 0;
}

int file_read(const char *path, uint8_t **bytes, size_t *length)
{
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) {
        return -errno;
    }
    struct stat status;
    int result = fstat(file, &status) != 0 ? -errno : 0;
    if (result == 0 && (!S_ISREG(status.st_mode) || status.st_size > IMAGE_LIMIT)) {
        result = S_ISREG(status.st_mode) ? -EFBIG : -ENOEXEC;
    }
    *bytes = NULL;
    if (result == 0) {
        *length = (size_t)status.st_size;
        *bytes = malloc(*length + 1);
        result = *bytes == NULL ? -ENOMEM : read_all(file, *bytes, *length);
    }
    close(file);
    return result;
}
