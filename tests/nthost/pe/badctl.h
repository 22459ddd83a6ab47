// SPDX-License-Identifier: MIT
// What the test driver does when asked. Plain C: the driver and the tests share it.
#pragma once

#define BAD_HARDWARE_ID "ROOT\\BAD"
#define BAD_PATH        "\\\\.\\Bad"
#define BAD_CONTROL(n)  (0x220000u | (0x800u + (n)) << 2)
#define BAD_ACTION(c)   (((c) >> 2 & 0xFFFu) - 0x800u)

enum bad_action {
    BAD_COUNT,         // how often it was asked since the image was loaded
    BAD_LIBRARY_COUNT, // the same of its library
    BAD_PLACE,         // thread, IRQL, time and tick count as inline code reads them: struct bad_place
    BAD_DPC,           // the IRQL that a timer's DPC reads
    BAD_SYSTEM_THREAD, // runs one and waits for it
    BAD_NULL_WRITE,
    BAD_NULL_READ_RAISED,
    BAD_NULL_CALL,
    BAD_THREAD_WRITE,
    BAD_FAST_FAIL,
    BAD_STACK,
    BAD_RAISE,
    BAD_HALT,
    BAD_DIVIDE,
    BAD_LEAK,
    BAD_KEEP_IRQL,
    BAD_TRY_WRITE, // within __try; answers the status
    BAD_TRY_RAISE,
};

struct bad_place {
    unsigned long long thread, current_thread; // through GS, and as PsGetCurrentThreadId counts
    unsigned long long time, ticks;
    unsigned char irql, raised;
};
