// SPDX-License-Identifier: MIT
// Fault plans as text, for command lines and reports.
#include "nthost/user/nthost.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    uint32_t kinds;
} kinds[] = {
    {"all", NT_FAULT_ALL & ~(unsigned)NT_FAULT_CALL},
    {"allocation", NT_FAULT_ALLOCATION},
    {"irp", NT_FAULT_IRP},
    {"object", NT_FAULT_OBJECT},
    {"thread", NT_FAULT_THREAD},
    {"work-item", NT_FAULT_WORK_ITEM},
    {"registry", NT_FAULT_REGISTRY},
    {"wait", NT_FAULT_WAIT},
    {"transfer", NT_FAULT_TRANSFER},
    {"request", NT_FAULT_REQUEST},
    {"call", NT_FAULT_CALL},
};
static const char *const effects[NT_FAULT_EFFECTS] = {"fail", "late", "cancel", "meet"};

enum { KIND_COUNT = sizeof kinds / sizeof kinds[0], DEFAULT_LATE_US = 100000 };

const char *nt_fault_kind_name(enum nt_fault_kind kind)
{
    for (size_t i = 1; i < KIND_COUNT; i++) {
        if (kinds[i].kinds == (uint32_t)kind) {
            return kinds[i].name;
        }
    }
    return "?";
}

static bool parse_number(const char *text, uint64_t *number, char end, const char **rest)
{
    char *after;
    if (*text < '0' || *text > '9') {
        return false;
    }
    errno = 0;
    *number = strtoull(text, &after, 10);
    if (errno != 0 || *after != end) {
        return false;
    }
    if (rest != NULL) {
        *rest = after + 1;
    }
    return true;
}

static bool parse_kinds(char *text, struct nt_fault_plan *plan)
{
    char *place;
    for (char *word = strtok_r(text, ",", &place); word != NULL; word = strtok_r(NULL, ",", &place)) {
        size_t i = 0;
        while (i < KIND_COUNT && strcmp(kinds[i].name, word) != 0) {
            i++;
        }
        if (i == KIND_COUNT) {
            return false;
        }
        plan->kinds |= kinds[i].kinds;
    }
    return plan->kinds != 0;
}

static bool parse_effect(const char *text, struct nt_fault_plan *plan)
{
    plan->late_us = DEFAULT_LATE_US;
    for (int i = 0; i < NT_FAULT_MEET; i++) {
        size_t length = strlen(effects[i]);
        if (strncmp(text, effects[i], length) == 0) {
            plan->effect = (enum nt_fault_effect)i;
            return text[length] == '\0' || (i != NT_FAULT_FAIL && text[length] == '=' &&
                                            parse_number(text + length + 1, &plan->late_us, '\0', NULL));
        }
    }
    return false;
}

static bool parse_chance(const char *text, struct nt_fault_plan *plan)
{
    const char *seed;
    uint64_t chance;
    if (!parse_number(text, &chance, '/', &seed) || chance > 1000000) {
        return false;
    }
    plan->mode = NT_FAULT_CHANCE;
    plan->chance = (uint32_t)chance;
    return parse_number(seed, &plan->seed, '\0', NULL);
}

static bool parse_which(const char *text, struct nt_fault_plan *plan)
{
    static const struct {
        const char *prefix;
        enum nt_fault_mode mode;
    } numbered[] = {{"nth=", NT_FAULT_NTH}, {"from=", NT_FAULT_FROM}, {"site=", NT_FAULT_SITE}};
    for (size_t i = 0; i < sizeof numbered / sizeof numbered[0]; i++) {
        size_t length = strlen(numbered[i].prefix);
        if (strncmp(text, numbered[i].prefix, length) == 0) {
            plan->mode = numbered[i].mode;
            return parse_number(text + length, &plan->n, '\0', NULL) && plan->n != 0;
        }
    }
    if (strncmp(text, "chance=", 7) == 0) {
        return parse_chance(text + 7, plan);
    }
    plan->mode = strcmp(text, "each") == 0 ? NT_FAULT_SITE : NT_FAULT_NONE;
    return plan->mode == NT_FAULT_SITE || strcmp(text, "none") == 0;
}

static bool parse_driver(const char *text, struct nt_fault_plan *plan)
{
    if (text == NULL) {
        return true;
    }
    if (strncmp(text, "driver=", 7) != 0 || strlen(text + 7) >= sizeof plan->driver) {
        return false;
    }
    memcpy(plan->driver, text + 7, strlen(text + 7) + 1);
    return true;
}

int nt_fault_parse(const char *text, struct nt_fault_plan *plan)
{
    char copy[NT_FAULT_TEXT_MAX], *place;
    *plan = (struct nt_fault_plan){.kinds = 0};
    size_t length = strlen(text);
    if (length >= sizeof copy) {
        return -EINVAL;
    }
    memcpy(copy, text, length + 1);
    char *kind_words = strtok_r(copy, ":", &place);
    char *effect = strtok_r(NULL, ":", &place);
    char *which = strtok_r(NULL, ":", &place);
    char *driver = strtok_r(NULL, ":", &place);
    bool right = which != NULL && parse_kinds(kind_words, plan) && parse_effect(effect, plan) &&
                 parse_which(which, plan) && parse_driver(driver, plan) &&
                 strtok_r(NULL, ":", &place) == NULL;
    return right ? 0 : -EINVAL;
}

static void append(char *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void append(char *text, const char *format, ...)
{
    va_list arguments;
    size_t length = strlen(text);
    va_start(arguments, format);
    (void)vsnprintf(text + length, NT_FAULT_TEXT_MAX - length, format, arguments);
    va_end(arguments);
}

static void print_kinds(const struct nt_fault_plan *plan, char text[NT_FAULT_TEXT_MAX])
{
    const char *separator = "";
    for (size_t i = 1; i < KIND_COUNT; i++) {
        if ((plan->kinds & kinds[i].kinds) != 0) {
            append(text, "%s%s", separator, kinds[i].name);
            separator = ",";
        }
    }
}

void nt_fault_print(const struct nt_fault_plan *plan, char text[NT_FAULT_TEXT_MAX])
{
    static const char *const modes[] = {[NT_FAULT_NONE] = "none",
                                        [NT_FAULT_NTH] = "nth=",
                                        [NT_FAULT_FROM] = "from=",
                                        [NT_FAULT_SITE] = "site="};
    text[0] = '\0';
    print_kinds(plan, text);
    append(text, ":%s", effects[plan->effect]);
    if (plan->effect == NT_FAULT_LATE || plan->effect == NT_FAULT_CANCEL) {
        append(text, "=%llu", (unsigned long long)plan->late_us);
    }
    if (plan->mode == NT_FAULT_CHANCE) {
        append(text, ":chance=%u/%llu", plan->chance, (unsigned long long)plan->seed);
    } else if (plan->mode == NT_FAULT_SITE && plan->n == 0) {
        append(text, ":each");
    } else {
        append(text, ":%s", modes[plan->mode]);
        if (plan->mode != NT_FAULT_NONE) {
            append(text, "%llu", (unsigned long long)plan->n);
        }
    }
    if (plan->driver[0] != '\0') {
        append(text, ":driver=%s", plan->driver);
    }
}
