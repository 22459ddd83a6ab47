// SPDX-License-Identifier: MIT
#pragma once
#include "nthost/ex/ex.h"

enum { EXP_LIVE = 0xA1, EXP_FREED = 0xF5 };
enum {
    EXP_CANARY = 0x6B63616C,
    EXP_TAIL = 16,
    EXP_TAIL_FILL = 0xB7,
    EXP_NEW_FILL = 0xCD,
    EXP_FREE_FILL = 0xDD
};

typedef struct _EXP_BLOCK {
    LIST_ENTRY ListEntry;
    PVOID Caller;
    SIZE_T Size;
    ULONG Tag;
    ULONG Offset; // of the body from the start of the memory
    USHORT Driver;
    BOOLEAN Paged;
    UCHAR State;
    ULONG Canary; // last: the first thing a write before the body hits
} EXP_BLOCK, *PEXP_BLOCK;
C_ASSERT(sizeof(EXP_BLOCK) % 16 == 0);

// poolblock.c: the memory of a block
PEXP_BLOCK ExpMakeBlock(SIZE_T Size, ULONG Alignment);
VOID ExpUnmakeBlock(PEXP_BLOCK Block);
VOID ExpCloseBlock(PEXP_BLOCK Block); // no access to the body from now on
VOID ExpOpenBlock(PEXP_BLOCK Block);
PVOID ExpBodyOf(PEXP_BLOCK Block);
PEXP_BLOCK ExpBlockOf(PVOID Body);
typedef enum _EXP_DAMAGE { ExpIntact, ExpOverrun, ExpUnderrun } EXP_DAMAGE;
EXP_DAMAGE ExpInspectBlock(PEXP_BLOCK Block);
extern BOOLEAN ExpGuardPages;

// poolcheck.c: the verifier's view
VOID ExpCheckAllocation(POOL_TYPE Type, SIZE_T Size, ULONG Tag);
VOID ExpCheckFree(PVOID Body, ULONG Tag);
VOID ExpTrackBlock(PEXP_BLOCK Block);
VOID ExpQuarantineBlock(PEXP_BLOCK Block);
