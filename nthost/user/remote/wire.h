// SPDX-License-Identifier: MIT
// What a process and the kernel in its child say to each other. Every connection is a unix stream socket of
// its own and carries one call at a time: a wire_call and its bytes, then a wire_reply and its bytes. The
// control socket carries REMOTE_CONFINE once, then the other ends of connections; the event socket carries
// what the kernel says by itself. The child runs drivers that nobody trusts: whatever comes from it is
// checked.
#pragma once
#include <stddef.h>
#include <stdint.h>

enum { WIRE_CONTROL_DESCRIPTOR = 3, WIRE_EVENT_DESCRIPTOR = 4 }; // in the child
enum { WIRE_MAX = 64 << 20, WIRE_LIST_MAX = 1 << 20, WIRE_EVENT_MAX = 60000 };
#define WIRE_GONE 0xC00002B6u // STATUS_DEVICE_REMOVED

enum remote_op {
    REMOTE_CONFINE, // bytes: the folder of the images, may be empty
    REMOTE_BOOT,    // number: of wire_boot
    REMOTE_SHUTDOWN,
    REMOTE_SERVICE,  // bytes: name, image (empty: one that is built in), hardware ids. Reply: the report
    REMOTE_REGISTRY, // code: of wire_type; bytes: key, name, then the value
    REMOTE_COUNTS,   // bytes: name. Reply: status, wire_count...
    REMOTE_IRPS,
    REMOTE_LOG,         // reply: wire_log...
    REMOTE_ROOT_DEVICE, // bytes: hardware id. Reply: the instance id
    REMOTE_DEVICES,     // reply: struct nt_device...
    REMOTE_CHANGE,      // code: of wire_change; bytes: instance id
    REMOTE_PNP_WAIT,
    REMOTE_INTERFACES, // bytes: guid. Reply: links
    REMOTE_OPEN,       // code: access; bytes: path. Reply: value is the file
    REMOTE_CLOSE,
    REMOTE_CONTROL, // file, code, out_length; bytes: input. Reply: value is Information; output
    REMOTE_REQUEST, // the same, and REMOTE_CANCEL finds it; value: its number on this connection
    REMOTE_CANCEL,  // number: the connection; value: the request's number
    REMOTE_POWER,   // number: enum nt_system_power
    REMOTE_NOW,
    REMOTE_SLEEP, // value: microseconds
    REMOTE_OPS
};

enum wire_boot { WIRE_VERIFIER = 1, WIRE_LEGACY_POWER = 2, WIRE_IMAGES = 4, WIRE_PRINT = 8 };
enum wire_type { WIRE_DWORD, WIRE_STRING, WIRE_BINARY };
enum wire_change { WIRE_REMOVE, WIRE_STOP, WIRE_START, WIRE_SURPRISE };

struct wire_call {
    uint32_t op, length; // `length`: of the bytes that follow
    uint32_t file, code, out_length, number;
    uint64_t value;
};

struct wire_reply {
    uint32_t status; // NTSTATUS, or negative errno
    uint32_t length;
    uint64_t value;
};

struct wire_count {
    char routine[32];
    uint64_t calls;
};

struct wire_log {
    char driver[64], device[64], strings[128];
    uint32_t code, unique, final_status, control_code, dump_count, dump[24];
};

enum wire_event { WIRE_EVENT_PRINT, WIRE_EVENT_BUGCHECK };
struct wire_event_head { // text follows, without its terminator
    uint32_t kind;
};

// 0, or negative errno; -EPIPE: the other side has gone.
int wire_send(int socket, const void *head, size_t head_length, const void *bytes, size_t length);
int wire_receive(int socket, void *bytes, size_t length);
int wire_send_descriptor(int socket, int passed, uint32_t id);
int wire_receive_descriptor(int socket, uint32_t *id); // the descriptor, or negative errno
