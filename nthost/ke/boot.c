// SPDX-License-Identifier: MIT
#include "nthost/ke/ke.h"
#include "nthost/ex/ex.h"
#include "nthost/ob/ob.h"
#include "nthost/os/os.h"
#include "nthost/verifier/verifier.h"

KI_BOOT KiOptions;
KI_HOOKS KiHooks;

BOOLEAN KiBoot(const KI_BOOT *Boot)
{
    KiOptions = *Boot;
    if (!Boot->Virtual) {
        KiOptions.Seed = 0;
    }
    // The image loader's hooks prepare threads of the host.
    KiFibers = Boot->Virtual && !Boot->Threads && KiHooks.ThreadBegins == NULL && os_contexts_work();
    os_keep_memory();
    VfBoot(Boot->Verifier);
    ObpBoot();
    ExpBootPool(Boot->GuardPages);
    KiBootThreads();
    KiBootClock();
    if (!KiStartClock()) {
        KiShutdownThreads();
        return FALSE;
    }
    ExpBootWorkers();
    if (Boot->Verifier) {
        VfBootFaults(Boot->GuardPages);
    }
    return TRUE;
}

VOID KiShutdown(VOID)
{
    ExpShutdownWorkers();
    VfShutdownFaults();
    KiReapThreads();
    KiStopClock();
    os_threads_join();
    os_contexts_free();
    ObpShutdown();
    ExpShutdownPool();
    KiShutdownThreads();
    KiFreeTimers();
    VfShutdown();
    ExpForgetResources();
    KiOptions = (KI_BOOT){0};
}

VOID KiPrint(PCSTR Text)
{
    if (KiOptions.Print != NULL) {
        KiOptions.Print(KiOptions.Context, Text);
    }
}
