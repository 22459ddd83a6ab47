// SPDX-License-Identifier: MIT
// lectern doctor: what keeps a reader from working, and the cure.
#include "tools/doctor.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { TEXT_MAX = 512 };

static int run(const struct command *command, int argc, char **argv);

const struct command doctor_command = {
    "doctor",
    "find what keeps a reader from working, and the cure",
    "usage: lectern doctor [--root DIR] [--json]\n"
    "\n"
    "Looks at the readers on USB, their device nodes, who holds them, which handler pcscd takes for them, "
    "and "
    "pcscd\n"
    "itself, the cards in its readers included. Changes nothing. One line a finding, with the cure below a "
    "problem; the\n"
    "exit status is 1 when there is a problem.\n"
    "\n"
    "  --root DIR       look at the files below DIR instead of /, and do not talk to pcscd\n"
    "  --json           print one JSON object: ok, checks: [check, result: ok, note or problem, text, "
    "cure]\n",
    run,
};

static const char *const results[] = {"ok", "note", "problem"};

void doctor_say(struct doctor *doctor, enum doctor_result result, const char *check, const char *cure,
                const char *format, ...)
{
    char text[TEXT_MAX];
    va_list arguments;
    va_start(arguments, format);
    // NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized)
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    doctor->problems += result == DOCTOR_PROBLEM ? 1 : 0;
    if (doctor->checks == NULL) {
        (void)printf("%-7s %s: %s\n", results[result], check, text);
        if (cure[0] != '\0') {
            (void)printf("        cure: %s\n", cure);
        }
        return;
    }
    cJSON *finding = cJSON_CreateObject();
    cJSON_AddStringToObject(finding, "check", check);
    cJSON_AddStringToObject(finding, "result", results[result]);
    cJSON_AddStringToObject(finding, "text", text);
    cJSON_AddStringToObject(finding, "cure", cure);
    cJSON_AddItemToArray(doctor->checks, finding);
}

static bool make_path(const struct doctor *doctor, char path[PATH_MAX], const char *format, va_list arguments)
{
    int root = snprintf(path, PATH_MAX, "%s", doctor->root);
    if (root < 0 || root >= PATH_MAX) {
        return false;
    }
    int rest = vsnprintf(path + root, (size_t)(PATH_MAX - root), format, arguments);
    return rest >= 0 && rest < PATH_MAX - root;
}

bool doctor_path(const struct doctor *doctor, char path[PATH_MAX], const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    bool made = make_path(doctor, path, format, arguments);
    va_end(arguments);
    return made;
}

bool doctor_line(const struct doctor *doctor, char *line, size_t size, const char *format, ...)
{
    char path[PATH_MAX];
    va_list arguments;
    va_start(arguments, format);
    bool made = make_path(doctor, path, format, arguments);
    va_end(arguments);
    FILE *file = made ? fopen(path, "re") : NULL;
    bool read = file != NULL && fgets(line, (int)size, file) != NULL;
    line[read ? strcspn(line, "\n") : 0] = '\0';
    if (file != NULL) {
        (void)fclose(file);
    }
    return read;
}

bool doctor_has(const struct doctor *doctor, const char *text, const char *format, ...)
{
    char path[PATH_MAX], line[TEXT_MAX];
    va_list arguments;
    va_start(arguments, format);
    bool made = make_path(doctor, path, format, arguments), found = false;
    va_end(arguments);
    FILE *file = made ? fopen(path, "re") : NULL;
    while (file != NULL && !found && fgets(line, sizeof line, file) != NULL) {
        found = strstr(line, text) != NULL && line[0] != '#';
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return found;
}

bool doctor_exists(const struct doctor *doctor, const char *path)
{
    char whole[PATH_MAX];
    return doctor_path(doctor, whole, "%s", path) && access(whole, F_OK) == 0;
}

static int run(const struct command *command, int argc, char **argv)
{
    struct options options;
    int first = options_parse(command, argc, argv, "jR", &options);
    if (first < 0) {
        return EXIT_USAGE;
    }
    if (options.help) {
        return print_usage(command);
    }
    if (first < argc) {
        return complain(command, EXIT_USAGE, "'%s' is not expected, see `lectern doctor --help`",
                        argv[first]);
    }
    if (options.root != NULL && access(options.root, X_OK) != 0) {
        return complain(command, EXIT_FAILED, "--root %s: no such folder, or no right to look into it",
                        options.root);
    }
    struct doctor doctor = {.root = options.root != NULL ? options.root : ""};
    doctor.checks = options.json ? cJSON_CreateArray() : NULL;
    if (doctor_usb(&doctor) == 0) {
        doctor_say(
            &doctor, DOCTOR_PROBLEM, "usb",
            "plug one in and see whether lsusb lists it; a virtual machine or container must be given it",
            "no smart card reader on USB");
    }
    doctor_pcscd(&doctor);
    int result = doctor.problems == 0 ? EXIT_DONE : EXIT_FAILED;
    if (options.json) {
        cJSON *object = cJSON_CreateObject();
        cJSON_AddBoolToObject(object, "ok", doctor.problems == 0);
        cJSON_AddItemToObject(object, "checks", doctor.checks);
        return print_json(command, object) != EXIT_DONE ? EXIT_FAILED : result;
    }
    return result;
}
