// SPDX-License-Identifier: MIT
// rig/rig.h over Win32, as far as scenarios use it: readers on the virtual bus that is installed.
#define WIN32_LEAN_AND_MEAN
#include <windows.h>

#include <errno.h>
#include <setupapi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rig/models.h"
#include "rig/rig.h"
#include "rig/scard.h"
#include "rig/status.h"
#include "tests/wine/unable.h"
#include "vbus/vbusioctl.h"

enum {
    READERS_MAX = 16,
    LINKS_MAX = READERS_MAX * EMU_SLOTS_MAX,
    PATIENCE_US = 15000000,
    POLL_US = 20000,
    SETTLE_US = 100000
};
enum { CCID_MAX_SLOT_INDEX = 4 }; // within the class descriptor, CCID 1.1 5.1

static const GUID reader_interface = {
    0x50DD5230, 0xBA8A, 0x11D1, {0xBF, 0x5D, 0x00, 0x00, 0xF8, 0x05, 0xF5, 0x30}};
static nt_file *bus;
static struct rig_reader table[READERS_MAX]; // a free entry has no slots

// ---- interfaces ----

struct links {
    size_t count;
    char links[LINKS_MAX][NT_ID_MAX];
};

static void add_link(struct links *links, HDEVINFO set, SP_DEVICE_INTERFACE_DATA *data)
{
    union {
        SP_DEVICE_INTERFACE_DETAIL_DATA_A detail;
        char room[NT_ID_MAX + sizeof(DWORD)];
    } buffer = {.detail = {.cbSize = sizeof buffer.detail}};
    if (links->count < LINKS_MAX &&
        SetupDiGetDeviceInterfaceDetailA(set, data, &buffer.detail, sizeof buffer, NULL, NULL)) {
        const char *path = buffer.room + offsetof(SP_DEVICE_INTERFACE_DETAIL_DATA_A, DevicePath);
        (void)snprintf(links->links[links->count++], NT_ID_MAX, "%s", path);
    }
}

static void list_links(struct links *links)
{
    SP_DEVICE_INTERFACE_DATA data = {.cbSize = sizeof data};
    HDEVINFO set = SetupDiGetClassDevsA(&reader_interface, NULL, NULL, DIGCF_PRESENT | DIGCF_DEVICEINTERFACE);
    memset(links, 0, sizeof *links);
    for (DWORD i = 0; SetupDiEnumDeviceInterfaces(set, NULL, &reader_interface, i, &data); i++) {
        add_link(links, set, &data);
    }
    SetupDiDestroyDeviceInfoList(set);
}

static bool has_link(const struct links *links, const char *link)
{
    for (size_t i = 0; i < links->count; i++) {
        if (strcmp(links->links[i], link) == 0) {
            return true;
        }
    }
    return false;
}

// What is new is the reader's.
static void take_links(struct rig_reader *reader, const struct links *before, const struct links *after)
{
    reader->slots = 0;
    for (size_t i = 0; i < after->count && reader->slots < EMU_SLOTS_MAX; i++) {
        if (!has_link(before, after->links[i])) {
            memcpy(reader->links[reader->slots++], after->links[i], NT_ID_MAX);
        }
    }
}

// ---- models ----

// Scenarios for several kernels use the reader that is built in.
int rig_model_find(const char *path, const char *name, struct emu_model *model, char *error,
                   size_t error_size)
{
    (void)path, (void)error, (void)error_size;
    if (strcmp(name, RIG_DEFAULT_MODEL) != 0) {
        return -ENOENT;
    }
    *model = *rig_default_model();
    return 0;
}

// ---- the bus ----

nt_status rig_boot(const struct nt_options *options)
{
    (void)options; // clock, seed and verifier are this kernel's own
    return nt_open(VBUS_USER_PATH, &bus);
}

const char *rig_refusal(void)
{
    return "(the virtual bus must be installed)";
}

void rig_shutdown(void)
{
    for (size_t i = 0; i < READERS_MAX; i++) {
        if (table[i].slots != 0) {
            (void)rig_unplug(table[i].port);
        }
    }
    nt_close(bus);
    bus = NULL;
}

static nt_status control(uint32_t code, const void *in, size_t in_length, void *out, size_t out_length)
{
    size_t returned = 0;
    return nt_device_control(bus, code, in, in_length, out, out_length, &returned);
}

// ---- readers ----

static struct rig_reader *find(uint32_t port)
{
    for (size_t i = 0; i < READERS_MAX; i++) {
        if (table[i].slots != 0 && table[i].port == port) {
            return &table[i];
        }
    }
    return NULL;
}

