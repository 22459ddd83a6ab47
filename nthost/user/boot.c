// SPDX-License-Identifier: MIT
#include "nthost/cm/cm.h"
#include "nthost/image/image.h"
#include "nthost/io/errorlog.h"
#include "nthost/pnp/pnp.h"
#include "nthost/user/side.h"
#include "nthost/user/user.h"
#include "nthost/verifier/faults.h"

int local_boot(const struct nt_options *options)
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

void local_shutdown(void)
{
    KiEnter();
    VfAwaitMeeting();
    ObpAwaitDeletions(); // files are closed by them
    IopNotifyShutdown();
    PnpShutdown();
    CmShutdown();
    IopShutdown();
    KiShutdown();
    ImgShutdown();
}

// A broken rule ends this process.
bool local_alive(void)
{
    return true;
}

uint64_t local_now_us(void)
{
    KiEnter();
    return KiUptime() / 10;
}

void local_sleep_us(uint64_t microseconds)
{
    KiEnter();
    KiSleep(microseconds * 10);
}

uint64_t local_irp_count(void)
{
    return IopIrpsCompleted();
}

size_t local_events(nt_event_visitor *visitor, void *context)
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

const struct user_side user_local = {
    .boot = local_boot,
    .shutdown = local_shutdown,
    .alive = local_alive,
    .service_add = local_service_add,
    .service_add_image = local_service_add_image,
    .registry_set_dword = local_registry_set_dword,
    .registry_set_string = local_registry_set_string,
    .registry_set_binary = local_registry_set_binary,
    .service_counts = local_service_counts,
    .irp_count = local_irp_count,
    .events = local_events,
    .root_device_add = local_root_device_add,
    .devices = local_devices,
    .device_remove = local_device_remove,
    .device_stop = local_device_stop,
    .device_start = local_device_start,
    .device_surprise_remove = local_device_surprise_remove,
    .pnp_wait = local_pnp_wait,
    .interfaces = local_interfaces,
    .interface_subscribe = local_interface_subscribe,
    .interface_unsubscribe = local_interface_unsubscribe,
    .open_for = local_open_for,
    .close = local_close,
    .device_control = local_device_control,
    .device_control_begin = local_device_control_begin,
    .device_control_start = local_device_control_start,
    .request_wait = local_request_wait,
    .request_cancel = local_request_cancel,
    .request_end = local_request_end,
    .system_power = local_system_power,
    .now_us = local_now_us,
    .sleep_us = local_sleep_us,
};
