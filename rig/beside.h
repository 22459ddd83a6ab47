// SPDX-License-Identifier: MIT
// Files that come with the program.
#pragma once
#include <limits.h>
#include <stdbool.h>

// `relative` to the folder that the program, or the library that this code is in, lies in. False: there is no
// such path.
bool rig_beside(const char *relative, char path[PATH_MAX]);
