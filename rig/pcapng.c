// SPDX-License-Identifier: MIT
#include "rig/pcapng.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    BLOCK_SECTION = 0x0A0D0D0A,
    BLOCK_INTERFACE = 1,
    BLOCK_PACKET = 6,
    LINK_USB_LINUX_MMAPPED = 220,
    LINK_UPPER_PDU = 252,
    OPTION_NAME = 2,
    TAG_DISSECTOR = 12,
    DATA_FOLLOW = 0,
    DATA_NOT = '-',
    DATA_COMES = '<',
    DATA_WENT = '>',
    USB_BUS = 1,
};

struct block {
    uint32_t type, length;
};

struct packet {
    uint32_t interface, time_high, time_low, captured, original;
};

struct usbmon { // Documentation/usb/usbmon of Linux, the layout of its mmap interface
    uint64_t id;
    uint8_t type, transfer, endpoint, device;
    uint16_t bus;
    char flag_setup, flag_data;
    int64_t seconds;
    int32_t microseconds, status;
    uint32_t length, captured;
    uint8_t setup[8];
    int32_t interval, start_frame;
    uint32_t flags, descriptors;
};
_Static_assert(sizeof(struct usbmon) == 64, "usbmon's header");

// One write: another process may append to the same file.
static int write_block(int file, uint32_t type, const struct iovec *body, int parts)
{
    static const uint8_t zeros[3];
    struct iovec pieces[8];
    size_t length = 0;
    for (int i = 0; i < parts; i++) {
        pieces[i + 1] = body[i];
        length += body[i].iov_len;
    }
    size_t padding = -length % 4;
    struct block head = {type, (uint32_t)(length + padding + sizeof head + sizeof head.length)};
    pieces[0] = (struct iovec){&head, sizeof head};
    pieces[parts + 1] = (struct iovec){(void *)zeros, padding};
    pieces[parts + 2] = (struct iovec){&head.length, sizeof head.length};
    ssize_t written = writev(file, pieces, parts + 3);
    return written < 0 ? -errno : (size_t)written != head.length ? -ENOSPC : 0;
}

static int write_packet(int file, uint32_t interface, uint64_t time_us, const struct iovec *data, int parts)
{
    struct iovec body[4];
    uint32_t length = 0;
    for (int i = 0; i < parts; i++) {
        body[i + 1] = data[i];
        length += (uint32_t)data[i].iov_len;
    }
    struct packet packet = {interface, (uint32_t)(time_us >> 32), (uint32_t)time_us, length, length};
    body[0] = (struct iovec){&packet, sizeof packet};
    return write_block(file, BLOCK_PACKET, body, parts + 1);
}

static int write_interface(int file, uint16_t link, const char *name)
{
    struct {
        uint16_t link, reserved;
        uint32_t snap;
        uint16_t option, length;
        char name[8]; // padded
        uint32_t end;
    } body = {.link = link, .option = OPTION_NAME, .length = (uint16_t)strlen(name)};
    memcpy(body.name, name, strlen(name));
    struct iovec part = {&body, sizeof body};
    return write_block(file, BLOCK_INTERFACE, &part, 1);
}

static int write_beginning(int file)
{
    struct {
        uint32_t magic;
        uint16_t major, minor;
        int64_t length;
    } __attribute__((packed)) section = {0x1A2B3C4D, 1, 0, -1};
    struct iovec part = {&section, sizeof section};
    int error = write_block(file, BLOCK_SECTION, &part, 1);
    if (error == 0) {
        error = write_interface(file, LINK_USB_LINUX_MMAPPED, "lectern");
    }
    return error == 0 ? write_interface(file, LINK_UPPER_PDU, "ioctls") : error;
}

int pcapng_open(const char *path)
{
    // Its owner's alone: what cards say is nobody else's business.
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    int error = file < 0 ? -errno : write_beginning(file);
    if (error != 0 && file >= 0) {
        (void)close(file);
    }
    return error != 0 ? error : file;
}

// As Linux has it.
static int32_t status_of(enum nt_transfer_result result)
{
    switch (result) {
    case NT_TRANSFER_PENDING:
        return -EINPROGRESS;
    case NT_TRANSFER_DONE:
        return 0;
    case NT_TRANSFER_STALLED:
        return -EPIPE;
    case NT_TRANSFER_CANCELLED:
        return -ENOENT;
    case NT_TRANSFER_GONE:
        return -ESHUTDOWN;
    default:
        return -EPROTO;
    }
}

int pcapng_transfer(int file, const struct nt_transfer *transfer, unsigned device, const uint8_t *data)
{
    bool pending = transfer->result == NT_TRANSFER_PENDING, in = (transfer->endpoint & 0x80) != 0;
    bool setup = pending && transfer->type == NT_TRANSFER_CONTROL;
    uint32_t captured = data != NULL ? transfer->length : 0;
    struct usbmon header = {.id = transfer->id,
                            .type = pending ? 'S' : 'C',
                            .transfer = (uint8_t)transfer->type,
                            .endpoint = transfer->endpoint,
                            .device = (uint8_t)device,
                            .bus = USB_BUS,
                            .flag_setup = setup ? DATA_FOLLOW : DATA_NOT,
                            .flag_data = captured > 0    ? DATA_FOLLOW
                                         : pending && in ? DATA_COMES
                                                         : DATA_WENT,
                            .seconds = (int64_t)(transfer->time_us / 1000000),
                            .microseconds = (int32_t)(transfer->time_us % 1000000),
                            .status = status_of(transfer->result),
                            .length = transfer->length,
                            .captured = captured};
    if (setup) {
        memcpy(header.setup, transfer->setup, sizeof header.setup);
    }
    struct iovec parts[] = {{&header, sizeof header}, {(void *)data, captured}};
    return write_packet(file, PCAPNG_USB, transfer->time_us, parts, 2);
}

int pcapng_text(int file, uint64_t time_us, const char *text)
{
    // Tags are big-endian: the dissector's name, then the end of them.
    static const uint8_t tags[] = {0,   TAG_DISSECTOR, 0,   16,  'd', 'a', 't', 'a', '-', 't', 'e', 'x',
                                   't', '-',           'l', 'i', 'n', 'e', 's', 0,   0,   0,   0,   0};
    struct iovec parts[] = {{(void *)tags, sizeof tags}, {(void *)text, strlen(text)}};
    return write_packet(file, PCAPNG_TEXT, time_us, parts, 2);
}
