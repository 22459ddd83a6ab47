// SPDX-License-Identifier: MIT
// Readers on the virtual bus, without the rig's table of them.
#pragma once
#include "nthost/user/nthost.h"

struct plug {
    uint32_t port;
    char link[NT_ID_MAX]; // of slot 0
};

void plug_boot(bool verifier); // under the virtual clock
void plug_shutdown(void);
void plug_in(struct plug *plug, const char *card); // the default model
void plug_out(const struct plug *plug);
