// SPDX-License-Identifier: MIT
// A reader driver without hardware, built on the library as a vendor builds one. Plain C, for the host side
// of a test and for the driver: the test sets what the callbacks do and reads what they saw. Values are those
// of the reference, written out again.
#pragma once

enum {
    POWER = 0x00310004,
    GET_ATTRIBUTE = 0x00310008,
    SET_ATTRIBUTE = 0x0031000C,
    CONFISCATE = 0x00310010,
    TRANSMIT = 0x00310014,
    EJECT = 0x00310018,
    SWALLOW = 0x0031001C,
    OBSOLETE_READ = 0x00310020,
    IS_PRESENT = 0x00310028,
    IS_ABSENT = 0x0031002C,
    SET_PROTOCOL = 0x00310030,
    GET_STATE = 0x00310038,
    GET_LAST_ERROR = 0x0031003C,
    GET_PERF_CNTR = 0x00310040,
    VENDOR = 0x00312000,
    VENDOR_OTHER_DEVICE = 0x00330000,
    // Answered by the driver before the library sees them.
    TEST_STATE = 0x00315000,   // in: the new CurrentState; a change of presence is a card event
    TEST_FINISH = 0x00315004,  // completes the request that a callback left pending
    TEST_RELEASE = 0x00315008, // lets a blocked callback go on
    TEST_LOG = 0x0031500C,     // in: the insertion string (none: NULL); logs C0100002 and 12345678
};

enum { UNKNOWN, ABSENT, PRESENT, SWALLOWED, POWERED, NEGOTIABLE, SPECIFIC };
enum { T0 = 1, T1 = 2, RAW = 0x10000, DEFAULT = (int)0x80000000 };

enum {
    ST_SUCCESS = 0,
    ST_PENDING = 0x103,
    ST_BUFFER_OVERFLOW = (int)0x80000005,
    ST_DEVICE_BUSY = (int)0x80000011,
    ST_UNSUCCESSFUL = (int)0xC0000001,
    ST_INVALID_PARAMETER = (int)0xC000000D,
    ST_INVALID_DEVICE_REQUEST = (int)0xC0000010,
    ST_UNRECOGNIZED_MEDIA = (int)0xC0000014,
    ST_BUFFER_TOO_SMALL = (int)0xC0000023,
    ST_IO_TIMEOUT = (int)0xC00000B5,
    ST_NOT_SUPPORTED = (int)0xC00000BB,
    ST_CANCELLED = (int)0xC0000120,
    ST_NO_MEDIA = (int)0xC0000178,
    ST_INVALID_DEVICE_STATE = (int)0xC0000184,
    ST_DEVICE_PROTOCOL_ERROR = (int)0xC0000186,
};

struct test_reader {
    // what the driver tells the library
    unsigned version;
    unsigned protocols;
    unsigned absent_callbacks; // bit n: ReaderFunction[n] is NULL
    int uninitialised;         // as if SmartcardInitialize had failed
    // what the callbacks do
    unsigned status[16]; // ST_PENDING leaves the request to TEST_FINISH
    unsigned char atr[40];
    unsigned atr_length;
    int update;          // POWER calls SmartcardUpdateCardCapabilities itself
    int no_answer;       // POWER, SET_PROTOCOL: no Information, nothing in the reply
    int atr_as_protocol; // SET_PROTOCOL copies a whole ATR into its reply
    int vanish;          // POWER: the card is pulled meanwhile, and SUCCESS all the same
    int select_raw;      // POWER: the driver knows this card and sets state and selection itself
    int user_parameters; // POWER: PtsData is the driver's own choice
    int select_nothing;  // SET_PROTOCOL answers, but stores no selection
    int swallows, confiscated;
    int concurrent;           // requests meet: the driver itself looks at nothing between them
    int block;                // TRANSMIT waits for TEST_RELEASE
    int complete_in_callback; // TRACKING completes the request before it returns
    int t1_rounds;            // TRANSMIT: T=1 blocks before it gives up, 0: none
    unsigned vendor_answer;   // bytes
    // what the callbacks saw
    unsigned calls[16];
    unsigned major, minor;
    unsigned state; // CurrentState during the callback
    unsigned reply_length;
    int reply_null;
    int reply_empty; // SET_PROTOCOL: nothing of an earlier answer is in the reply
    int current_is_set;
    unsigned lengths; // of what lies in the library's own buffers, both
    unsigned char request[64];
    unsigned request_length;
    unsigned pts_type, pts_dl, pts_rate;
    int blocked; // atomic
    int stop;    // the tests' own
    // after a request
    int idle;  // IoRequest points to nothing of the last one, CurrentIrp is NULL
    int wiped; // the request buffer holds nothing of the last command
};

extern struct test_reader test_reader;
