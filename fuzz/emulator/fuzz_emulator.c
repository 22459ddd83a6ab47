// SPDX-License-Identifier: MIT
#include "tests/emulator/storm.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    storm(data, size);
    return 0;
}
