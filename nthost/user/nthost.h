// SPDX-License-Identifier: MIT
// The 'user mode' side of the kernel: boot it, add services and devices, open, control, cancel, close, plug,
// sleep. Plain C for host code; nothing of the DDK shows. Statuses named nt_status are NTSTATUS values; int
// results are 0 or negative errno. Unless said otherwise every call may come from any thread and waits no
// longer than the kernel needs; strings are UTF-8.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nthost/user/explore.h"

typedef uint32_t nt_status; // NTSTATUS
enum { NT_ID_MAX = 200 };   // longest device instance id and link name, in bytes, with the terminator

// ---- the kernel ----

enum nt_clock {
    NT_CLOCK_REAL,    // threads run freely, time is the machine's
    NT_CLOCK_VIRTUAL, // one thread at a time, chosen by the seed; time jumps to the next timer when all wait
};

struct nt_options {
    enum nt_clock clock;
    uint64_t seed; // of the virtual clock's scheduler; 0: first runnable thread
    bool threads;  // under the virtual clock: each thread of the kernel is one of the host's, as a debugger
                   // likes it, and not a stack that is switched to; the runs are the same
    bool verifier; // rules checked; a broken one is a bugcheck
    bool legacy_power; // with the verifier: power IRPs need PoCallDriver and PoStartNextPowerIrp, as before
                       // Windows Vista
    bool images;       // services may be image files; every thread is prepared for their code
    void (*print)(void *context, const char *text); // DbgPrint and event log lines; NULL: dropped
    void (*bugcheck)(void *context,
                     const char *report); // called once before the process aborts; NULL: stderr
    void *context;
    // A program that calls nt_host_run() (host.h): the kernel runs in a child process of it, without rights,
    // and images lie in `folder` (NULL: there are none). A driver that breaks it ends the child; bugcheck
    // gets the report, and from then on every call fails. For the real clock. NULL: in this process.
    const char *host, *folder;
};

int nt_boot(const struct nt_options *options); // -EALREADY while booted
// Removes all devices, unloads all drivers, checks that nothing is left, frees the kernel. The calling thread
// must be the last one inside. Files must be closed first.
void nt_shutdown(void);
bool nt_alive(void); // false: its process has ended; nt_shutdown() clears away, files may be closed later

// ---- services and registry ----

typedef void nt_entry_point(void); // a native driver's renamed DriverEntry; only its address is taken

struct nt_service {
    const char *name;                // "lectern"
    nt_entry_point *entry;           // native driver; NULL: an image
    const char *const *hardware_ids; // NULL-terminated: what an INF would list, best first
};

int nt_service_add(
    const struct nt_service *service); // what an INF does; DriverEntry runs when a device needs it
// The driver is an x64 image file. What it imports from lies beside it; the kernel's own modules and usbd.sys
// are this one's. `report` says why not, in lines, with every missing import. -ENOEXEC: no such driver image;
// -ENOENT: no such file, or imports are missing; -EINVAL also: booted without `images`.
int nt_service_add_image(const struct nt_service *service, const char *image, char *report,
                         size_t report_size);
// `key` below HKLM\SYSTEM\CurrentControlSet, e.g. "Services\\lectern\\Parameters", or
// "Enum\\<instance>\\Device Parameters". Created when missing.
int nt_registry_set_dword(const char *key, const char *name, uint32_t value);
int nt_registry_set_string(const char *key, const char *name, const char *value);
int nt_registry_set_binary(const char *key, const char *name, const void *data, size_t length);

// How often the routines of a driver ran, by the contract's names ("DriverEntry", "AddDevice", "DispatchPnP",
// ...).
struct nt_routine_count {
    const char *routine;
    uint64_t calls;
};
// Fills at most `capacity` rows (those that ran at least once); returns how many there are, -ENOENT: no such
// service.
int nt_service_counts(const char *service, struct nt_routine_count *rows, size_t capacity);
uint64_t nt_irp_count(void); // IRPs completed since boot, all drivers

// What drivers wrote to the event log, oldest first; the last 64 entries are kept. Strings live until the
// visitor returns.
struct nt_event {
    const char *driver, *device; // names without their directories; device: empty when it has no name
    uint32_t code, unique, final_status, control_code;
    const uint32_t *dump;
    size_t dump_count;
    const char *strings; // the insertion strings, separated by '|'
};
typedef void nt_event_visitor(void *context, const struct nt_event *event);
size_t nt_events(nt_event_visitor *visitor, void *context); // returns how many it showed

