// SPDX-License-Identifier: MIT
// vpcd's protocol: the card connects, then each message is a 16-bit length, most significant byte first, and
// as many bytes. One byte is a request to the card: off, on, reset, ATR; only the last is answered. More are
// an APDU.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rig/cards.h"

enum {
    REQUEST_ON = 1,
    REQUEST_RESET = 2,
    REQUEST_ATR = 4,
    CONNECT_MS = 10000,
    ANSWER_MS = 60000,
    MOST = 0xFFFF
};

struct vpcd {
    int listener, connection;
};

static int listen_at(uint16_t port)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0) {
        return -errno;
    }
    (void)setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(listener, (const struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 1) != 0) {
        int error = -errno;
        (void)close(listener);
        return error;
    }
    return listener;
}

// 0, -ETIMEDOUT or another negative errno.
static int await(int descriptor, int milliseconds)
{
    struct pollfd file = {descriptor, POLLIN, 0};
    int ready = poll(&file, 1, milliseconds);
    return ready > 0 ? 0 : ready == 0 ? -ETIMEDOUT : -errno;
}

static int receive(const struct vpcd *vpcd, uint8_t *data, size_t length)
{
    for (size_t at = 0; at < length;) {
        int error = await(vpcd->connection, ANSWER_MS);
        ssize_t moved = error == 0 ? recv(vpcd->connection, data + at, length - at, 0) : -1;
        if (moved <= 0) {
            return error != 0 ? error : moved == 0 ? -ECONNRESET : -errno;
        }
        at += (size_t)moved;
    }
    return 0;
}

// Length and bytes in one segment, lest the second wait for the first's acknowledgement.
static int send_message(const struct vpcd *vpcd, const uint8_t *data, size_t length)
{
    uint8_t head[2] = {(uint8_t)(length >> 8), (uint8_t)length};
    struct iovec parts[] = {{head, sizeof head}, {(void *)data, length}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    if (length > MOST) {
        return -EMSGSIZE;
    }
    ssize_t sent = sendmsg(vpcd->connection, &message, MSG_NOSIGNAL);
    return sent == (ssize_t)(sizeof head + length) ? 0 : sent < 0 ? -errno : -EPIPE;
}

static int receive_message(const struct vpcd *vpcd, uint8_t *data, size_t *length)
{
    uint8_t head[2] = {0};
    int error = receive(vpcd, head, sizeof head);
    size_t announced = (size_t)head[0] << 8 | head[1];
    if (error == 0 && announced > *length) {
        error = -EMSGSIZE;
    }
    if (error == 0) {
        *length = announced;
        error = receive(vpcd, data, announced);
    }
    return error;
}

static int accept_card(struct vpcd *vpcd, int milliseconds)
{
    int error = await(vpcd->listener, milliseconds);
    if (error == 0) {
        vpcd->connection = accept4(vpcd->listener, NULL, NULL, SOCK_CLOEXEC);
        error = vpcd->connection < 0 ? -errno : 0;
    }
    if (error == 0) {
        (void)setsockopt(vpcd->connection, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        error = send_message(vpcd, &(const uint8_t){REQUEST_ON}, 1);
    }
    return error;
}

static void hang_up(struct vpcd *vpcd)
{
    if (vpcd->connection >= 0) {
        (void)close(vpcd->connection);
        vpcd->connection = -1;
    }
}

static void vpcd_close(void *card)
{
    struct vpcd *vpcd = card;
    hang_up(vpcd);
    (void)close(vpcd->listener);
    free(vpcd);
}

static int vpcd_open(const char *rest, void **card, uint8_t atr[CARDS_ATR_MAX], size_t *atr_length,
                     char why[CARDS_WHY_MAX])
{
    char *end;
    unsigned long port = strtoul(rest, &end, 10);
    if (port == 0 || port > 0xFFFF || *end != '\0') {
        (void)snprintf(why, CARDS_WHY_MAX, "vpcd:PORT, not vpcd:%s", rest);
        return -EINVAL;
    }
    struct vpcd *vpcd = malloc(sizeof *vpcd);
    if (vpcd == NULL) {
        return -ENOMEM;
    }
    *vpcd = (struct vpcd){listen_at((uint16_t)port), -1};
    if (vpcd->listener < 0) {
        int error = vpcd->listener;
        (void)snprintf(why, CARDS_WHY_MAX, "port %lu: %s", port, strerror(-error));
        free(vpcd);
        return error;
    }
    *atr_length = CARDS_ATR_MAX;
    int error = accept_card(vpcd, CONNECT_MS);
    error = error != 0 ? error : send_message(vpcd, &(const uint8_t){REQUEST_ATR}, 1);
    error = error != 0 ? error : receive_message(vpcd, atr, atr_length);
    if (error != 0) {
        (void)snprintf(why, CARDS_WHY_MAX, "no card has come to port %lu: %s", port, strerror(-error));
        vpcd_close(vpcd);
        return error;
    }
    *card = vpcd;
    return 0;
}

// A card that went may come again; it must be the same one, for its ATR is known.
static int vpcd_transact(void *card, const uint8_t *apdu, size_t length, uint8_t *reply, size_t *reply_length)
{
    struct vpcd *vpcd = card;
    int error = vpcd->connection < 0 ? accept_card(vpcd, 0) : 0;
    error = error != 0 ? error : send_message(vpcd, apdu, length);
    error = error != 0 ? error : receive_message(vpcd, reply, reply_length);
    if (error != 0) {
        hang_up(vpcd);
    }
    return error;
}

static void vpcd_reset(void *card)
{
    struct vpcd *vpcd = card;
    if (vpcd->connection >= 0 && send_message(vpcd, &(const uint8_t){REQUEST_RESET}, 1) != 0) {
        hang_up(vpcd);
    }
}

static void vpcd_interrupt(void *card)
{
    const struct vpcd *vpcd = card;
    if (vpcd->connection >= 0) {
        (void)shutdown(vpcd->connection, SHUT_RDWR);
    }
}

const struct cards_kind cards_vpcd = {
    .name = "vpcd",
    .open = vpcd_open,
    .reset = vpcd_reset,
    .transact = vpcd_transact,
    .interrupt = vpcd_interrupt,
    .close = vpcd_close,
};
