// SPDX-License-Identifier: MIT
// The few routines that compilers emit themselves; they are the C library's own, in its own calling
// convention.
#pragma once
#include <crtdefs.h>
#include <vadefs.h>

void *memcpy(void *destination, const void *source, __SIZE_TYPE__ length);
void *memmove(void *destination, const void *source, __SIZE_TYPE__ length);
void *memset(void *destination, int value, __SIZE_TYPE__ length);
int memcmp(const void *left, const void *right, __SIZE_TYPE__ length);
