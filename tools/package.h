// SPDX-License-Identifier: MIT
// A driver to install: its image and what its INF says of it.
#pragma once
#include "rig/inf.h"
#include "tools/command.h"

struct package {
    const char *image; // path
    struct inf_driver driver;
};

// Reads the INF (NULL: there is none) and chooses the image as the rig's driver. EXIT_DONE, or after a
// complaint.
int package_read(const struct command *command, const char *image, const char *inf, const char *hardware_id,
                 struct package *package);
// The emulated reader with the VID and PID of the hardware id; one that has none: the default one.
struct emu_model;
int package_model(const struct command *command, const char *hardware_id, const char *models,
                  struct emu_model *model);
