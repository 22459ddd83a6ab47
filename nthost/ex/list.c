// SPDX-License-Identifier: MIT
// Lists with a lock. The lock belongs to the list alone; it is taken at any IRQL by raising past every other
// user.
#include "nthost/ex/inlines.h"
#include "nthost/ke/ke.h"
#include "nthost/verifier/verifier.h"

static KIRQL ExpLockList(PKSPIN_LOCK Lock)
{
    PKTHREAD Thread = KiCurrentThread();
    KIRQL Irql = Thread->Irql;
    Thread->Irql = Irql > DISPATCH_LEVEL ? Irql : DISPATCH_LEVEL;
    KeAcquireSpinLockAtDpcLevel(Lock);
    return Irql;
}

static VOID ExpUnlockList(PKSPIN_LOCK Lock, KIRQL Irql)
{
    KeReleaseSpinLockFromDpcLevel(Lock);
    KiLowerIrql(KiCurrentThread(), Irql);
}

static VOID ExpCheckList(PLIST_ENTRY Head)
{
    if (Head->Flink->Blink != Head || Head->Blink->Flink != Head) {
        VfBreak(VfRuleListCorrupt, (ULONG_PTR)Head, 0, 0, "list %p is corrupt", Head);
    }
}

PLIST_ENTRY FASTCALL ExInterlockedInsertHeadList(PLIST_ENTRY Head, PLIST_ENTRY Entry, PKSPIN_LOCK Lock)
{
    NT_ENTRY(ExInterlockedInsertHeadList);
    KIRQL Irql = ExpLockList(Lock);
    ExpCheckList(Head);
    PLIST_ENTRY First = IsListEmpty(Head) ? NULL : Head->Flink;
    InsertHeadList(Head, Entry);
    ExpUnlockList(Lock, Irql);
    return First;
}

PLIST_ENTRY FASTCALL ExInterlockedInsertTailList(PLIST_ENTRY Head, PLIST_ENTRY Entry, PKSPIN_LOCK Lock)
{
    NT_ENTRY(ExInterlockedInsertTailList);
    KIRQL Irql = ExpLockList(Lock);
    ExpCheckList(Head);
    PLIST_ENTRY Last = IsListEmpty(Head) ? NULL : Head->Blink;
    InsertTailList(Head, Entry);
    ExpUnlockList(Lock, Irql);
    return Last;
}

PLIST_ENTRY FASTCALL ExInterlockedRemoveHeadList(PLIST_ENTRY Head, PKSPIN_LOCK Lock)
{
    NT_ENTRY(ExInterlockedRemoveHeadList);
    KIRQL Irql = ExpLockList(Lock);
    ExpCheckList(Head);
    PLIST_ENTRY First = IsListEmpty(Head) ? NULL : RemoveHeadList(Head);
    ExpUnlockList(Lock, Irql);
    return First;
}

PSINGLE_LIST_ENTRY FASTCALL ExInterlockedPushEntryList(PSINGLE_LIST_ENTRY Head, PSINGLE_LIST_ENTRY Entry,
                                                       PKSPIN_LOCK Lock)
{
    NT_ENTRY(ExInterlockedPushEntryList);
    KIRQL Irql = ExpLockList(Lock);
    PSINGLE_LIST_ENTRY First = Head->Next;
    PushEntryList(Head, Entry);
    ExpUnlockList(Lock, Irql);
    return First;
}

PSINGLE_LIST_ENTRY FASTCALL ExInterlockedPopEntryList(PSINGLE_LIST_ENTRY Head, PKSPIN_LOCK Lock)
{
    NT_ENTRY(ExInterlockedPopEntryList);
    KIRQL Irql = ExpLockList(Lock);
    PSINGLE_LIST_ENTRY First = Head->Next == NULL ? NULL : PopEntryList(Head);
    ExpUnlockList(Lock, Irql);
    return First;
}

