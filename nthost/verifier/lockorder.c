// SPDX-License-Identifier: MIT
// Spin locks that were ever acquired inside one another, as a directed graph. An acquisition that would close
// a cycle can deadlock on two processors, whether or not it did this time.
#include "nthost/ke/ke.h"
#include "nthost/ke/lock.h"
#include "nthost/verifier/verifier.h"

enum { VF_LOCKS = 2048, VF_EDGES = 8192, VF_NONE = 0xFFFF };

typedef struct _VF_LOCK {
    PKSPIN_LOCK Lock; // NULL: free
    USHORT FirstEdge;
    USHORT Mark;
} VF_LOCK;

typedef struct _VF_EDGE {
    USHORT To, Next;
} VF_EDGE;

static uint32_t VfOrderLock;
static VF_LOCK VfLocks[VF_LOCKS];
static VF_EDGE VfEdges[VF_EDGES];
static USHORT VfLockCount, VfEdgeCount, VfFreeEdge = VF_NONE, VfMark;

static USHORT VfFindLock(PKSPIN_LOCK Lock, BOOLEAN Add)
{
    USHORT Free = VF_NONE;
    for (USHORT i = 0; i < VfLockCount; i++) {
        if (VfLocks[i].Lock == Lock) {
            return i;
        }
        Free = VfLocks[i].Lock == NULL ? i : Free;
    }
    if (!Add) {
        return VF_NONE;
    }
    if (Free == VF_NONE && VfLockCount < VF_LOCKS) {
        Free = VfLockCount++;
    }
    if (Free != VF_NONE) {
        VfLocks[Free] = (VF_LOCK){.Lock = Lock, .FirstEdge = VF_NONE};
    }
    return Free;
}

static BOOLEAN VfReaches(USHORT From, USHORT To)
{
    if (From == To) {
        return TRUE;
    }
    if (VfLocks[From].Mark == VfMark) {
        return FALSE;
    }
    VfLocks[From].Mark = VfMark;
    for (USHORT Edge = VfLocks[From].FirstEdge; Edge != VF_NONE; Edge = VfEdges[Edge].Next) {
        if (VfReaches(VfEdges[Edge].To, To)) {
            return TRUE;
        }
    }
    return FALSE;
}

static BOOLEAN VfHasEdge(USHORT From, USHORT To)
{
    for (USHORT Edge = VfLocks[From].FirstEdge; Edge != VF_NONE; Edge = VfEdges[Edge].Next) {
        if (VfEdges[Edge].To == To) {
            return TRUE;
        }
    }
    return FALSE;
}

static VOID VfAddEdge(USHORT From, USHORT To)
{
    USHORT Edge = VfFreeEdge;
    if (Edge != VF_NONE) {
        VfFreeEdge = VfEdges[Edge].Next;
    } else if (VfEdgeCount < VF_EDGES) {
        Edge = VfEdgeCount++;
    } else {
        return; // a full table only misses rules
    }
    VfEdges[Edge] = (VF_EDGE){To, VfLocks[From].FirstEdge};
    VfLocks[From].FirstEdge = Edge;
}

// TRUE: `Inner` within `Outer` contradicts what was seen before.
static BOOLEAN VfLearnOrder(PKSPIN_LOCK Outer, PKSPIN_LOCK Inner)
{
    USHORT From = VfFindLock(Outer, TRUE);
    USHORT To = VfFindLock(Inner, TRUE);
    if (From == VF_NONE || To == VF_NONE || VfHasEdge(From, To)) {
        return FALSE;
    }
    VfMark++;
    if (VfReaches(To, From)) {
        return TRUE;
    }
    VfAddEdge(From, To);
    return FALSE;
}

VOID VfLockOrder(PKSPIN_LOCK Lock)
{
    PKTHREAD Thread = KiCurrentThread();
    if (Thread->HeldCount == 0) {
        return;
    }
    PKSPIN_LOCK Outer = Thread->Held[Thread->HeldCount - 1].Lock;
    if (Outer == Lock) {
        return; // recursion is another rule
    }
    KiLock(&VfOrderLock);
    BOOLEAN Inverted = VfLearnOrder(Outer, Lock);
    KiUnlock(&VfOrderLock);
    if (Inverted) {
        VfBreak(VfRuleSpinLockOrder, (ULONG_PTR)Lock, (ULONG_PTR)Outer, 0,
                "spin lock %p acquired within %p, elsewhere it is the other way round", Lock, Outer);
    }
}

static VOID VfFreeEdges(VF_LOCK *Lock)
{
    while (Lock->FirstEdge != VF_NONE) {
        USHORT Edge = Lock->FirstEdge;
        Lock->FirstEdge = VfEdges[Edge].Next;
        VfEdges[Edge].Next = VfFreeEdge;
        VfFreeEdge = Edge;
    }
}

static VOID VfRemoveEdgesTo(USHORT To)
{
    for (USHORT i = 0; i < VfLockCount; i++) {
        USHORT *Link = &VfLocks[i].FirstEdge;
        while (VfLocks[i].Lock != NULL && *Link != VF_NONE) {
            USHORT Edge = *Link;
            if (VfEdges[Edge].To == To) {
                *Link = VfEdges[Edge].Next;
                VfEdges[Edge].Next = VfFreeEdge;
                VfFreeEdge = Edge;
            } else {
                Link = &VfEdges[Edge].Next;
            }
        }
    }
}

VOID VfForgetLocks(PVOID Start, SIZE_T Size)
{
    KiLock(&VfOrderLock);
    for (USHORT i = 0; i < VfLockCount; i++) {
        if (VfLocks[i].Lock != NULL && (ULONG_PTR)VfLocks[i].Lock - (ULONG_PTR)Start < Size) {
            VfFreeEdges(&VfLocks[i]);
            VfRemoveEdgesTo(i);
            VfLocks[i].Lock = NULL;
        }
    }
    while (VfLockCount > 0 && VfLocks[VfLockCount - 1].Lock == NULL) {
        VfLockCount--;
    }
    KiUnlock(&VfOrderLock);
}
