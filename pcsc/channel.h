// SPDX-License-Identifier: MIT
// One channel is one slot that pcscd has opened, found by its Lun (reader << 16 | slot). pcscd may close a
// channel while a call on it is running, so calls are counted and closing waits for them.
#pragma once
#include <stdbool.h>
#include <ifdhandler.h>

#include "pcsc/host.h"
#include "rig/rig.h"
#include "rig/scard.h"

struct channel {
    DWORD lun;
    struct host_reader reader;
    unsigned slot, users;
    bool closing;
    nt_file *file;
    // Below: under channel_lock().
    uint8_t atr[RIG_ATR_MAX];
    size_t atr_length;
    bool powered;     // by pcscd's wish; a slot found unpowered then has had its card changed
    bool reported;    // what IFDHICCPresence last said
    bool removed;     // the card was seen leaving since
    bool stop;        // the next or running poll returns at once
    nt_request *poll; // the tracking request being waited for
};

// Takes `file`; 0 or -EEXIST, -ENOSPC, -ENOMEM.
int channel_add(DWORD lun, struct host_reader reader, unsigned slot, nt_file *file);
struct channel *channel_enter(DWORD lun); // NULL: not open, or closing
void channel_leave(struct channel *channel);
// No call enters any more; a running poll is stopped. false: not open.
bool channel_begin_close(DWORD lun, struct host_reader *reader);
void channel_end_close(DWORD lun); // waits for the last call, closes the file, forgets the channel
// The reader of an open slot, by the upper half of the Lun.
bool channel_reader(DWORD lun, struct host_reader *reader);

void channel_lock(void);
void channel_unlock(void);