ULONG FASTCALL ExInterlockedAddUlong(PULONG Addend, ULONG Increment, PKSPIN_LOCK Lock)
{
    (void)Lock;
    return __atomic_fetch_add(Addend, Increment, __ATOMIC_SEQ_CST);
}

LARGE_INTEGER NTAPI ExInterlockedAddLargeInteger(PLARGE_INTEGER Addend, LARGE_INTEGER Increment,
                                                 PKSPIN_LOCK Lock)
{
    LARGE_INTEGER Previous;
    (void)Lock;
    Previous.QuadPart = __atomic_fetch_add(&Addend->QuadPart, Increment.QuadPart, __ATOMIC_SEQ_CST);
    return Previous;
}

// ---- sequenced lists. Images read the depth from the low 16 bits of Alignment themselves. ----

enum { EXP_DEPTH = 0xFFFF };
static const ULONGLONG ExpSListLock = 1ull << 32;

static VOID ExpLockSList(PSLIST_HEADER Head)
{
    while (__atomic_fetch_or(&Head->Alignment, ExpSListLock, __ATOMIC_ACQUIRE) & ExpSListLock) {
        YieldProcessor();
    }
}

static VOID ExpUnlockSList(PSLIST_HEADER Head, ULONGLONG Depth)
{
    __atomic_store_n(&Head->Alignment, Depth & EXP_DEPTH, __ATOMIC_RELEASE);
}

static ULONGLONG ExpDepthOf(PSLIST_HEADER Head)
{
    return __atomic_load_n(&Head->Alignment, __ATOMIC_RELAXED) & EXP_DEPTH;
}

VOID NTAPI ExpExportInitializeSList(PSLIST_HEADER Head)
{
    Head->Alignment = Head->Region = 0;
}

USHORT NTAPI ExpExportQueryDepth(PSLIST_HEADER Head)
{
    return (USHORT)ExpDepthOf(Head);
}

PSLIST_ENTRY NTAPI ExpExportPushSList(PSLIST_HEADER Head, PSLIST_ENTRY Entry)
{
    ExpLockSList(Head);
    PSLIST_ENTRY First = (PSLIST_ENTRY)(ULONG_PTR)Head->Region;
    Entry->Next = First;
    Head->Region = (ULONG_PTR)Entry;
    ExpUnlockSList(Head, ExpDepthOf(Head) + 1);
    return First;
}

PSLIST_ENTRY NTAPI ExpExportPopSList(PSLIST_HEADER Head)
{
    ExpLockSList(Head);
    PSLIST_ENTRY First = (PSLIST_ENTRY)(ULONG_PTR)Head->Region;
    if (First != NULL) {
        Head->Region = (ULONG_PTR)First->Next;
    }
    ExpUnlockSList(Head, ExpDepthOf(Head) - (First != NULL));
    return First;
}

PSLIST_ENTRY NTAPI ExpExportFlushSList(PSLIST_HEADER Head)
{
    ExpLockSList(Head);
    PSLIST_ENTRY First = (PSLIST_ENTRY)(ULONG_PTR)Head->Region;
    Head->Region = 0;
    ExpUnlockSList(Head, 0);
    return First;
}

// The headers declare these without NTAPI, hence once more in the ELF compiler's convention.
#undef InitializeSListHead
VOID InitializeSListHead(PSLIST_HEADER Head)
{
    ExpExportInitializeSList(Head);
}

USHORT ExQueryDepthSList(PSLIST_HEADER Head)
{
    return ExpExportQueryDepth(Head);
}

PSLIST_ENTRY ExpInterlockedPushEntrySList(PSLIST_HEADER Head, PSLIST_ENTRY Entry)
{
    return ExpExportPushSList(Head, Entry);
}

PSLIST_ENTRY ExpInterlockedPopEntrySList(PSLIST_HEADER Head)
{
    return ExpExportPopSList(Head);
}

PSLIST_ENTRY ExpInterlockedFlushSList(PSLIST_HEADER Head)
{
    return ExpExportFlushSList(Head);
}
