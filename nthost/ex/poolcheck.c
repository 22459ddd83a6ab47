// SPDX-License-Identifier: MIT
// Pool under the verifier: every block is listed with its driver; freed ones are filled, closed and kept for
// a while.
#include "nthost/ex/pool.h"
#include "nthost/ke/ke.h"
#include "nthost/ke/lock.h"
#include "nthost/rtl/rtl.h"
#include "nthost/verifier/verifier.h"

enum { EXP_QUARANTINE_BLOCKS = 1024, EXP_QUARANTINE_BYTES = 4 << 20 };

static uint32_t ExpLock;
static LIST_ENTRY ExpLiveList = {&ExpLiveList, &ExpLiveList};
static LIST_ENTRY ExpFreedList = {&ExpFreedList, &ExpFreedList};
static ULONG ExpFreedCount, ExpPagedCount;
static SIZE_T ExpFreedBytes, ExpLiveBytes;

static BOOLEAN ExpIsTag(ULONG Tag)
{
    BOOLEAN Any = FALSE;
    for (; Tag != 0; Tag >>= 8) {
        UCHAR Character = (UCHAR)Tag;
        Any = Any || (Character >= '0' && Character <= '9') || (Character >= 'A' && Character <= 'Z') ||
              (Character >= 'a' && Character <= 'z');
    }
    return Any;
}

VOID ExpCheckAllocation(POOL_TYPE Type, SIZE_T Size, ULONG Tag)
{
    KIRQL Irql = KeGetCurrentIrql();
    if (Size == 0) {
        VfBreak(VfRulePoolZeroBytes, Irql, (ULONG_PTR)Type, 0, "allocation of zero bytes");
    }
    if (Tag == 0) {
        VfBreak(VfRulePoolZeroTag, (ULONG_PTR)Type, Size, 0, "allocation of %Iu bytes without a tag", Size);
    }
    if (!ExpIsTag(Tag)) {
        VfBreak(VfRulePoolBadTag, (ULONG_PTR)Type, Size, Tag, "tag 0x%08X has no letter or digit", Tag);
    }
    if ((Type & PagedPool) != 0 && Irql > APC_LEVEL) {
        VfBreak(VfRulePoolPagedAtDispatch, Irql, (ULONG_PTR)Type, Size, "paged pool allocated at IRQL %u",
                Irql);
    }
    if (Irql > DISPATCH_LEVEL) {
        VfBreak(VfRulePoolAboveDispatch, Irql, (ULONG_PTR)Type, Size, "pool allocated at IRQL %u", Irql);
    }
}

VOID ExpTrackBlock(PEXP_BLOCK Block)
{
    Block->Driver = VfCurrentDriver();
    KiLock(&ExpLock);
    if (Block->Paged) {
        InsertHeadList(&ExpLiveList, &Block->ListEntry); // so that the few there are are found soon
        __atomic_fetch_add(&ExpPagedCount, 1, __ATOMIC_RELAXED);
    } else {
        InsertTailList(&ExpLiveList, &Block->ListEntry);
    }
    ExpLiveBytes += Block->Size;
    KiUnlock(&ExpLock);
}

static VOID ExpAppendBlock(PCHAR Text, SIZE_T Size, PEXP_BLOCK Block)
{
    CHAR Symbol[160];
    os_describe(Block->Caller, Symbol, sizeof Symbol);
    RtlpAppend(Text, Size, "%p %.4s %Iu bytes, %s, allocated at %s\n", ExpBodyOf(Block), (PCSTR)&Block->Tag,
               Block->Size, Block->Paged ? "paged" : "non-paged", Symbol);
}

// The address may be anything, so the header is looked at only if the block is known.
static PEXP_BLOCK ExpFindLocked(const LIST_ENTRY *List, const VOID *Address)
{
    for (PLIST_ENTRY Entry = List->Flink; Entry != List; Entry = Entry->Flink) {
        PEXP_BLOCK Block = CONTAINING_RECORD(Entry, EXP_BLOCK, ListEntry);
        PUCHAR Start = (PUCHAR)(Block + 1), End = (PUCHAR)ExpBodyOf(Block) + Block->Size + PAGE_SIZE;
        SIZE_T Slack = ExpGuardPages ? PAGE_SIZE : EXP_TAIL;
        if ((PUCHAR)Address >= Start && (PUCHAR)Address < End - PAGE_SIZE + Slack) {
            return Block;
        }
    }
    return NULL;
}

