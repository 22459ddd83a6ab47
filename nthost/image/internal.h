// SPDX-License-Identifier: MIT
// Between the files of image/.
#pragma once
#include <ntddk.h>

void ImgNeed(void *Context, const char *Module); // an image imports from it, and it is not loaded
VOID ImgUnmapAll(VOID);                          // the kernel is down, nothing runs
