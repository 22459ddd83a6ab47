// SPDX-License-Identifier: MIT
// The rig: nthost booted with the reader driver, its library and the virtual bus, and readers plugged into
// it. One per process, as nthost is. Every call may come from any thread; a port is the bus's number of a
// plugged reader.
#pragma once
#include "emulator/emulator.h"
#include "nthost/user/nthost.h"

struct inf_value; // rig/inf.h

#define RIG_READER_SERVICE "lectern"
#define RIG_BUS_SERVICE    "lectvbus"

// GUID_DEVINTERFACE_SMARTCARD_READER in memory order
extern const uint8_t rig_reader_guid[16];

// Which reader driver rig_boot starts from now on. NULL: the one built into this program. Else an image file;
// what it imports from, smclib.sys, lies beside it, and a lectvbus.sys there is the bus instead of the
// built-in one. Or a folder with a lectern.sys. 0, or negative errno and it is the built-in one.
int rig_choose_driver(const char *path);
// Whether an image runs, from the next rig_boot on, in a process of its own without rights (lectern-host). A
// driver that breaks it ends that process only, see nt_alive().
void rig_isolate(bool isolate);
// What an INF says of the chosen image; NULL: it is the reader driver of this project. Until the next
// rig_choose_package its strings stay.
struct rig_package {
    const char *service;
    const char *const *hardware_ids; // NULL-terminated
    const struct inf_value *values;
    size_t value_count;
};
void rig_choose_package(const struct rig_package *package);
// Why the last rig_boot could not start an image: lines, with every missing import; empty: it was not that.
const char *rig_refusal(void);

// Boots the kernel, adds the services, starts the bus. On failure nothing is left running.
nt_status rig_boot(const struct nt_options *options);
// Unplugs what is plugged and shuts the kernel down. Files on slots must be closed first.
void rig_shutdown(void);

// Plugs a reader and waits until its driver has started; `cards` name what is in its slots (NULL or "":
// empty). A reader whose driver did not start is unplugged again and its problem returned.
nt_status rig_plug(const struct emu_model *model, const char *const *cards, size_t card_count,
                   uint32_t *port);
nt_status rig_unplug(uint32_t port);
nt_status rig_insert(uint32_t port, unsigned slot, const char *card);
nt_status rig_eject(uint32_t port, unsigned slot);
nt_status rig_statistics(uint32_t port, struct emu_statistics *statistics);

unsigned rig_slots(uint32_t port); // slots the driver offers; 0: no such reader
nt_status rig_open(uint32_t port, unsigned slot, nt_file **file);

struct rig_reader {
    uint32_t port;
    struct emu_model model;
    char instance[NT_ID_MAX];
    unsigned slots;
    char links[EMU_SLOTS_MAX][NT_ID_MAX];
    char cards[EMU_SLOTS_MAX][EMU_NAME_MAX]; // what was last put in, empty: nothing
};
bool rig_find(uint32_t port, struct rig_reader *reader); // false: no such reader
// Copies the readers now plugged; returns how many there are, which may exceed the capacity.
size_t rig_readers(struct rig_reader *readers, size_t capacity);

enum { RIG_LINKS_MAX = 10 };
bool rig_link(unsigned number, char link[NT_ID_MAX]); // "\\\\.\\SCReader0"; is there something of that name

bool rig_card_known(const char *card); // is there a card of that name
// The same, or one outside (rig/cards.h), which is opened if need be; rig_card_why() may say why it is not
// there.
bool rig_card_open(const char *card);
const char *rig_card_why(void);
