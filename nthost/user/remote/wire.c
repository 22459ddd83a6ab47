// SPDX-License-Identifier: MIT
#define _GNU_SOURCE // MSG_CMSG_CLOEXEC
#include "nthost/user/remote/wire.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

// Takes what has been sent off the parts.
static void advance(struct iovec parts[2], size_t sent)
{
    for (int i = 0; i < 2; i++) {
        size_t step = sent < parts[i].iov_len ? sent : parts[i].iov_len;
        parts[i].iov_base = (char *)parts[i].iov_base + step;
        parts[i].iov_len -= step;
        sent -= step;
    }
}

int wire_send(int socket, const void *head, size_t head_length, const void *bytes, size_t length)
{
    static char nothing;
    struct iovec parts[2] = {{.iov_base = (void *)head, .iov_len = head_length},
                             {.iov_base = length != 0 ? (void *)bytes : &nothing, .iov_len = length}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    while (parts[0].iov_len + parts[1].iov_len != 0) {
        ssize_t sent = sendmsg(socket, &message, MSG_NOSIGNAL);
        if (sent < 0 && errno != EINTR) {
            return -errno;
        }
        advance(parts, sent > 0 ? (size_t)sent : 0);
    }
    return 0;
}

int wire_receive(int socket, void *bytes, size_t length)
{
    for (size_t done = 0; done < length;) {
        ssize_t got = recv(socket, (char *)bytes + done, length - done, 0);
        if (got == 0) {
            return -EPIPE;
        }
        if (got < 0 && errno != EINTR) {
            return -errno;
        }
        done += got > 0 ? (size_t)got : 0;
    }
    return 0;
}

union descriptor_room {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
};

int wire_send_descriptor(int socket, int passed, uint32_t id)
{
    union descriptor_room room = {.bytes = {0}};
    struct iovec part = {.iov_base = &id, .iov_len = sizeof id};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &room, .msg_controllen = sizeof room};
    room.header = (struct cmsghdr){
        .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof passed)};
    memcpy(CMSG_DATA(&room.header), &passed, sizeof passed);
    ssize_t sent;
    do {
        sent = sendmsg(socket, &message, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent == sizeof id ? 0 : sent < 0 ? -errno : -EPIPE;
}

int wire_receive_descriptor(int socket, uint32_t *id)
{
    union descriptor_room room = {.bytes = {0}};
    struct iovec part = {.iov_base = id, .iov_len = sizeof *id};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &room, .msg_controllen = sizeof room};
    ssize_t got;
    do {
        got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    } while (got < 0 && errno == EINTR);
    int passed;
    if (got != sizeof *id || message.msg_controllen < CMSG_LEN(sizeof passed)) {
        return got < 0 ? -errno : -EPIPE;
    }
    memcpy(&passed, CMSG_DATA(&room.header), sizeof passed);
    return passed;
}
