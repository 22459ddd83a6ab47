// SPDX-License-Identifier: MIT
#define _DEFAULT_SOURCE
#include "pcsc/channel.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

enum { CHANNELS_MAX = 128 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t idle = PTHREAD_COND_INITIALIZER;
static struct channel *channels[CHANNELS_MAX];

void channel_lock(void)
{
    pthread_mutex_lock(&lock);
}

void channel_unlock(void)
{
    pthread_mutex_unlock(&lock);
}

static struct channel **find(DWORD lun)
{
    for (size_t i = 0; i < CHANNELS_MAX; i++) {
        if (channels[i] != NULL && channels[i]->lun == lun) {
            return &channels[i];
        }
    }
    return NULL;
}

static int add_locked(struct channel *channel)
{
    if (find(channel->lun) != NULL) {
        return -EEXIST;
    }
    for (size_t i = 0; i < CHANNELS_MAX; i++) {
        if (channels[i] == NULL) {
            channels[i] = channel;
            return 0;
        }
    }
    return -ENOSPC;
}

int channel_add(DWORD lun, struct host_reader reader, unsigned slot, nt_file *file)
{
    struct channel *channel = calloc(1, sizeof *channel);
    if (channel == NULL) {
        return -ENOMEM;
    }
    channel->lun = lun;
    channel->reader = reader;
    channel->slot = slot;
    channel->file = file;
    channel_lock();
    int error = add_locked(channel);
    channel_unlock();
    if (error != 0) {
        free(channel);
    }
    return error;
}

struct channel *channel_enter(DWORD lun)
{
    struct channel *channel = NULL;
    channel_lock();
    struct channel **entry = find(lun);
    if (entry != NULL && !(*entry)->closing) {
        channel = *entry;
        channel->users++;
    }
    channel_unlock();
    return channel;
}

void channel_leave(struct channel *channel)
{
    channel_lock();
    if (--channel->users == 0) {
        pthread_cond_broadcast(&idle);
    }
    channel_unlock();
}

bool channel_begin_close(DWORD lun, struct host_reader *reader)
{
    channel_lock();
    struct channel **entry = find(lun);
    bool found = entry != NULL && !(*entry)->closing;
    if (found) {
        (*entry)->closing = true;
        (*entry)->stop = true;
        if ((*entry)->poll != NULL) {
            nt_request_cancel((*entry)->poll);
        }
        *reader = (*entry)->reader;
    }
    channel_unlock();
    return found;
}

void channel_end_close(DWORD lun)
{
    channel_lock();
    struct channel **entry = find(lun);
    struct channel *channel = *entry;
    while (channel->users > 0) {
        pthread_cond_wait(&idle, &lock);
    }
    *entry = NULL;
    channel_unlock();
    nt_close(channel->file);
    free(channel);
}

bool channel_reader(DWORD lun, struct host_reader *reader)
{
    bool found = false;
    channel_lock();
    for (size_t i = 0; i < CHANNELS_MAX && !found; i++) {
        found = channels[i] != NULL && channels[i]->lun >> 16 == lun >> 16;
        if (found) {
            *reader = channels[i]->reader;
        }
    }
    channel_unlock();
    return found;
}
