// SPDX-License-Identifier: MIT
// Replaces mingw-w64's intrin.h: privileged and segment accesses become calls into ke/, interlocked ones
// builtins.
#pragma once
#include <crtdefs.h>

unsigned long long NT_MS_ABI NtHostReadCr8(void);
void NT_MS_ABI NtHostWriteCr8(unsigned long long Irql);
unsigned long long NT_MS_ABI NtHostReadGsQword(unsigned Offset);

#define __readcr8            NtHostReadCr8
#define __writecr8           NtHostWriteCr8
#define __readgsqword        NtHostReadGsQword
#define __readgsword(offset) ((unsigned short)NtHostReadGsQword(offset))
#define _mm_pause()          __builtin_ia32_pause()
#define _mm_mfence()         __sync_synchronize()
#define _ReadWriteBarrier()  __asm__ __volatile__("" ::: "memory")

// RtlSecureZeroMemory is made of it; the barrier keeps the compiler from dropping the store.
static inline void __stosb(unsigned char *target, unsigned char value, unsigned long long count)
{
    __builtin_memset(target, value, count);
    __asm__ __volatile__("" ::"r"(target) : "memory");
}

// While schedules are explored another thread may come between; not within the kernel, whose own locks know
// nothing of schedules.
extern unsigned char KiExploring;
void NT_MS_ABI NtHostInterlocked(void volatile *target);

static inline void NtHostComeBetween(void volatile *target)
{
#ifdef NT_HOST_KERNEL
    (void)target;
#else
    if (KiExploring) {
        NtHostInterlocked(target);
    }
#endif
}

#define NT_INTERLOCKED(name, type, builtin)                                                                  \
    static inline type name(type volatile *target, type value)                                               \
    {                                                                                                        \
        NtHostComeBetween(target);                                                                           \
        return builtin(target, value, __ATOMIC_SEQ_CST);                                                     \
    }
NT_INTERLOCKED(_InterlockedExchange, int, __atomic_exchange_n)
NT_INTERLOCKED(_InterlockedExchangeAdd, int, __atomic_fetch_add)
NT_INTERLOCKED(_InterlockedAnd, int, __atomic_fetch_and)
NT_INTERLOCKED(_InterlockedOr, int, __atomic_fetch_or)
NT_INTERLOCKED(_InterlockedXor, int, __atomic_fetch_xor)
NT_INTERLOCKED(_InterlockedExchange64, __int64, __atomic_exchange_n)
NT_INTERLOCKED(_InterlockedExchangeAdd64, __int64, __atomic_fetch_add)
NT_INTERLOCKED(_InterlockedAnd64, __int64, __atomic_fetch_and)
NT_INTERLOCKED(_InterlockedOr64, __int64, __atomic_fetch_or)

static inline int _InterlockedIncrement(int volatile *target)
{
    NtHostComeBetween(target);
    return __atomic_add_fetch(target, 1, __ATOMIC_SEQ_CST);
}

static inline int _InterlockedDecrement(int volatile *target)
{
    NtHostComeBetween(target);
    return __atomic_sub_fetch(target, 1, __ATOMIC_SEQ_CST);
}

static inline __int64 _InterlockedIncrement64(__int64 volatile *target)
{
    NtHostComeBetween(target);
    return __atomic_add_fetch(target, 1, __ATOMIC_SEQ_CST);
}

static inline __int64 _InterlockedDecrement64(__int64 volatile *target)
{
    NtHostComeBetween(target);
    return __atomic_sub_fetch(target, 1, __ATOMIC_SEQ_CST);
}

static inline int _InterlockedCompareExchange(int volatile *target, int value, int expected)
{
    NtHostComeBetween(target);
    __atomic_compare_exchange_n(target, &expected, value, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    return expected;
}

static inline __int64 _InterlockedCompareExchange64(__int64 volatile *target, __int64 value, __int64 expected)
{
    NtHostComeBetween(target);
    __atomic_compare_exchange_n(target, &expected, value, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    return expected;
}

static inline void *_InterlockedExchangePointer(void *volatile *target, void *value)
{
    NtHostComeBetween(target);
    return __atomic_exchange_n(target, value, __ATOMIC_SEQ_CST);
}

static inline void *_InterlockedCompareExchangePointer(void *volatile *target, void *value, void *expected)
{
    NtHostComeBetween(target);
    __atomic_compare_exchange_n(target, &expected, value, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    return expected;
}
