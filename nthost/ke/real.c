// SPDX-License-Identifier: MIT
// Blocking. Under the real clock the host schedules; a thread sleeps on its own word.
#include "nthost/ke/ke.h"
#include "nthost/os/os.h"

static VOID KiTimeOut(PKTHREAD Thread)
{
    PKTHREAD Woken = NULL;
    KiLockDispatcher();
    KiTimeOutLocked(Thread, &Woken);
    KiUnlockDispatcher();
    KiWake(Woken);
}

static VOID KiBlockReal(PKTHREAD Thread, ULONG64 Due)
{
    uint32_t State;
    while ((State = __atomic_load_n(&Thread->WaitState, __ATOMIC_ACQUIRE)) != KI_WAIT_DONE) {
        KiAnswerStackRequest(Thread);
        if (State == KI_WAIT_PENDING && Due != OS_FOREVER) {
            if (KiUptime() >= Due) {
                KiTimeOut(Thread);
            } else {
                os_wait(&Thread->WaitState, State, KiHostTime(Due));
            }
        } else {
            os_wait(&Thread->WaitState, State, OS_FOREVER);
        }
    }
}

VOID KiBlock(PKTHREAD Thread, ULONG64 Due)
{
    if (KiOptions.Virtual) {
        KiBlockVirtual(Thread, Due);
    } else {
        KiBlockReal(Thread, Due);
    }
    __atomic_store_n(&Thread->WaitState, KI_WAIT_NONE, __ATOMIC_RELAXED);
}

VOID KiAnswerStackRequest(PKTHREAD Thread)
{
    if (__atomic_load_n(&Thread->StackRequest, __ATOMIC_ACQUIRE) == KI_STACK_ASKED) {
        Thread->FrameCount = os_stack(Thread->Frames, KI_FRAMES);
        __atomic_store_n(&Thread->StackRequest, KI_STACK_GIVEN, __ATOMIC_RELEASE);
        os_wake(&Thread->StackRequest, 1);
    }
}

BOOLEAN KiStackOf(PKTHREAD Thread)
{
    enum { TRIES = 100, TRY_TIME = 20000 };
    if (KiOptions.Virtual && KiParkedHere(Thread)) {
        return KiLookAt(Thread);
    }
    __atomic_store_n(&Thread->StackRequest, KI_STACK_ASKED, __ATOMIC_RELEASE);
    for (ULONG i = 0; i < TRIES; i++) {
        // A thread about to sleep may miss the first call.
        os_wake(KiOptions.Virtual ? &Thread->Baton : &Thread->WaitState, 1);
        os_wait(&Thread->StackRequest, KI_STACK_ASKED, os_uptime() + TRY_TIME);
        if (__atomic_load_n(&Thread->StackRequest, __ATOMIC_ACQUIRE) == KI_STACK_GIVEN) {
            return TRUE;
        }
    }
    return FALSE;
}
