// SPDX-License-Identifier: MIT
#pragma once
#include <sys/stat.h>

// The descriptor of a file that loader_keep_files() opened, which stays open, and what it was then. -ENOENT:
// it is none of those; -EBADF: no files are kept, any may be opened.
int kept_file(const char *path, struct stat *status);