static nt_status add(const struct rig_reader *reader)
{
    for (size_t i = 0; i < READERS_MAX; i++) {
        if (table[i].slots == 0) {
            table[i] = *reader;
            return RIG_STATUS_SUCCESS;
        }
    }
    return RIG_STATUS_INSUFFICIENT_RESOURCES;
}

// Windows shows interfaces when START_DEVICE has succeeded, Wine while it is still on its way.
static bool is_started(const char *link)
{
    nt_file *file;
    uint32_t state;
    size_t returned;
    nt_status status = nt_open(link, &file);
    if (rig_status_ok(status)) {
        status = nt_device_control(file, RIG_IOCTL_GET_STATE, NULL, 0, &state, sizeof state, &returned);
        nt_close(file);
    }
    return rig_status_ok(status);
}

static bool has_started(struct rig_reader *reader, const struct links *before, struct links *after)
{
    list_links(after);
    take_links(reader, before, after);
    return reader->slots != 0 && is_started(reader->links[0]);
}

static nt_status wait_for_start(struct rig_reader *reader, const struct links *before)
{
    struct links *after = malloc(sizeof *after);
    bool started = false;
    uint64_t end = nt_now_us() + PATIENCE_US;
    while (after != NULL && !started && nt_now_us() < end) {
        nt_sleep_us(POLL_US);
        started = has_started(reader, before, after);
    }
    free(after);
    nt_sleep_us(SETTLE_US);
    return started ? RIG_STATUS_SUCCESS : RIG_STATUS_NO_SUCH_DEVICE;
}

nt_status rig_plug(const struct emu_model *model, const char *const *cards, size_t card_count, uint32_t *port)
{
    struct rig_reader reader = {.model = *model};
    struct vbus_plug plug = {.model = *model};
    if (model->ccid[CCID_MAX_SLOT_INDEX] != 0) {
        unable_note("Wine does not enable device interfaces with a reference string, as further slots have");
        return RIG_STATUS_NOT_SUPPORTED;
    }
    struct links *before = malloc(sizeof *before);
    if (before == NULL) {
        return RIG_STATUS_INSUFFICIENT_RESOURCES;
    }
    for (size_t slot = 0; slot < card_count && slot < EMU_SLOTS_MAX; slot++) {
        strncpy(plug.cards[slot], cards[slot], VBUS_CARD_NAME_MAX - 1);
    }
    list_links(before);
    nt_status status = control(IOCTL_VBUS_PLUG, &plug, sizeof plug, &reader.port, sizeof reader.port);
    if (rig_status_ok(status)) {
        status = wait_for_start(&reader, before);
        if (rig_status_ok(status)) {
            status = add(&reader);
        }
        if (!rig_status_ok(status)) {
            (void)control(IOCTL_VBUS_UNPLUG, &reader.port, sizeof reader.port, NULL, 0);
        }
    }
    free(before);
    *port = reader.port;
    return status;
}

static bool is_gone(const struct rig_reader *reader, struct links *links)
{
    list_links(links);
    for (unsigned slot = 0; slot < reader->slots; slot++) {
        if (has_link(links, reader->links[slot])) {
            return false;
        }
    }
    return true;
}

nt_status rig_unplug(uint32_t port)
{
    struct rig_reader *reader = find(port);
    struct links *links = malloc(sizeof *links);
    if (reader == NULL || links == NULL) {
        free(links);
        return RIG_STATUS_NO_SUCH_DEVICE;
    }
    nt_status status = control(IOCTL_VBUS_UNPLUG, &port, sizeof port, NULL, 0);
    uint64_t end = nt_now_us() + PATIENCE_US;
    while (rig_status_ok(status) && !is_gone(reader, links)) {
        status = nt_now_us() < end ? RIG_STATUS_SUCCESS : RIG_STATUS_IO_TIMEOUT;
        nt_sleep_us(POLL_US);
    }
    nt_sleep_us(SETTLE_US); // Wine's PnP worker can miss a change that comes while it goes to sleep
    reader->slots = 0;
    free(links);
    return status;
}

static nt_status move_card(uint32_t code, uint32_t port, unsigned slot, const char *card)
{
    struct vbus_card request = {.port = port, .slot = slot};
    strncpy(request.name, card, sizeof request.name - 1);
    return control(code, &request, sizeof request, NULL, 0);
}

nt_status rig_insert(uint32_t port, unsigned slot, const char *card)
{
    return move_card(IOCTL_VBUS_INSERT, port, slot, card);
}

nt_status rig_eject(uint32_t port, unsigned slot)
{
    return move_card(IOCTL_VBUS_REMOVE, port, slot, "");
}

bool rig_find(uint32_t port, struct rig_reader *reader)
{
    const struct rig_reader *entry = find(port);
    if (entry != NULL) {
        *reader = *entry;
    }
    return entry != NULL;
}
