// SPDX-License-Identifier: MIT
#include "fuzz/reader/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rig/models.h"
#include "rig/rig.h"
#include "rig/scard.h"
#include "rig/status.h"
#include "vbus/vbusioctl.h"

enum { FEATURES = 40, MESSAGE = 44, PIN_SUPPORT = 52, MAX_SLOT = 4, LONG_DATA = 300 };
enum { PATIENCE_US = 30000000 };

// A reader at each level, with and without automatics; a short message makes it chain.
static const struct kind {
    uint32_t features, message;
    uint8_t last_slot;
    const char *card;
} kinds[SESSION_KINDS] = {
    {0x000400BA, 65544 + 10, 0, "t1"}, {0x000400BA, 271, 0, "t0"}, {0x000200BA, 271, 1, "t0"},
    {0x000100BA, 271, 0, "t1"},        {0x00010038, 271, 0, "t1"}, {0x00010038, 271, 0, "t0"},
    {0x00000038, 271, 0, "t0"},        {0x00010478, 271, 0, "t1"},
};
static struct session readers[SESSION_KINDS];
static nt_file *bus;

static void require(bool held, const char *what)
{
    if (!held) {
        fprintf(stderr, "%s\n", what);
        abort();
    }
}

static void shut_down(void)
{
    hostile = (struct hostile){0};
    for (size_t i = 0; i < SESSION_KINDS; i++) {
        if (readers[i].file != NULL) {
            session_unplug(&readers[i]);
        }
    }
    nt_close(bus);
    rig_shutdown();
}

void session_boot(void)
{
    static const struct nt_options options = {.clock = NT_CLOCK_VIRTUAL, .verifier = true};
    if (bus == NULL) {
        require(rig_status_ok(rig_boot(&options)), "the kernel does not boot");
        require(rig_status_ok(nt_open(VBUS_USER_PATH, &bus)), "there is no bus");
        require(atexit(shut_down) == 0, "there is no atexit()");
    }
}

static void control_bus(uint32_t code, const void *in, size_t length, void *out, size_t room)
{
    size_t returned;
    require(rig_status_ok(nt_device_control(bus, code, in, length, out, room, &returned)), "the bus refuses");
}

// The instance id is the port; the first slot's link comes first.
static void open_link(void *context, const char *link)
{
    struct session *session = context;
    char instance[16];
    (void)snprintf(instance, sizeof instance, "#%u#", session->port);
    if (session->file == NULL && strstr(link, instance) != NULL) {
        (void)nt_open(link, &session->file);
    }
}

bool session_plug(struct session *session, const struct emu_model *model, const char *card)
{
    struct vbus_plug plug = {.model = *model};
    *session = (struct session){0};
    (void)snprintf(plug.cards[0], sizeof plug.cards[0], "%s", card);
    control_bus(IOCTL_VBUS_PLUG, &plug, sizeof plug, &session->port, sizeof session->port);
    nt_pnp_wait();
    nt_interfaces(rig_reader_guid, open_link, session);
    return session->file != NULL;
}

void session_end_tracking(struct session *session)
{
    if (session->tracking != NULL) {
        nt_request_cancel(session->tracking);
        (void)nt_request_end(session->tracking, &(size_t){0});
        session->tracking = NULL;
    }
}

void session_unplug(struct session *session)
{
    session_end_tracking(session);
    if (session->file != NULL) {
        nt_close(session->file);
    }
    control_bus(IOCTL_VBUS_UNPLUG, &session->port, sizeof session->port, NULL, 0);
    nt_pnp_wait();
    *session = (struct session){0};
}

static void put32(uint8_t *bytes, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++) {
        bytes[i] = (uint8_t)(value >> 8 * i);
    }
}

struct session *session_reader(unsigned number)
{
    const struct kind *kind = &kinds[number % SESSION_KINDS];
    struct session *session = &readers[number % SESSION_KINDS];
    if (session->file == NULL) {
        struct emu_model model = *rig_default_model();
        put32(model.ccid + FEATURES, kind->features);
        put32(model.ccid + MESSAGE, kind->message);
        model.ccid[PIN_SUPPORT] = 3;
        model.ccid[MAX_SLOT] = kind->last_slot;
        require(session_plug(session, &model, kind->card), "a reader does not start");
    }
    return session;
}

void session_nudge(const struct session *session)
{
    const struct vbus_fault none = {session->port, {EMU_FAULT_NONE, 0, 0, 0, 0, 0}};
    control_bus(IOCTL_VBUS_FAULT, &none, sizeof none, NULL, 0);
}

// ---- requests ----

static void power(struct session *session, enum rig_power action)
{
    uint8_t atr[RIG_ATR_MAX];
    size_t length;
    (void)rig_slot_power(session->file, action, atr, &length);
}

static void protocol(struct session *session, uint32_t mask)
{
    uint32_t selected;
    if (rig_status_ok(rig_slot_set_protocol(session->file, mask, &selected))) {
        session->protocol = selected;
    }
}

static nt_status transmit(struct session *session, const uint8_t *command, size_t length)
{
    uint8_t reply[LONG_DATA + 2];
    size_t reply_length = sizeof reply;
    return rig_slot_transmit(session->file, session->protocol, command, length, reply, &reply_length);
}

