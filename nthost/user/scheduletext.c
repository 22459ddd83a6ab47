// SPDX-License-Identifier: MIT
// Schedules as text.
#include "nthost/user/explore.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char none[] = "none";

static bool parse_number(const char **text, uint32_t *number)
{
    char *end;
    if (**text < '0' || **text > '9') {
        return false;
    }
    errno = 0;
    unsigned long value = strtoul(*text, &end, 10);
    *number = (uint32_t)value;
    *text = end;
    return errno == 0 && value <= UINT32_MAX;
}

static bool parse_departure(const char **text, struct nt_schedule *schedule)
{
    struct nt_departure departure;
    if (schedule->count == NT_DEPARTURES_MAX || !parse_number(text, &departure.point) || *(*text)++ != '.' ||
        !parse_number(text, &departure.option) || departure.option == 0) {
        return false;
    }
    if (schedule->count != 0 && departure.point <= schedule->departures[schedule->count - 1].point) {
        return false;
    }
    schedule->departures[schedule->count++] = departure;
    return true;
}

int nt_schedule_parse(const char *text, struct nt_schedule *schedule)
{
    *schedule = (struct nt_schedule){0};
    if (strcmp(text, none) == 0) {
        return 0;
    }
    do {
        if (!parse_departure(&text, schedule)) {
            return -EINVAL;
        }
    } while (*text++ == ',');
    return text[-1] == '\0' ? 0 : -EINVAL;
}

void nt_schedule_print(const struct nt_schedule *schedule, char text[NT_SCHEDULE_TEXT_MAX])
{
    size_t length = 0;
    (void)snprintf(text, NT_SCHEDULE_TEXT_MAX, "%s", none);
    for (unsigned i = 0; i < schedule->count; i++) {
        const struct nt_departure *departure = &schedule->departures[i];
        length += (size_t)snprintf(text + length, NT_SCHEDULE_TEXT_MAX - length, "%s%u.%u", i == 0 ? "" : ",",
                                   departure->point, departure->option);
    }
}
