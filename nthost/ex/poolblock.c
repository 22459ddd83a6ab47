// SPDX-License-Identifier: MIT
// Memory for pool blocks. From the host's heap: header, body, a filled tail. With guard pages: a page that
// ends with the header, the body at the end of pages of its own, a page that may not be touched.
#include "nthost/ex/pool.h"
#include "nthost/os/os.h"

BOOLEAN ExpGuardPages;

static PUCHAR ExpMemoryOf(PEXP_BLOCK Block)
{
    return ExpGuardPages ? PAGE_ALIGN(Block) : (PUCHAR)(Block + 1) - Block->Offset;
}

PVOID ExpBodyOf(PEXP_BLOCK Block)
{
    return ExpMemoryOf(Block) + Block->Offset;
}

PEXP_BLOCK ExpBlockOf(PVOID Body)
{
    return (PEXP_BLOCK)(ExpGuardPages ? PAGE_ALIGN(Body) : Body) - 1;
}

static SIZE_T ExpTailOf(PEXP_BLOCK Block)
{
    SIZE_T Used = Block->Offset + Block->Size;
    return ExpGuardPages ? (SIZE_T)ROUND_TO_PAGES(Used) - Used : EXP_TAIL;
}

// What lies between header and body.
static SIZE_T ExpHeadOf(PEXP_BLOCK Block)
{
    return (SIZE_T)((PUCHAR)ExpBodyOf(Block) - (PUCHAR)(Block + 1));
}

static PEXP_BLOCK ExpPlaceBlock(PEXP_BLOCK Block, ULONG Offset, SIZE_T Size)
{
    RtlZeroMemory(Block, sizeof *Block);
    Block->Offset = Offset;
    Block->Size = Size;
    Block->Canary = EXP_CANARY;
    Block->State = EXP_LIVE;
    PUCHAR Tail = (PUCHAR)ExpBodyOf(Block) + Size;
    RtlFillMemory(Block + 1, ExpHeadOf(Block), EXP_TAIL_FILL);
    RtlFillMemory(Tail, ExpTailOf(Block), EXP_TAIL_FILL);
    os_poison(Tail, ExpTailOf(Block));
    return Block;
}

static PEXP_BLOCK ExpMakeGuarded(SIZE_T Size, ULONG Alignment)
{
    SIZE_T Body = (Size + Alignment - 1) & ~((SIZE_T)Alignment - 1);
    SIZE_T Pages = PAGE_SIZE + (SIZE_T)ROUND_TO_PAGES(Body == 0 ? 1 : Body);
    PUCHAR Memory = os_map(Pages + PAGE_SIZE);
    if (Memory == NULL) {
        return NULL;
    }
    os_protect(Memory + Pages, PAGE_SIZE, OS_ACCESS_NONE);
    return ExpPlaceBlock((PEXP_BLOCK)(PVOID)(Memory + PAGE_SIZE) - 1, (ULONG)(Pages - Body), Size);
}

PEXP_BLOCK ExpMakeBlock(SIZE_T Size, ULONG Alignment)
{
    if (Size > MAXLONG) {
        return NULL; // more than any machine's pool
    }
    if (ExpGuardPages) {
        return ExpMakeGuarded(Size, Alignment);
    }
    ULONG Offset = Alignment > sizeof(EXP_BLOCK) ? Alignment : (ULONG)sizeof(EXP_BLOCK);
    PUCHAR Memory = os_allocate(Offset + Size + EXP_TAIL, Alignment);
    return Memory == NULL ? NULL : ExpPlaceBlock((PEXP_BLOCK)(PVOID)(Memory + Offset) - 1, Offset, Size);
}

VOID ExpUnmakeBlock(PEXP_BLOCK Block)
{
    SIZE_T Length = Block->Offset + Block->Size + ExpTailOf(Block);
    PUCHAR Memory = ExpMemoryOf(Block);
    os_unpoison(Memory, Length);
    if (ExpGuardPages) {
        os_unmap(Memory, Length + PAGE_SIZE);
    } else {
        os_free(Memory);
    }
}

static SIZE_T ExpBodyPages(PEXP_BLOCK Block)
{
    return Block->Offset + Block->Size + ExpTailOf(Block) - PAGE_SIZE;
}

VOID ExpCloseBlock(PEXP_BLOCK Block)
{
    os_poison(ExpBodyOf(Block), Block->Size + ExpTailOf(Block));
    if (ExpGuardPages) {
        os_protect(Block + 1, ExpBodyPages(Block), OS_ACCESS_NONE);
    }
}

VOID ExpOpenBlock(PEXP_BLOCK Block)
{
    if (ExpGuardPages) {
        os_protect(Block + 1, ExpBodyPages(Block), OS_ACCESS_WRITE);
    }
    os_unpoison(ExpBodyOf(Block), Block->Size + ExpTailOf(Block));
}

static BOOLEAN ExpIsFilled(const UCHAR *Bytes, SIZE_T Count)
{
    for (SIZE_T i = 0; i < Count; i++) {
        if (Bytes[i] != EXP_TAIL_FILL) {
            return FALSE;
        }
    }
    return TRUE;
}

EXP_DAMAGE ExpInspectBlock(PEXP_BLOCK Block)
{
    PUCHAR Tail = (PUCHAR)ExpBodyOf(Block) + Block->Size;
    os_unpoison(Tail, ExpTailOf(Block));
    if (!ExpIsFilled(Tail, ExpTailOf(Block))) {
        return ExpOverrun;
    }
    return Block->Canary == EXP_CANARY && ExpIsFilled((PUCHAR)(Block + 1), ExpHeadOf(Block)) ? ExpIntact
                                                                                             : ExpUnderrun;
}