static void transmit_long(struct session *session)
{
    uint8_t command[7 + LONG_DATA + 2] = {0x80, 0xE0, 0xC0, 0x00, 0x00, LONG_DATA >> 8, LONG_DATA & 0xFF};
    (void)transmit(session, command, sizeof command);
}

static void enter_pin(struct session *session, bool modify)
{
    static const uint8_t verify[] = {0x1E, 0x1E, 0x82, 0x08, 0x00, 0x08, 0x04, 0x02, 0xFF, 0x09, 0x04,
                                     0x00, 0x00, 0x00, 0x00, 0x0D, 0x00, 0x00, 0x00, 0x00, 0x20, 0x00,
                                     0x01, 0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
    static const uint8_t change[] = {0x1E, 0x1E, 0x82, 0x08, 0x00, 0x00, 0x08, 0x08, 0x04, 0x03, 0x02, 0x03,
                                     0x09, 0x04, 0x00, 0x01, 0x02, 0x00, 0x00, 0x00, 0x15, 0x00, 0x00, 0x00,
                                     0x00, 0x24, 0x00, 0x01, 0x10, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                     0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
    uint8_t reply[16];
    size_t returned;
    (void)nt_device_control(session->file, RIG_SCARD_CTL(modify ? 3407 : 3406), modify ? change : verify,
                            modify ? sizeof change : sizeof verify, reply, sizeof reply, &returned);
}

static void escape(struct session *session)
{
    static const uint8_t request[] = {1, 2, 3};
    uint8_t reply[64];
    size_t returned;
    (void)nt_device_control(session->file, RIG_IOCTL_ESCAPE, request, sizeof request, reply, sizeof reply,
                            &returned);
}

static void track(struct session *session, uint32_t code)
{
    session_end_tracking(session);
    session->tracking = nt_device_control_begin(session->file, code, NULL, 0, NULL, 0);
    require(session->tracking != NULL, "out of memory");
}

void session_request(struct session *session, uint8_t choice)
{
    static const uint8_t without[] = {0x80, 0xE0, 0x00, 0x00};
    static const uint8_t in[] = {0x80, 0xE0, 0x40, 0x00, 0x10};
    static const uint8_t both[] = {0x80, 0xE0, 0xC0, 0x00, 0x03, 0x01, 0x02, 0x03, 0x00};
    enum rig_state state;
    switch (choice % 16) {
    case 0:
    case 1:
        power(session, RIG_COLD_RESET);
        break;
    case 2:
        power(session, RIG_WARM_RESET);
        break;
    case 3:
        power(session, RIG_POWER_DOWN);
        break;
    case 4:
    case 5:
        protocol(session, RIG_PROTOCOL_T0 | RIG_PROTOCOL_T1);
        break;
    case 6:
        protocol(session, RIG_PROTOCOL_T0);
        break;
    case 7:
        protocol(session, RIG_PROTOCOL_T1 | RIG_PROTOCOL_DEFAULT);
        break;
    case 8:
        (void)transmit(session, without, sizeof without);
        break;
    case 9:
        (void)transmit(session, in, sizeof in);
        break;
    case 10:
        (void)transmit(session, both, sizeof both - (session->protocol == RIG_PROTOCOL_T0));
        break;
    case 11:
        transmit_long(session);
        break;
    case 12:
        enter_pin(session, choice / 16 % 2 != 0);
        break;
    case 13:
        escape(session);
        break;
    case 14:
        track(session, choice / 16 % 2 != 0 ? RIG_IOCTL_IS_PRESENT : RIG_IOCTL_IS_ABSENT);
        break;
    default:
        (void)rig_slot_state(session->file, &state);
        break;
    }
}

// ---- recovery ----

static bool connected(struct session *session)
{
    static const uint8_t command[] = {0x80, 0xE0, 0x40, 0x00, 0x10};
    uint8_t atr[RIG_ATR_MAX];
    size_t length;
    return rig_status_ok(rig_slot_power(session->file, RIG_COLD_RESET, atr, &length)) &&
           rig_status_ok(
               rig_slot_set_protocol(session->file, RIG_PROTOCOL_T0 | RIG_PROTOCOL_T1, &session->protocol)) &&
           rig_status_ok(transmit(session, command, sizeof command));
}

// A card that was said to be gone is put in again; without an interrupt pipe a waiting client finds it.
static void reinsert(struct session *session)
{
    static const uint8_t inserted[] = {0x50, 0x03, 0x00};
    hostile.interrupt = inserted;
    hostile.interrupt_length = sizeof inserted;
    hostile.interrupt_status = EMU_OK;
    session_nudge(session);
    hostile.interrupt = NULL;
    track(session, RIG_IOCTL_IS_PRESENT);
    require(nt_request_wait(session->tracking, PATIENCE_US), "the driver does not see the card any more");
    session_end_tracking(session);
}

void session_recover(struct session *session)
{
    enum { ATTEMPTS = 3 };
    hostile = (struct hostile){0};
    session_end_tracking(session);
    for (unsigned i = 0; i < ATTEMPTS; i++) {
        reinsert(session);
        if (connected(session)) {
            return;
        }
    }
    require(false, "the reader behaves again, and the driver does not use it");
}
