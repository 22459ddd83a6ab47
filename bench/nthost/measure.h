// SPDX-License-Identifier: MIT
#pragma once
#include <stdint.h>

double measure_now(void);                                      // seconds of the machine's clock
double measure_cpu(void);                                      // seconds of this process's processor time
uint64_t measure_memory(void);                                 // bytes resident
void measure_require(int passed, const char *what);            // ends the program unless it passed
uint64_t measure_count(int argc, char **argv, uint64_t usual); // the first argument, if any
