// SPDX-License-Identifier: MIT
// Structured exceptions, by a compiler that knows __try (clang, as for MSVC). Events noted in order are the
// result.
#include "host.h"

#define EXCEPTION_EXECUTE_HANDLER    1
#define EXCEPTION_CONTINUE_SEARCH    0
#define EXCEPTION_CONTINUE_EXECUTION (-1)
#define STATUS_ACCESS_VIOLATION      0xc0000005u

struct RECORD {
    UINT32 Code;
    UINT32 Flags;
    struct RECORD *Chained;
    void *Address;
    UINT32 Count;
    UINT64 Parameters[15];
};

struct POINTERS {
    struct RECORD *Record;
    UINT64 *Context; // CONTEXT as quadwords
};

enum { CONTEXT_RAX = 0x78 / 8, CONTEXT_RCX = 0x80 / 8, CONTEXT_RIP = 0xf8 / 8 };

IMPORT void ExRaiseStatus(UINT32 Status);
IMPORT void RtlRaiseException(struct RECORD *Record);
IMPORT UINT16 RtlCaptureStackBackTrace(UINT32 Skip, UINT32 Count, void **Frames, UINT32 *Hash);
unsigned long _exception_code(void);
void *_exception_info(void);
int _abnormal_termination(void);

UINT64 __security_cookie = 0x00002b992ddfa232ull;
const struct {
    UINT32 Size;
    UINT8 Unused[0x54];
    UINT64 *Cookie;
    UINT8 Rest[0x20];
} _load_config_used = {.Size = 0x80, .Cookie = &__security_cookie};

UINT64 SehCookie(void)
{
    return *(volatile UINT64 *)&__security_cookie;
}

static NEVER_INLINED int Touch(volatile int *at)
{
    *at = 7;
    return *at;
}

static NEVER_INLINED void Raise(UINT32 status)
{
    ExRaiseStatus(status);
    HostNote(99);
}

UINT32 SehExcept(int *at)
{
    UINT32 code = 0;
    __try {
        HostNote(1);
        Touch(at);
        HostNote(2);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        HostNote(3);
        code = (UINT32)_exception_code();
    }
    return code;
}

static int Check(struct POINTERS *pointers, UINT64 address)
{
    struct RECORD *record = pointers->Record;
    HostNote(10);
    return record->Code == STATUS_ACCESS_VIOLATION && record->Count == 2 && record->Parameters[0] == 1 &&
           record->Parameters[1] == address && pointers->Context[CONTEXT_RIP] == (UINT64)record->Address;
}

int SehFilter(int *at)
{
    int result = 0;
    __try {
        Touch(at);
    } __except (Check(_exception_info(), (UINT64)at)) {
        result = 1;
    }
    return result;
}

int SehFinally(UINT32 status)
{
    __try {
        __try {
            HostNote(1);
            if (status != 0) {
                Raise(status);
            }
            HostNote(2);
        } __finally {
            HostNote(_abnormal_termination() ? 4 : 3);
        }
    } __except (_exception_code() == status ? EXCEPTION_EXECUTE_HANDLER : EXCEPTION_CONTINUE_SEARCH) {
        HostNote(5);
        return 1;
    }
    return 0;
}

static NEVER_INLINED void Inner(UINT32 status)
{
    __try {
        Raise(status);
    } __finally {
        HostNote(2);
    }
}

static NEVER_INLINED void Middle(UINT32 status)
{
    __try {
        Inner(status);
    } __except (HostNote(1), EXCEPTION_CONTINUE_SEARCH) {
        HostNote(98);
    }
}

// The search passes the middle filter, then the inner finally runs, then the outer block.
UINT32 SehNested(UINT32 status)
{
    UINT32 result = 0;
    __try {
        Middle(status);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        HostNote(3);
        result = (UINT32)_exception_code();
    }
    return result;
}

static int Skip(struct POINTERS *pointers)
{
    UINT8 *rip = (UINT8 *)pointers->Context[CONTEXT_RIP];
    HostNote(1);
    if (rip[0] != 0x0f || rip[1] != 0x0b) {
        return EXCEPTION_EXECUTE_HANDLER;
    }
    pointers->Context[CONTEXT_RIP] += 2;
    pointers->Context[CONTEXT_RAX] = 77;
    return EXCEPTION_CONTINUE_EXECUTION;
}

static NEVER_INLINED int Illegal(void)
{
    int value;
    __asm__ volatile("mov $5, %%eax\n\tud2" : "=a"(value));
    return value;
}

