// SPDX-License-Identifier: MIT
// The card behind vpcd: `bench_pcsc_vpcd PORT` connects to vpcd and answers every APDU at once, with as many
// bytes as its Le asks for. What vpcd costs is then all that is measured.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ASKS_ATR = 4, MESSAGE_MAX = 65535 };

static bool move_all(int descriptor, uint8_t *data, size_t length, bool out)
{
    for (size_t at = 0; at < length;) {
        ssize_t moved = out ? send(descriptor, data + at, length - at, MSG_NOSIGNAL)
                            : recv(descriptor, data + at, length - at, 0);
        if (moved <= 0) {
            return false;
        }
        at += (size_t)moved;
    }
    return true;
}

static size_t expected(const uint8_t *apdu, size_t length)
{
    if (length == 5) {
        return apdu[4] == 0 ? 256 : apdu[4];
    }
    return length == 7 && apdu[4] == 0 ? (size_t)apdu[5] << 8 | apdu[6] : 0;
}

// The answer's length, 0: none is wanted.
static size_t answer(const uint8_t *message, size_t length, uint8_t *reply)
{
    static const uint8_t atr[] = {0x3B, 0x80, 0x80, 0x01, 0x01}; // T=0 and T=1
    if (length == 1 && message[0] == ASKS_ATR) {                 // other single bytes are power and reset
        for (size_t i = 0; i < sizeof atr; i++) {
            reply[i] = atr[i];
        }
        return sizeof atr;
    }
    if (length == 1) {
        return 0;
    }
    size_t data = expected(message, length);
    reply[data] = 0x90;
    reply[data + 1] = 0x00;
    return data + 2;
}

static void serve(int descriptor)
{
    static uint8_t message[MESSAGE_MAX], reply[2 + MESSAGE_MAX + 2];
    for (;;) {
        uint8_t size[2];
        // The kernel forgets this option now and then.
        (void)setsockopt(descriptor, IPPROTO_TCP, TCP_QUICKACK, &(int){1}, sizeof(int));
        if (!move_all(descriptor, size, sizeof size, false)) {
            return;
        }
        size_t length = (size_t)size[0] << 8 | size[1];
        if (!move_all(descriptor, message, length, false)) {
            return;
        }
        size_t answered = answer(message, length, reply + 2);
        reply[0] = (uint8_t)(answered >> 8);
        reply[1] = (uint8_t)answered;
        if (answered > 0 && !move_all(descriptor, reply, answered + 2, true)) {
            return;
        }
    }
}

int main(int argc, char **argv)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)atoi(argc > 1 ? argv[1] : "35964")),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int descriptor = socket(AF_INET, SOCK_STREAM, 0), error = -1;
    for (int tries = 0; tries < 100 && error != 0; tries++) {
        error = connect(descriptor, (struct sockaddr *)&address, sizeof address);
        (void)(error != 0 && usleep(50000));
    }
    if (error != 0) {
        perror("bench_pcsc_vpcd: connect");
        return 1;
    }
    (void)setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    serve(descriptor);
    return close(descriptor) == 0 ? 0 : 1;
}
