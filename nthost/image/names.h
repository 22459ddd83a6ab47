// SPDX-License-Identifier: MIT
// Names of image files, as Windows compares them: without case. Plain C.
#pragma once
#include <stdbool.h>

bool img_same_name(const char *left, const char *right);
const char *img_file_name(const char *path);
// Is it one of the modules that this kernel stands for, and could that module export such a routine?
bool img_kernel_module(const char *module);
bool img_kernel_exports(const char *module, const char *routine);
// The path of the file `name` in the folder that `path` lies in, from os_allocate(); NULL: there is none.
char *img_beside(const char *path, const char *name);
