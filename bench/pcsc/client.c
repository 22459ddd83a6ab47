// SPDX-License-Identifier: MIT
// A PC/SC client that measures: `bench_pcsc APDU [APDU...]`, in hex, takes the first reader's card and sends
// all but the last APDU once. Then, for each line of stdin, "apdu N" or "connect N", it does that N times,
// the last APDU or a whole SCardConnect of an unpowered card, and prints one line: the nanoseconds of each.
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <winscard.h>

enum { APDU_MAX = 4096, READER_TRIES = 100 };

static SCARDCONTEXT context;
static SCARDHANDLE card;
static DWORD protocol;
static char readers[MAX_READERNAME * 16 + 1]; // the first is served
static char **setup;                          // all but the last are sent after each connection
static BYTE reply[65538];

static long long now_ns(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (long long)time.tv_sec * 1000000000 + time.tv_nsec;
}

static void require(LONG status, const char *what)
{
    if (status != SCARD_S_SUCCESS) {
        (void)fprintf(stderr, "bench_pcsc: %s: %s\n", what, pcsc_stringify_error(status));
        exit(1);
    }
}

// pcscd lists a reader only once its driver has started.
static void find_reader(void)
{
    const struct timespec pause = {.tv_nsec = 100000000};
    DWORD length = sizeof readers;
    LONG status = SCardListReaders(context, NULL, readers, &length);
    for (int i = 0; status == SCARD_E_NO_READERS_AVAILABLE && i < READER_TRIES; i++) {
        (void)nanosleep(&pause, NULL);
        length = sizeof readers;
        status = SCardListReaders(context, NULL, readers, &length);
    }
    require(status, "SCardListReaders");
}

static void await_card(void)
{
    SCARD_READERSTATE state = {.szReader = readers, .dwCurrentState = SCARD_STATE_UNAWARE};
    for (int i = 0; i < READER_TRIES && (state.dwEventState & SCARD_STATE_PRESENT) == 0; i++) {
        LONG status = SCardGetStatusChange(context, 100, &state, 1);
        state.dwCurrentState = state.dwEventState;
        require(status == SCARD_E_TIMEOUT ? SCARD_S_SUCCESS : status, "SCardGetStatusChange");
    }
}

static size_t from_hex(const char *text, BYTE apdu[APDU_MAX])
{
    size_t length = strlen(text) / 2;
    for (size_t i = 0; i < length && i < APDU_MAX; i++) {
        const char digits[3] = {text[2 * i], text[2 * i + 1], '\0'};
        apdu[i] = (BYTE)strtoul(digits, NULL, 16);
    }
    return length < APDU_MAX ? length : APDU_MAX;
}

static void transmit(const BYTE *apdu, size_t length)
{
    DWORD room = sizeof reply;
    require(SCardTransmit(card, protocol == SCARD_PROTOCOL_T0 ? SCARD_PCI_T0 : SCARD_PCI_T1, apdu, length,
                          NULL, reply, &room),
            "SCardTransmit");
    if (room < 2 || reply[room - 2] != 0x90) {
        (void)fprintf(stderr, "bench_pcsc: the card says %02X%02X\n", room < 2 ? 0u : reply[room - 2],
                      room < 2 ? 0u : reply[room - 1]);
        exit(1);
    }
}

static void connect_card(void)
{
    require(SCardConnect(context, readers, SCARD_SHARE_SHARED, SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1, &card,
                         &protocol),
            "SCardConnect");
}

static void prepare(void)
{
    BYTE apdu[APDU_MAX];
    for (size_t i = 0; setup[i] != NULL; i++) {
        transmit(apdu, from_hex(setup[i], apdu));
    }
}

static void measure_apdu(unsigned long count, const char *hex)
{
    BYTE apdu[APDU_MAX];
    size_t length = from_hex(hex, apdu);
    for (unsigned long i = 0; i < count; i++) {
        long long start = now_ns();
        transmit(apdu, length);
        (void)printf("%s%lld", i == 0 ? "" : " ", now_ns() - start);
    }
}

static void measure_connect(unsigned long count)
{
    for (unsigned long i = 0; i < count; i++) {
        require(SCardDisconnect(card, SCARD_UNPOWER_CARD), "SCardDisconnect");
        long long start = now_ns();
        connect_card();
        (void)printf("%s%lld", i == 0 ? "" : " ", now_ns() - start);
    }
    prepare();
}

static bool serve(const char *line)
{
    char verb[16] = "", hex[2 * APDU_MAX + 1] = "";
    unsigned long count = 0;
    int words = sscanf(line, "%15s %lu %8192s", verb, &count, hex);
    if (words == 3 && strcmp(verb, "apdu") == 0) {
        measure_apdu(count, hex);
    } else if (words == 2 && strcmp(verb, "connect") == 0) {
        measure_connect(count);
    } else {
        return false;
    }
    (void)putchar('\n');
    (void)fflush(stdout);
    return true;
}

int main(int argc, char **argv)
{
    static char line[2 * APDU_MAX + 64];
    (void)argc;
    setup = argv + 1;
    require(SCardEstablishContext(SCARD_SCOPE_SYSTEM, NULL, NULL, &context), "SCardEstablishContext");
    find_reader();
    await_card();
    connect_card();
    prepare();
    (void)printf("%s T=%d\n", readers, protocol == SCARD_PROTOCOL_T0 ? 0 : 1);
    (void)fflush(stdout);
    while (fgets(line, sizeof line, stdin) != NULL) {
        if (!serve(line)) {
            (void)fprintf(stderr, "bench_pcsc: not a request: %s", line);
            return 2;
        }
    }
    require(SCardDisconnect(card, SCARD_UNPOWER_CARD), "SCardDisconnect");
    return SCardReleaseContext(context) == SCARD_S_SUCCESS ? 0 : 1;
}
