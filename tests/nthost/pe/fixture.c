// SPDX-License-Identifier: MIT
#include "tests/nthost/pe/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const pe_compilers[] = {"mingw", "lld", NULL};

// Also in child processes, where no test framework is: what must hold ends the process with its line.
#define MUST(condition)                                                                                      \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                                  \
            exit(EXIT_FAILURE);                                                                              \
        }                                                                                                    \
    } while (0)

void pe_boot(enum nt_clock clock, uint64_t seed, void (*report)(void *context, const char *text))
{
    const struct nt_options options = {
        .clock = clock, .seed = seed, .verifier = true, .images = true, .bugcheck = report};
    MUST(nt_boot(&options) == 0);
}

int pe_add(const char *folder, const char *file, char report[PE_REPORT_SIZE])
{
    static const char *const ids[] = {BAD_HARDWARE_ID, NULL};
    const struct nt_service service = {"bad", NULL, ids};
    char path[4096];
    snprintf(path, sizeof path, "%s/%s/%s", PE_IMAGES, folder, file);
    return nt_service_add_image(&service, path, report, PE_REPORT_SIZE);
}

void pe_start(const char *folder, char *instance)
{
    static char report[PE_REPORT_SIZE];
    char own[NT_ID_MAX] = "";
    MUST(pe_add(folder, "bad.sys", report) == 0);
    MUST(nt_root_device_add(BAD_HARDWARE_ID, instance != NULL ? instance : own) == 0);
}

nt_status pe_act(enum bad_action action, void *answer)
{
    nt_file *file;
    MUST(nt_open(BAD_PATH, &file) == 0);
    memset(answer, 0, sizeof(struct bad_place));
    nt_status status =
        nt_device_control(file, BAD_CONTROL(action), NULL, 0, answer, sizeof(struct bad_place), NULL);
    nt_close(file);
    return status;
}

unsigned pe_count(enum bad_action action)
{
    struct bad_place answer;
    unsigned number;
    MUST(pe_act(action, &answer) == 0);
    memcpy(&number, &answer, sizeof number);
    return number;
}
