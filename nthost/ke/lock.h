// SPDX-License-Identifier: MIT
// The kernel's own short locks, below every NT object. Never held across a call into a driver or a switch of
// threads.
#pragma once
#include "nthost/os/os.h"

enum { KI_LOCK_FREE, KI_LOCK_HELD, KI_LOCK_CONTENDED };

static inline void KiLock(uint32_t *Lock)
{
    uint32_t Expected = KI_LOCK_FREE;
    if (__atomic_compare_exchange_n(Lock, &Expected, KI_LOCK_HELD, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
        return;
    }
    while (__atomic_exchange_n(Lock, KI_LOCK_CONTENDED, __ATOMIC_ACQUIRE) != KI_LOCK_FREE) {
        os_wait(Lock, KI_LOCK_CONTENDED, OS_FOREVER);
    }
}

static inline void KiUnlock(uint32_t *Lock)
{
    if (__atomic_exchange_n(Lock, KI_LOCK_FREE, __ATOMIC_RELEASE) == KI_LOCK_CONTENDED) {
        os_wake(Lock, 1);
    }
}
