// SPDX-License-Identifier: MIT
// The control channel: a unix socket through which `lectern` moves cards in a process that serves readers.
// One request per connection, a line of words; the reply is one JSON object, {"ok": true, ...} or {"ok":
// false, "error": "..."}.
//   list                      what is plugged (rig_describe)
//   report                    what has run (rig_report)
//   insert READER SLOT CARD   eject READER SLOT   unplug READER
// READER is the "reader" number of the list, or "any": the only one.
#pragma once
#include <cjson/cJSON.h>

#define RIG_CONTROL_VARIABLE "LECTERN_CONTROL" // the environment variable that names the socket

int rig_control_start(const char *path); // -EADDRINUSE: someone serves there; other negative errno
void rig_control_stop(void);             // waits for a request being answered; harmless when not started

cJSON *rig_control_answer(const char *request); // what the server answers to one request line
// 0 and the reply (cJSON_Delete), or negative errno.
int rig_control_ask(const char *path, const char *request, cJSON **reply);
