// SPDX-License-Identifier: MIT
// The life of one reader with every card, as a scenario that its class descriptor suits: what a sweep runs
// for each model.
#pragma once
#include <stdio.h>

#include "emulator/emulator.h"

void rig_sweep_write(const struct emu_model *model, FILE *out);
