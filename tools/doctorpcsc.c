// SPDX-License-Identifier: MIT
// pcscd: installed, not too old, running, letting us in; the cards it sees.
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <winscard.h>

#include "tools/doctor.h"

#define SOCKET "/run/pcscd/pcscd.comm"

enum { NAMES_BYTES = 4096, READERS_MAX = 16, OLDEST_MAJOR = 1, OLDEST_MINOR = 9 };

// libpcsclite comes with every PC/SC program, not with this one.
struct library {
    LONG (*establish)(DWORD, LPCVOID, LPCVOID, LPSCARDCONTEXT);
    LONG (*release)(SCARDCONTEXT);
    LONG (*list)(SCARDCONTEXT, LPCSTR, LPSTR, LPDWORD);
    LONG (*status)(SCARDCONTEXT, DWORD, SCARD_READERSTATE *, DWORD);
};

static bool load(struct library *library)
{
    void *handle = dlopen("libpcsclite.so.1", RTLD_NOW);
    if (handle == NULL) {
        return false;
    }
    *(void **)&library->establish = dlsym(handle, "SCardEstablishContext");
    *(void **)&library->release = dlsym(handle, "SCardReleaseContext");
    *(void **)&library->list = dlsym(handle, "SCardListReaders");
    *(void **)&library->status = dlsym(handle, "SCardGetStatusChange");
    return library->establish != NULL && library->release != NULL && library->list != NULL &&
           library->status != NULL;
}

static void say_card(struct doctor *doctor, const char *reader, DWORD state)
{
    if ((state & SCARD_STATE_MUTE) != 0) {
        doctor_say(doctor, DOCTOR_PROBLEM, "card",
                   "turn the card round, clean its contacts, or try another one",
                   "%s: its card does not answer", reader);
    } else if ((state & SCARD_STATE_PRESENT) != 0) {
        doctor_say(doctor, DOCTOR_OK, "card", "", "%s: there is a card", reader);
    } else {
        doctor_say(doctor, DOCTOR_NOTE, "card", "", "%s: no card", reader);
    }
}

static void check_cards(struct doctor *doctor, const struct library *library, SCARDCONTEXT context)
{
    char names[NAMES_BYTES];
    DWORD length = sizeof names;
    if (library->list(context, NULL, names, &length) != SCARD_S_SUCCESS) {
        doctor_say(doctor, DOCTOR_PROBLEM, "readers",
                   "see the other findings, or what pcscd logs: journalctl -u pcscd", "pcscd has no reader");
        return;
    }
    for (const char *name = names; name < names + length && *name != '\0'; name += strlen(name) + 1) {
        SCARD_READERSTATE state = {.szReader = name, .dwCurrentState = SCARD_STATE_UNAWARE};
        if (library->status(context, 0, &state, 1) == SCARD_S_SUCCESS) {
            say_card(doctor, name, state.dwEventState);
        }
    }
}

static void ask(struct doctor *doctor)
{
    struct library library = {0};
    SCARDCONTEXT context;
    if (!load(&library)) {
        doctor_say(doctor, DOCTOR_NOTE, "service", "apt-get install libpcsclite1",
                   "libpcsclite is not installed");
        return;
    }
    LONG result = library.establish(SCARD_SCOPE_SYSTEM, NULL, NULL, &context);
    if (result == SCARD_S_SUCCESS) {
        doctor_say(doctor, DOCTOR_OK, "service", "", "pcscd answers");
        check_cards(doctor, &library, context);
        (void)library.release(context);
    } else if (result == SCARD_W_SECURITY_VIOLATION) {
        doctor_say(doctor, DOCTOR_PROBLEM, "service",
                   "log in at the machine itself, or add a polkit rule for org.debian.pcsc-lite.access_pcsc",
                   "polkit does not let you talk to pcscd");
    } else {
        doctor_say(doctor, DOCTOR_PROBLEM, "service", "systemctl restart pcscd.socket pcscd",
                   "pcscd does not answer (0x%08lX)", (unsigned long)result);
    }
}

// "1.9.9-2" of Debian's list of packages; false: not there.
static bool version(const struct doctor *doctor, char text[64])
{
    char path[PATH_MAX], line[256];
    bool mine = false, found = false;
    FILE *file = doctor_path(doctor, path, "/var/lib/dpkg/status") ? fopen(path, "re") : NULL;
    while (file != NULL && !found && fgets(line, sizeof line, file) != NULL) {
        mine = line[0] == '\n' ? false : mine || strcmp(line, "Package: pcscd\n") == 0;
        found = mine && sscanf(line, "Version: %63s", text) == 1;
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return found;
}

static bool check_program(struct doctor *doctor)
{
    char text[64], *rest;
    if (!doctor_exists(doctor, "/usr/sbin/pcscd")) {
        doctor_say(doctor, DOCTOR_PROBLEM, "pcscd", "apt-get install pcscd", "pcscd is not installed");
        return false;
    }
    if (!version(doctor, text)) {
        doctor_say(doctor, DOCTOR_OK, "pcscd", "", "pcscd is installed");
        return true;
    }
    unsigned long major = strtoul(text, &rest, 10), minor = *rest == '.' ? strtoul(rest + 1, NULL, 10) : 0;
    if (major < OLDEST_MAJOR || (major == OLDEST_MAJOR && minor < OLDEST_MINOR)) {
        doctor_say(doctor, DOCTOR_PROBLEM, "pcscd", "install a newer one", "pcscd %s is older than %d.%d",
                   text, OLDEST_MAJOR, OLDEST_MINOR);
    } else {
        doctor_say(doctor, DOCTOR_OK, "pcscd", "", "pcscd %s is installed", text);
    }
    return true;
}

void doctor_pcscd(struct doctor *doctor)
{
    if (!check_program(doctor)) {
        return;
    }
    bool here = doctor->root[0] == '\0';
    bool elsewhere = here && getenv("PCSCLITE_CSOCK_NAME") != NULL;
    if (!elsewhere && !doctor_exists(doctor, SOCKET)) {
        doctor_say(doctor, DOCTOR_PROBLEM, "service", "systemctl enable --now pcscd.socket",
                   "pcscd does not run, and its socket is not activated: " SOCKET " is missing");
    } else if (here) {
        ask(doctor);
    } else {
        doctor_say(doctor, DOCTOR_OK, "service", "", "pcscd's socket is there");
    }
}