// ---- devices and PnP ----

// A root-enumerated device: bound to the service that lists `hardware_id`, started. `instance` gets its
// instance id.
int nt_root_device_add(const char *hardware_id, char instance[NT_ID_MAX]);
enum nt_device_state {
    NT_DEVICE_UNBOUND,
    NT_DEVICE_FAILED,
    NT_DEVICE_STARTED,
    NT_DEVICE_STOPPED,
    NT_DEVICE_GONE
};
struct nt_device {
    char instance[NT_ID_MAX]; // "USB\\VID_072F&PID_90CC\\1"
    char service[64];         // empty: no driver bound
    enum nt_device_state state;
    uint32_t problem; // the failing NTSTATUS, 0: none
};
typedef void nt_device_visitor(void *context, const struct nt_device *device);
void nt_devices(nt_device_visitor *visitor, void *context);
// QUERY_REMOVE, then REMOVE or CANCEL_REMOVE: the veto's status, 0x80000028 (STATUS_PLUGPLAY_QUERY_VETOED)
// when it is an open file's. These calls wait for the PnP worker, so an nt_interface_event must not make
// them.
nt_status nt_device_remove(const char *instance);
nt_status nt_device_stop(const char *instance);       // QUERY_STOP, then STOP or CANCEL_STOP
nt_status nt_device_start(const char *instance);      // START after a stop, or anew after a remove
void nt_device_surprise_remove(const char *instance); // as if its bus had reported it missing
void nt_pnp_wait(void); // until the PnP manager has handled all that buses and drivers reported so far

// ---- device interfaces: GUIDs as 16 bytes in memory order ----

typedef void nt_interface_visitor(void *context, const char *link);
void nt_interfaces(const uint8_t guid[16], nt_interface_visitor *visitor, void *context); // the enabled ones
// Arrivals (enabled) and departures, from the PnP worker, in order. One subscriber per GUID and context.
typedef void nt_interface_event(void *context, const char *link, bool enabled);
// -EOPNOTSUPP: the kernel is in another process.
int nt_interface_subscribe(const uint8_t guid[16], nt_interface_event *event, void *context);
void nt_interface_unsubscribe(const uint8_t guid[16], nt_interface_event *event,
                              void *context); // waits for a running one

// ---- files ----

typedef struct nt_file nt_file;
nt_status nt_open(const char *path, nt_file **file); // "\\\\.\\SCReader0" or an interface's link; for both
// Control codes that need access which the file was not opened for are refused before the driver sees them.
enum nt_access { NT_ACCESS_NONE = 0, NT_ACCESS_READ = 1, NT_ACCESS_WRITE = 2 };
nt_status nt_open_for(const char *path, unsigned access, nt_file **file); // of nt_access
void nt_close(nt_file *file); // CLEANUP, then CLOSE once no request is left

// Waits until done. `out` may equal `in`. `*returned`: IoStatus.Information.
nt_status nt_device_control(nt_file *file, uint32_t code, const void *in, size_t in_length, void *out,
                            size_t out_length, size_t *returned);
// Overlapped: begin, any number of waits, cancel at will, end exactly once (waits for completion, returns the
// status). Buffers stay the caller's until end.
typedef struct nt_request nt_request;
nt_request *nt_device_control_begin(nt_file *file, uint32_t code, const void *in, size_t in_length, void *out,
                                    size_t out_length);
// The same for requests that the driver works on while their sender waits: a thread of its own sends it, so
// this returns at once and the request can be cancelled.
nt_request *nt_device_control_start(nt_file *file, uint32_t code, const void *in, size_t in_length, void *out,
                                    size_t out_length);
bool nt_request_wait(nt_request *request, int64_t timeout_us); // true: completed; -1: no time-out
void nt_request_cancel(nt_request *request);
nt_status nt_request_end(nt_request *request, size_t *returned);

// ---- power and time ----

enum nt_system_power { NT_POWER_S0, NT_POWER_S1, NT_POWER_S2, NT_POWER_S3, NT_POWER_S4, NT_POWER_S5 };
nt_status nt_system_power(enum nt_system_power state); // query and set through the whole tree; S0 resumes
uint64_t nt_now_us(void);                              // since boot, of the chosen clock
void nt_sleep_us(uint64_t microseconds);
