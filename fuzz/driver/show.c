// SPDX-License-Identifier: MIT
// fuzz_driver_show INPUT: the scenario that an input of the fuzzer stands for, as `lectern scenario` runs it.
#include <stdio.h>
#include <stdlib.h>

#include "fuzz/driver/generate.h"

int main(int argc, char **argv)
{
    uint8_t data[DRIVER_INPUT_MAX];
    uint64_t seed;
    size_t length;
    FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
    if (file == NULL) {
        fprintf(stderr, "usage: %s INPUT\n", argv[0]);
        return 2;
    }
    size_t size = fread(data, 1, sizeof data, file);
    fclose(file);
    char *text = driver_scenario(data, size, &seed, &length);
    if (text == NULL) {
        return EXIT_FAILURE;
    }
    fputs(text, stdout);
    free(text);
    return EXIT_SUCCESS;
}
