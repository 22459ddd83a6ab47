// SPDX-License-Identifier: MIT
// lectern-host: the process that a driver image runs in, started by who has one to run and never by hand.
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

#include "nthost/user/host.h"
#include "rig/internal.h"

int main(void)
{
    enum { CONTROL = 3, USAGE = 2 };
    int type;
    socklen_t length = sizeof type;
    if (getsockopt(CONTROL, SOL_SOCKET, SO_TYPE, &type, &length) != 0) {
        (void)fputs("lectern-host runs a driver image for `lectern` or pcscd, which start it themselves\n",
                    stderr);
        return USAGE;
    }
    const struct nt_service natives[] = {{.name = RIG_READER_SERVICE, .entry = LecternDriverEntry},
                                         {.name = RIG_BUS_SERVICE, .entry = LectvbusDriverEntry}};
    nt_host_run(natives, sizeof natives / sizeof natives[0]);
}