BOOLEAN ExpDescribeAddress(const VOID *Address, PCHAR Text, SIZE_T Size, BOOLEAN *Freed)
{
    KiLock(&ExpLock);
    PEXP_BLOCK Block = ExpFindLocked(&ExpLiveList, Address);
    *Freed = Block == NULL;
    if (Block == NULL) {
        Block = ExpFindLocked(&ExpFreedList, Address);
    }
    KiUnlock(&ExpLock);
    if (Block != NULL) {
        RtlpAppend(Text, Size, "%Id bytes into %s block ", (PUCHAR)Address - (PUCHAR)ExpBodyOf(Block),
                   *Freed ? "freed" : "live");
        ExpAppendBlock(Text, Size, Block);
    }
    return Block != NULL;
}

BOOLEAN ExpIsPagedPool(const VOID *Address)
{
    BOOLEAN Paged = FALSE;
    if (__atomic_load_n(&ExpPagedCount, __ATOMIC_RELAXED) == 0) {
        return FALSE;
    }
    KiLock(&ExpLock);
    PLIST_ENTRY Entry = ExpLiveList.Flink;
    for (ULONG i = 0; i < ExpPagedCount && !Paged; i++, Entry = Entry->Flink) {
        PEXP_BLOCK Block = CONTAINING_RECORD(Entry, EXP_BLOCK, ListEntry);
        Paged = (ULONG_PTR)Address - (ULONG_PTR)ExpBodyOf(Block) < Block->Size;
    }
    KiUnlock(&ExpLock);
    return Paged;
}

static DECLSPEC_NORETURN VOID ExpBreakBlock(VF_RULE Rule, PEXP_BLOCK Block, PCSTR What)
{
    CHAR Text[256] = "";
    ExpAppendBlock(Text, sizeof Text, Block);
    VfBreak(Rule, (ULONG_PTR)ExpBodyOf(Block), Block->Size, Block->Tag, "%s: %s", What, Text);
}

static BOOLEAN ExpIsKnown(PVOID Body)
{
    KiLock(&ExpLock);
    PEXP_BLOCK Block = ExpFindLocked(&ExpLiveList, Body);
    KiUnlock(&ExpLock);
    return Block != NULL && ExpBodyOf(Block) == Body;
}

// Reads what may not be a header at all; AddressSanitizer has nothing to say about that.
__attribute__((no_sanitize("address"))) static UCHAR ExpStateOf(PVOID Body)
{
    const volatile EXP_BLOCK *Block = ExpBlockOf(Body);
    return Block->Canary == EXP_CANARY ? Block->State : 0;
}

static VOID ExpCheckFreeIrql(PEXP_BLOCK Block)
{
    KIRQL Irql = KeGetCurrentIrql();
    if (Block->Paged && Irql > APC_LEVEL) {
        VfBreak(VfRulePoolPagedFreeAtDispatch, Irql, Block->Paged, (ULONG_PTR)ExpBodyOf(Block),
                "paged pool freed at IRQL %u", Irql);
    }
    if (Irql > DISPATCH_LEVEL) {
        VfBreak(VfRulePoolFreeAboveDispatch, Irql, Block->Paged, (ULONG_PTR)ExpBodyOf(Block),
                "pool freed at IRQL %u", Irql);
    }
}

static VOID ExpCheckDamage(PEXP_BLOCK Block)
{
    EXP_DAMAGE Damage = ExpInspectBlock(Block);
    if (Damage != ExpIntact) {
        ExpBreakBlock(Damage == ExpOverrun ? VfRulePoolOverrun : VfRulePoolUnderrun, Block,
                      Damage == ExpOverrun ? "written beyond the end" : "written before the start");
    }
}

