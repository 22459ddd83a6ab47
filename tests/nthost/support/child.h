// SPDX-License-Identifier: MIT
// Plain C: a fragment in a child process whose report comes back.
#pragma once

enum { CHILD_REPORT_SIZE = 0x10000 };

// Runs `routine` in a child. 1: it was aborted, 0: it returned, -1: anything else. `report` gets what
// child_report() was given, and AddressSanitizer's words as well.
int child_run(void (*routine)(void), char report[CHILD_REPORT_SIZE]);
void child_report(void *context, const char *text); // a bug check callback
int child_contains(const char *report, const char *text);
void child_show(const char *report);

// A thread of the host that runs host_thread_body(), which a test defines where it uses this.
void host_thread_start(void *context);
void host_thread_join(void);
void host_thread_body(void *context);
