// SPDX-License-Identifier: MIT
// Work in processes of its own: whatever becomes of one, a broken rule, a hang, a sanitizer's report, the
// others go on. Nothing may be booted in the calling process.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

// Runs in a child; what it prints to `out` is the result. Returns whether the job succeeded.
typedef bool rig_job(void *context, size_t index, FILE *out);

struct rig_job_result {
    size_t index;
    bool succeeded;
    const char *died; // NULL, or how the child ended: "was killed by signal 6 (Aborted)"
    const char *text; // terminated; lives until the visitor returns
    size_t length;
};
typedef void rig_job_visitor(void *context, const struct rig_job_result *result);

// Runs jobs 0 to count - 1, `width` at once (0: as many as there are processors), each for at most `seconds`.
// The visitor gets the results as they come, in the calling process. 0, or negative errno after which no
// child is left.
int rig_jobs(size_t count, unsigned width, unsigned seconds, rig_job *job, rig_job_visitor *visitor,
             void *context);
