// SPDX-License-Identifier: MIT
// The program that a kernel runs in when nt_options.host asks for a process of its own. It is started by
// nt_boot() only.
#pragma once
#include "nthost/user/nthost.h"

// Serves the process that started this one until that ends; what runs here by then has given up its rights.
// `natives`: the drivers that are built in, found by name.
_Noreturn void nt_host_run(const struct nt_service *natives, size_t count);
