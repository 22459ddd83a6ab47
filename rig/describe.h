// SPDX-License-Identifier: MIT
// What is plugged and what has run, as JSON: the one form the control channel and the tool share.
#pragma once
#include <cjson/cJSON.h>

// {"readers": [{"reader", "model", "name", "device", "driver", "state", "problem"?, "slots": [{"slot",
// "card"}]}]} NULL: out of memory.
cJSON *rig_describe(void);
// {"routines": {"DispatchPnP": n, ...}, "irps": n, "readers": [{"reader", "commands", ...}]}
cJSON *rig_report(void);
