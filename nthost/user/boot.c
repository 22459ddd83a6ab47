// SPDX-License-Identifier: MIT
#include "nthost/cm/cm.h"
#include "nthost/image/image.h"
#include "nthost/io/errorlog.h"
#include "nthost/pnp/pnp.h"
#include "nthost/user/user.h"
#include "nthost/verifier/faults.h"

int nt_boot(const struct nt_options *options)
{
    if (KiBooted()) {
        return -USER_EALREADY;
    }
    KI_BOOT boot = {
        .Virtual = options->clock == NT_CLOCK_VIRTUAL,
        .Seed = options->seed,
        .Threads = options->threads,
        .Verifier = options->verifier,
        .Print = options->print,
        .BugCheck = options->bugcheck,
        .Context = options->context,
    };
    ImgPrepare(options->images);
    if (!KiBoot(&boot)) {
        return -USER_ENOMEM;
    }
    if (!ImgStart()) {
        KiShutdown();
        return -USER_ENOMEM;
    }
    IopLegacyPower = options->legacy_power;
    iop_log_clear();
    NTSTATUS status = CmBoot();
    if (NT_SUCCESS(status)) {
        status = PnpBoot();
    }
    if (!NT_SUCCESS(status)) {
        KeBugCheckEx(INSTALL_MORE_MEMORY, (ULONG_PTR)(LONG_PTR)status, 0, 0, 0);
    }
    return 0;
}

void nt_shutdown(void)
{
    KiEnter();
    VfAwaitMeeting();
    ObpAwaitDeletions(); // files are closed by them
    PnpShutdown();
    CmShutdown();
    IopShutdown();
    KiShutdown();
    ImgShutdown();
}

uint64_t nt_now_us(void)
{
    KiEnter();
    return KiUptime() / 10;
}

void nt_sleep_us(uint64_t microseconds)
{
    KiEnter();
    KiSleep(microseconds * 10);
}

uint64_t nt_irp_count(void)
{
    return IopIrpsCompleted();
}

size_t nt_events(nt_event_visitor *visitor, void *context)
{
    size_t count = 0;
    KiEnter();
    uint64_t end = iop_log_count();
    for (uint64_t i = end > IOP_LOG_ENTRIES ? end - IOP_LOG_ENTRIES : 0; i < end; i++) {
        struct iop_log_entry entry;
        if (iop_log_read(i, &entry) == 0) {
            struct nt_event event = {entry.driver, entry.device,       entry.code,
                                     entry.unique, entry.final_status, entry.control_code,
                                     entry.dump,   entry.dump_count,   entry.strings};
            visitor(context, &event);
            count++;
        }
    }
    return count;
}
