// SPDX-License-Identifier: MIT
// VF_RULES: name, bug check code, sub-code (its first parameter). Codes and sub-codes are the documented ones
// of DRIVER_VERIFIER_DETECTED_VIOLATION and its kin; sub-code 0xE5 stands for 'routine called at a wrong
// IRQL'.
#pragma once

#if __has_include("nthost/io/rules.h")
#include "nthost/io/rules.h"
#else
#define IOP_RULES(X)
#endif

#define KE_RULES(X)                                                                                          \
    X(IrqlTooHigh, 0xC4, 0xE5)                                                                               \
    X(IrqlAtReturn, 0xC8, 0x2001D)                                                                           \
    X(IrqlRaiseLower, 0xC4, 0x30)                                                                            \
    X(IrqlLowerRaise, 0xC4, 0x31)                                                                            \
    X(ApcsAtReturn, 0xC4, 0xC5)                                                                              \
    X(ApcsUnderflow, 0xC4, 0x3E)                                                                             \
    X(WaitAtDispatch, 0xC4, 0x121)                                                                           \
    X(WaitAboveDispatch, 0xC4, 0x120)                                                                        \
    X(WaitWithSpinLock, 0xC4, 0x40009)                                                                       \
    X(WaitOnUninitialized, 0xC4, 0x1002)                                                                     \
    X(WaitUserOnStack, 0xC4, 0x123)                                                                          \
    X(WaitTooMany, 0x0C, 0)                                                                                  \
    X(SpinLockRecursion, 0xC4, 0x1000)                                                                       \
    X(SpinLockOrder, 0xC4, 0x1001)                                                                           \
    X(SpinLockNotHeld, 0xC4, 0x1007)                                                                         \
    X(SpinLockOtherThread, 0xC4, 0x1004)                                                                     \
    X(SpinLockMixed, 0xC4, 0x1008)                                                                           \
    X(SpinLockIrql, 0xC4, 0x32)                                                                              \
    X(SpinLockBelowDispatch, 0xC4, 0x40)                                                                     \
    X(SpinLockAtReturn, 0xC4, 0x4000A)                                                                       \
    X(SpinLockAtLower, 0xC4, 0x4000B)                                                                        \
    X(SpinLockFreedHeld, 0xC4, 0x100B)                                                                       \
    X(SpinLockTimeout, 0xC4, 0x1010)                                                                         \
    X(SpinLockTooMany, 0xC4, 0x1011)                                                                         \
    X(MutexNotOwned, 0xC4, 0x1005)                                                                           \
    X(MutexAtThreadEnd, 0xC4, 0x100A)                                                                        \
    X(FastMutexRecursion, 0xC4, 0x33)                                                                        \
    X(FastMutexNotOwned, 0xC4, 0x34)                                                                         \
    X(ResourceApcsEnabled, 0xC4, 0x37)                                                                       \
    X(ResourceNotOwned, 0xC4, 0x38)                                                                          \
    X(ResourceInFreedMemory, 0xC4, 0xD2)                                                                     \
    X(DpcInFreedMemory, 0xC7, 1)                                                                             \
    X(TimerInFreedMemory, 0xC7, 0)                                                                           \
    X(WorkItemInFreedMemory, 0xE4, 0)                                                                        \
    X(WorkItemQueuedTwice, 0xE4, 1)                                                                          \
    X(DpcUninitialized, 0xC7, 2)                                                                             \
    X(PoolZeroTag, 0xC2, 0x9B)                                                                               \
    X(PoolBadTag, 0xC2, 0x9D)                                                                                \
    X(PoolZeroBytes, 0xC4, 0)                                                                                \
    X(PoolPagedAtDispatch, 0xC4, 1)                                                                          \
    X(PoolAboveDispatch, 0xC4, 2)                                                                            \
    X(PoolPagedFreeAtDispatch, 0xC4, 0x11)                                                                   \
    X(PoolFreeAboveDispatch, 0xC4, 0x12)                                                                     \
    X(PoolBadFree, 0xC4, 0x10)                                                                               \
    X(PoolDoubleFree, 0xC4, 0x13)                                                                            \
    X(PoolWrongTag, 0xC2, 0x0A)                                                                              \
    X(PoolOverrun, 0xC4, 0x51)                                                                               \
    X(PoolUnderrun, 0xC4, 0x52)                                                                              \
    X(PoolUseAfterFree, 0xC4, 0x53)                                                                          \
    X(PoolLeak, 0xC4, 0x62)                                                                                  \
    X(LookasideInFreedMemory, 0xC4, 0xCC)                                                                    \
    X(LookasideLeftAtUnload, 0xCE, 3)                                                                        \
    X(ThreadApcsAtEnd, 0x20, 0)                                                                              \
    X(ThreadIrqlAtEnd, 0xC4, 0x2001C)                                                                        \
    X(ThreadLeftAtUnload, 0xCE, 1)                                                                           \
    X(TimerLeftAtUnload, 0xCE, 2)                                                                            \
    X(ReferenceFromZero, 0xC4, 0x3F)                                                                         \
    X(ReferenceBelowZero, 0x18, 0)                                                                           \
    X(ObjectInPagedPool, 0xC4, 0xE1)                                                                         \
    X(ObjectBad, 0x18, 1)                                                                                    \
    X(ObjectLeak, 0xC4, 0xF7)                                                                                \
    X(HandleBad, 0xC4, 0x3C)                                                                                 \
    X(HandleNull, 0xC4, 0xF5)                                                                                \
    X(StringMalformed, 0xC4, 0xE4)                                                                           \
    X(MdlLockedTwice, 0xC4, 0xB6)                                                                            \
    X(MdlNotLocked, 0xC4, 0x7C)                                                                              \
    X(MdlNotMapped, 0xC4, 0xB0)                                                                              \
    X(MdlOfPagedPool, 0xC4, 0x7F)                                                                            \
    X(MdlNonPagedLocked, 0xC4, 0x7D)                                                                         \
    X(ListCorrupt, 0x139, 3)                                                                                 \
    X(Deadlock, 0xC4, 0x1012)                                                                                \
    X(HostThreadHangs, 0xC4, 0x1013)                                                                         \
    X(BadAccess, 0x50, 0)                                                                                    \
    X(BadAccessRaised, 0xD1, 0)

#define VF_RULES(X) KE_RULES(X) IOP_RULES(X)

typedef enum _VF_RULE {
#define VF_RULE_NAME(name, code, sub) VfRule##name,
    VF_RULES(VF_RULE_NAME)
#undef VF_RULE_NAME
} VF_RULE;
