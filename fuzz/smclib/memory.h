// SPDX-License-Identifier: MIT
// The C library's heap for WDM code, so that the sanitizer guards every byte.
#pragma once

void *fuzz_allocate(unsigned long long length);
void fuzz_free(void *memory);