VOID ExpCheckFree(PVOID Body, ULONG Tag)
{
    if (Body == NULL || (ULONG_PTR)Body % 16 != 0) {
        VfBreak(VfRulePoolBadFree, (ULONG_PTR)Body, 0, 0, "%p is no pool block", Body);
    }
    UCHAR State = ExpStateOf(Body);
    PEXP_BLOCK Block = ExpBlockOf(Body);
    if (State == EXP_FREED) {
        ExpBreakBlock(VfRulePoolDoubleFree, Block, "freed twice");
    }
    if (State != EXP_LIVE) {
        if (VfEnabled && ExpIsKnown(Body)) {
            ExpCheckDamage(Block);
        }
        VfBreak(VfRulePoolBadFree, (ULONG_PTR)Body, 0, 0, "%p is no pool block", Body);
    }
    if (Tag != 0 && Tag != Block->Tag) {
        VfBreak(VfRulePoolWrongTag, (ULONG_PTR)Body, Block->Tag, Tag,
                "allocated with tag %.4s, freed with %.4s", (PCSTR)&Block->Tag, (PCSTR)&Tag);
    }
    if (VfEnabled) {
        ExpCheckFreeIrql(Block);
        ExpCheckDamage(Block);
        VfCheckObjectMemory(Body, Block->Size);
    }
}

static VOID ExpCheckFreed(PEXP_BLOCK Block)
{
    ExpOpenBlock(Block);
    const UCHAR *Body = ExpBodyOf(Block);
    // Each byte equals the next: as fast as the machine can compare.
    if (Block->Size != 0 && (Body[0] != EXP_FREE_FILL || !RtlEqualMemory(Body, Body + 1, Block->Size - 1))) {
        ExpBreakBlock(VfRulePoolUseAfterFree, Block, "written after it was freed");
    }
}

// The oldest freed block once there are too many; NULL: none.
static PEXP_BLOCK ExpTakeFreed(ULONG Count, SIZE_T Bytes)
{
    PEXP_BLOCK Block = NULL;
    KiLock(&ExpLock);
    if (ExpFreedCount > Count || ExpFreedBytes > Bytes) {
        Block = CONTAINING_RECORD(RemoveHeadList(&ExpFreedList), EXP_BLOCK, ListEntry);
        ExpFreedCount--;
        ExpFreedBytes -= Block->Size;
    }
    KiUnlock(&ExpLock);
    return Block;
}

static VOID ExpTrimFreed(ULONG Count, SIZE_T Bytes)
{
    PEXP_BLOCK Block;
    while ((Block = ExpTakeFreed(Count, Bytes)) != NULL) {
        ExpCheckFreed(Block);
        ExpUnmakeBlock(Block);
    }
}

VOID ExpQuarantineBlock(PEXP_BLOCK Block)
{
    RtlFillMemory(ExpBodyOf(Block), Block->Size, EXP_FREE_FILL);
    Block->State = EXP_FREED;
    ExpCloseBlock(Block);
    KiLock(&ExpLock);
    RemoveEntryList(&Block->ListEntry);
    InsertTailList(&ExpFreedList, &Block->ListEntry);
    ExpLiveBytes -= Block->Size;
    if (Block->Paged) {
        __atomic_fetch_sub(&ExpPagedCount, 1, __ATOMIC_RELAXED);
    }
    ExpFreedCount++;
    ExpFreedBytes += Block->Size;
    KiUnlock(&ExpLock);
    ExpTrimFreed(EXP_QUARANTINE_BLOCKS, EXP_QUARANTINE_BYTES);
}

ULONG ExpDescribePool(USHORT Driver, PCHAR Text, SIZE_T Size)
{
    ULONG Count = 0;
    KiLock(&ExpLock);
    for (PLIST_ENTRY Entry = ExpLiveList.Flink; Entry != &ExpLiveList; Entry = Entry->Flink) {
        PEXP_BLOCK Block = CONTAINING_RECORD(Entry, EXP_BLOCK, ListEntry);
        if (Block->Driver == Driver) {
            ExpAppendBlock(Text, Size, Block);
            Count++;
        }
    }
    KiUnlock(&ExpLock);
    return Count;
}

SIZE_T ExpPoolBytes(VOID)
{
    return ExpLiveBytes;
}

VOID ExpBootPool(BOOLEAN GuardPages)
{
    ExpGuardPages = GuardPages;
}

VOID ExpShutdownPool(VOID)
{
    static CHAR Text[0x1000];
    if (VfEnabled) {
        Text[0] = 0;
        ULONG Count = ExpDescribePool(0, Text, sizeof Text);
        if (Count != 0) {
            VfBreak(VfRulePoolLeak, 0, 0, Count, "%u pool blocks left at shutdown\n%s", Count, Text);
        }
        ExpTrimFreed(0, 0);
    }
    ExpGuardPages = FALSE;
}
