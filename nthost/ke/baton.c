// SPDX-License-Identifier: MIT
// How the deterministic scheduler gives the turn from one thread to the next. The host's threads and the
// clock have a thread of the host each and sleep on their word. All others are stacks that whichever of these
// has the turn carries, so that a switch between them is no more than a few instructions.
#include "nthost/ke/ke.h"
#include "nthost/os/os.h"

BOOLEAN KiFibers;
__thread PKTHREAD KiCarrier __attribute__((tls_model("initial-exec")));
static PKTHREAD KiAsker; // wants to see a stack

static VOID KiPass(PKTHREAD Thread)
{
    __atomic_store_n(&Thread->Baton, 1, __ATOMIC_RELEASE);
    os_wake(&Thread->Baton, 1);
}

static VOID KiAwaitPass(PKTHREAD Thread)
{
    while (__atomic_exchange_n(&Thread->Baton, 0, __ATOMIC_ACQUIRE) == 0) {
        KiAnswerStackRequest(Thread);
        os_wait(&Thread->Baton, 0, OS_FOREVER);
    }
}

// Returns when somebody goes on in this one. Meanwhile it may be asked what its stack looks like.
static VOID KiJump(PKTHREAD From, PKTHREAD To)
{
    KiThread = To;
    os_context_switch(&From->Context, &To->Context);
    while (KiAsker != NULL) {
        PKTHREAD Asker = KiAsker;
        KiAsker = NULL;
        From->FrameCount = os_stack(From->Frames, KI_FRAMES);
        KiThread = Asker;
        os_context_switch(&From->Context, &Asker->Context);
    }
}

// A thread with one of the host's: passes on what it was given for others until its own turn comes.
static VOID KiStay(PKTHREAD Thread)
{
    for (;;) {
        PKTHREAD PassTo = Thread->PassTo, Carries = Thread->Carries;
        Thread->PassTo = Thread->Carries = NULL;
        if (PassTo != NULL) {
            KiPass(PassTo);
            KiAwaitPass(Thread);
        } else if (Carries != NULL) {
            KiJump(Thread, Carries);
        } else {
            return;
        }
    }
}

// Where to go on from here so that `To` gets the turn.
static PKTHREAD KiNextStop(PKTHREAD To)
{
    if (To->Fiber || To == KiCarrier) {
        return To;
    }
    KiCarrier->PassTo = To;
    return KiCarrier;
}

VOID KiSwitchTo(PKTHREAD From, PKTHREAD To)
{
    if (From->Fiber) {
        KiJump(From, KiNextStop(To));
        return;
    }
    if (To->Fiber) {
        From->Carries = To;
    } else {
        From->PassTo = To;
    }
    KiStay(From);
}

VOID KiAwaitTurn(PKTHREAD Thread)
{
    KiAwaitPass(Thread);
    KiStay(Thread);
}

// The thread of the host does something else from here on, so another one must carry.
VOID KiGiveTo(PKTHREAD To, PKTHREAD Carrier)
{
    if (To->Fiber) {
        Carrier->Carries = To;
        KiPass(Carrier);
    } else {
        KiPass(To);
    }
}

VOID KiLeaveTo(const struct os_context *From, PKTHREAD To)
{
    struct os_context Left = *From;
    PKTHREAD Stop = KiNextStop(To);
    KiThread = Stop;
    os_context_leave(&Left, &Stop->Context);
}

BOOLEAN KiParkedHere(PKTHREAD Thread)
{
    return Thread->Fiber || Thread == KiCarrier;
}

BOOLEAN KiLookAt(PKTHREAD Thread)
{
    PKTHREAD Self = KiCurrentThread();
    if (Thread == Self || Thread->Context.sp == NULL || (Thread->Fiber && !Thread->Begun)) {
        return FALSE;
    }
    KiAsker = Self;
    KiThread = Thread;
    os_context_switch(&Self->Context, &Thread->Context);
    return TRUE;
}
