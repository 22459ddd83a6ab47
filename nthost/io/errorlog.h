// SPDX-License-Identifier: MIT
// What drivers wrote to the event log: a ring of the last entries, plain C for user/ and tests.
#pragma once
#include <stdint.h>

enum { IOP_LOG_ENTRIES = 64, IOP_LOG_NAME = 64, IOP_LOG_STRINGS = 128, IOP_LOG_DUMP = 24 };

struct iop_log_entry {
    char driver[IOP_LOG_NAME], device[IOP_LOG_NAME]; // without their directories; device: empty when unnamed
    uint32_t code, unique, final_status, control_code;
    uint32_t dump_count, dump[IOP_LOG_DUMP];
    char strings[IOP_LOG_STRINGS]; // the insertion strings, separated by '|'
};

uint64_t iop_log_count(void);                                  // written since boot
int iop_log_read(uint64_t index, struct iop_log_entry *entry); // 0, or -1: not there (yet, or any more)
void iop_log_clear(void);
