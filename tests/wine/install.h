// SPDX-License-Identifier: MIT
// What a person does with the device manager: INF files, the bus's root device. Each says on stderr why not.
#pragma once
#include <stdbool.h>

bool install_section(const char *inf); // its [DefaultInstall]: for a driver that no device needs by itself
bool install_driver(const char *inf);  // makes the driver known, for devices to come
bool install_root_device(const char *hardware_id, const char *inf);
bool remove_root_device(const char *hardware_id);
