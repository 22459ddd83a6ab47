// SPDX-License-Identifier: MIT
// What happens to readers: plugging, cards, handles, PnP, sleep.
#include "rig/scenario/internal.h"

#include <stdio.h>
#include <string.h>

// ---- plugging ----

static struct scn_reader *reader_named(struct scn_run *run, const char *name)
{
    struct scn_reader *unused = NULL;
    for (size_t i = 0; i < SCN_READERS_MAX; i++) {
        if (strcmp(run->readers[i].name, name) == 0) {
            return &run->readers[i];
        }
        if (run->readers[i].name[0] == '\0' && unused == NULL) {
            unused = &run->readers[i];
        }
    }
    return unused;
}

static bool has_open_slot(const struct scn_reader *reader)
{
    for (size_t slot = 0; slot < EMU_SLOTS_MAX; slot++) {
        if (reader->slots[slot].file != NULL) {
            return true;
        }
    }
    return false;
}

static struct scn_reader *take_name(struct scn_run *run, const struct scn_statement *statement)
{
    const char *name = statement->name[0] != '\0' ? statement->name : "reader";
    struct scn_reader *reader = reader_named(run, name);
    if (reader == NULL) {
        scn_fail(run, statement, "more than %d readers", SCN_READERS_MAX);
        return NULL;
    }
    if (reader->plugged || has_open_slot(reader)) {
        scn_fail(run, statement, "'%s' is still %s; name the new reader with `as NAME`", name,
                 reader->plugged ? "plugged" : "open");
        return NULL;
    }
    *reader = (struct scn_reader){0};
    memcpy(reader->name, name, strlen(name) + 1);
    return reader;
}

void scn_plug(struct scn_run *run, const struct scn_statement *statement)
{
    const char *cards[EMU_SLOTS_MAX];
    uint32_t port;
    struct scn_reader *reader = take_name(run, statement);
    if (reader == NULL) {
        return;
    }
    for (size_t slot = 0; slot < EMU_SLOTS_MAX; slot++) {
        cards[slot] = statement->cards[slot];
    }
    nt_status status = rig_plug(statement->model, cards, EMU_SLOTS_MAX, &port);
    if (rig_status_ok(status)) {
        reader->plugged = rig_find(port, &reader->rig);
        run->latest = reader;
    } else {
        reader->name[0] = '\0';
    }
    scn_check_status(run, statement, NULL, status);
}

void scn_unplug(struct scn_run *run, const struct scn_statement *statement)
{
    struct scn_reader *reader = scn_reader_of(run, statement);
    if (reader == NULL || reader->pulled) {
        return;
    }
    reader->plugged = false;
    scn_check_status(run, statement, NULL, rig_unplug(reader->rig.port));
}

void scn_pull_all(struct scn_run *run)
{
    run->pulled = true;
    for (size_t i = 0; i < SCN_READERS_MAX; i++) {
        struct scn_reader *reader = &run->readers[i];
        if (reader->plugged) {
            reader->plugged = false;
            reader->pulled = true;
            (void)rig_unplug(reader->rig.port);
        }
    }
}

// ---- cards ----

void scn_insert(struct scn_run *run, const struct scn_statement *statement)
{
    const struct scn_reader *reader = scn_reader_of(run, statement);
    if (reader != NULL && !reader->pulled) {
        nt_status status = rig_insert(reader->rig.port, statement->slot, statement->text);
        scn_check_status(run, statement, NULL, status);
    }
}

void scn_eject(struct scn_run *run, const struct scn_statement *statement)
{
    const struct scn_reader *reader = scn_reader_of(run, statement);
    if (reader != NULL && !reader->pulled) {
        scn_check_status(run, statement, NULL, rig_eject(reader->rig.port, statement->slot));
    }
}

// ---- handles ----

void scn_open(struct scn_run *run, const struct scn_statement *statement)
{
    struct scn_reader *reader = scn_reader_of(run, statement);
    nt_file *file;
    if (reader == NULL) {
        return;
    }
    if (statement->slot >= reader->rig.slots) {
        scn_fail(run, statement, "the reader has %u slots", reader->rig.slots);
        return;
    }
    struct scn_slot *slot = &reader->slots[statement->slot];
    nt_status status = nt_open(reader->rig.links[statement->slot], &file);
    if (rig_status_ok(status) && slot->file == NULL) {
        *slot = (struct scn_slot){.file = file};
    } else if (rig_status_ok(status)) {
        nt_close(file);
    }
    scn_check_status(run, statement, reader, status);
}

void scn_close(struct scn_run *run, const struct scn_statement *statement)
{
    struct scn_reader *reader = scn_reader_of(run, statement);
    if (reader == NULL) {
        return;
    }
    struct scn_slot *slot = &reader->slots[statement->slot];
    if (slot->file != NULL) {
        nt_close(slot->file);
        slot->file = NULL;
    } else if (!reader->pulled) {
        scn_fail(run, statement, "the slot is not open");
    }
}

// ---- PnP, power, registry ----

static nt_status pnp_action(uint32_t action, const char *instance)
{
    nt_status status;
    switch (action) {
    case SCN_PNP_STOP:
        return nt_device_stop(instance);
    case SCN_PNP_START:
        status = nt_device_start(instance);
        nt_pnp_wait(); // until its interfaces are there
        return status;
    case SCN_PNP_REMOVE:
        return nt_device_remove(instance);
    default:
        nt_device_surprise_remove(instance);
        return RIG_STATUS_SUCCESS;
    }
}

void scn_pnp(struct scn_run *run, const struct scn_statement *statement)
{
    const struct scn_reader *reader = scn_reader_of(run, statement);
    if (reader != NULL && !reader->pulled) {
        scn_check_status(run, statement, NULL, pnp_action(statement->code, reader->rig.instance));
    }
}

void scn_sleep(struct scn_run *run, const struct scn_statement *statement)
{
    scn_check_status(run, statement, NULL, nt_system_power((enum nt_system_power)statement->code));
}

void scn_resume(struct scn_run *run, const struct scn_statement *statement)
{
    scn_check_status(run, statement, NULL, nt_system_power(NT_POWER_S0));
}

void scn_registry(struct scn_run *run, const struct scn_statement *statement)
{
    char key[NT_ID_MAX + 32];
    const struct scn_reader *reader = scn_reader_of(run, statement);
    if (reader == NULL) {
        return;
    }
    (void)snprintf(key, sizeof key, "Enum\\%s\\Device Parameters", reader->rig.instance);
    int error = statement->value != NULL
                    ? nt_registry_set_string(key, statement->text, statement->value)
                    : nt_registry_set_dword(key, statement->text, (uint32_t)statement->number);
    if (error != 0) {
        scn_fail(run, statement, "%s", strerror(-error));
    }
}