int SehContinue(void)
{
    int result = 0;
    __try {
        result = Illegal();
    } __except (Skip(_exception_info())) {
        result = -1;
    }
    return result;
}

// Raised by the host below its own frames; locals and saved registers of this function must have survived.
UINT32 SehHostRaise(UINT32 status, int a, int b)
{
    volatile int kept = a;
    __try {
        HostRaise(status);
        HostNote(99);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        HostNote(1);
        return (UINT32)_exception_code() + (UINT32)(kept + b);
    }
    return 0;
}

static int Callback(int argument)
{
    __try {
        Raise((UINT32)argument);
    } __finally {
        HostNote(2);
    }
    return 0;
}

// Through a host routine that called back.
UINT32 SehThroughHost(int status)
{
    __try {
        HostCall(Callback, status);
        HostNote(99);
    } __except (HostNote(1), EXCEPTION_EXECUTE_HANDLER) {
        HostNote(3);
        return (UINT32)_exception_code();
    }
    return 0;
}

static int Inside(int argument)
{
    return (int)SehNested((UINT32)argument);
}

// An exception raised and handled inside a filter does not disturb the one being filtered.
UINT32 SehInFilter(UINT32 status, UINT32 other)
{
    __try {
        Raise(status);
    } __except (HostCall(Inside, (int)other) == (int)other) {
        HostNote(4);
        return (UINT32)_exception_code();
    }
    return 0;
}

static NEVER_INLINED void Collide(UINT32 first, UINT32 second)
{
    __try {
        __try {
            Raise(first);
            __asm__ volatile("nop"); // clang's scopes that touch overlap by one byte
        } __finally {
            HostNote(1);
            Raise(second);
        }
    } __finally {
        HostNote(2);
    }
}

// A finally block that raises: the second exception replaces the first, no block runs twice.
UINT32 SehCollided(UINT32 first, UINT32 second)
{
    __try {
        __try {
            Collide(first, second);
        } __except (_exception_code() == first) {
            HostNote(98);
        }
    } __except (_exception_code() == second) {
        HostNote(3);
        return (UINT32)_exception_code();
    }
    return 0;
}

static int Again(UINT32 code, UINT32 second)
{
    HostNote((int)code & 15);
    if (code != second) {
        Raise(second);
    }
    return EXCEPTION_EXECUTE_HANDLER;
}

// A filter that raises: the frames below it are searched again, for the new exception.
UINT32 SehFilterRaises(UINT32 first, UINT32 second)
{
    __try {
        Raise(first);
    } __except (Again((UINT32)_exception_code(), second)) {
        return (UINT32)_exception_code();
    }
    return 0;
}

static int MayContinue(struct POINTERS *pointers)
{
    return pointers->Record->Parameters[0] == 42 ? EXCEPTION_CONTINUE_EXECUTION : EXCEPTION_EXECUTE_HANDLER;
}

int SehRaiseRecord(UINT64 parameter)
{
    struct RECORD record = {.Code = 0xe0000001, .Count = 1, .Parameters = {parameter}};
    __try {
        RtlRaiseException(&record);
        return 1;
    } __except (MayContinue(_exception_info())) {
        return 2;
    }
}

static NEVER_INLINED void Deep(int depth, UINT32 status)
{
    volatile UINT8 frame[6000];
    frame[0] = (UINT8)depth;
    __try {
        if (depth == 0) {
            Raise(status);
        }
        Deep(depth - 1, status);
    } __finally {
        HostNote(frame[0]);
    }
}

// Frames larger than a page (__chkstk), unwound one by one.
UINT32 SehDeep(UINT32 status)
{
    __try {
        Deep(3, status);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return (UINT32)_exception_code();
    }
    return 0;
}

int SehLoop(int count)
{
    int caught = 0;
    for (int i = 0; i < count; i++) {
        __try {
            Raise((UINT32)i | 0xe0000000u);
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            caught += _exception_code() == ((UINT32)i | 0xe0000000u);
        }
    }
    return caught;
}

void SehUnhandled(int *at)
{
    __try {
        Touch(at);
    } __except (EXCEPTION_CONTINUE_SEARCH) {
        HostNote(98);
    }
}

void SehContinueRaised(UINT32 status)
{
    __try {
        Raise(status);
    } __except (EXCEPTION_CONTINUE_EXECUTION) {
        HostNote(98);
    }
}

int SehBackTrace(void **frames, int count)
{
    return RtlCaptureStackBackTrace(0, (UINT32)count, frames, 0);
}

int DriverEntry(void)
{
    return 0;
}
