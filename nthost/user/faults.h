// SPDX-License-Identifier: MIT
// Faults on purpose. With the verifier on, each call that a driver makes is an occurrence of some kind; a
// plan says which of them fail, come late, are cancelled, or meet something. Part of nthost.h.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum nt_fault_kind {
    NT_FAULT_ALLOCATION = 0x001, // pool, MDLs, strings: fail
    NT_FAULT_IRP = 0x002,        // IoAllocateIrp, IoBuild...Request, PoRequestPowerIrp: fail
    NT_FAULT_OBJECT = 0x004,     // devices, attachments, links, interfaces, notifications, extensions: fail
    NT_FAULT_THREAD = 0x008,     // PsCreateSystemThread: fail; its start: late
    NT_FAULT_WORK_ITEM = 0x010,  // IoAllocateWorkItem: fail; a queued one: late
    NT_FAULT_REGISTRY = 0x020,   // registry and device property reads: fail
    NT_FAULT_WAIT = 0x040,       // waits with a time-out: fail by timing out at once; any wait: late
    NT_FAULT_TRANSFER = 0x080,   // URBs: fail, late, cancel; meet: before they go down
    NT_FAULT_REQUEST = 0x100,    // device controls from user mode, by the driver that gets them: cancel
    NT_FAULT_CALL = 0x200,       // every call of an NT routine: meet
    NT_FAULT_ALL = 0x3FF,
};

enum nt_fault_effect {
    NT_FAULT_FAIL,
    NT_FAULT_LATE,   // by late_us
    NT_FAULT_CANCEL, // after late_us
    NT_FAULT_MEET,   // `meet` runs at that moment, on a thread of its own; once
    NT_FAULT_EFFECTS
};

enum nt_fault_mode {
    NT_FAULT_NONE,   // only count
    NT_FAULT_NTH,    // the n-th occurrence, counted from 1
    NT_FAULT_FROM,   // it and all after it
    NT_FAULT_SITE,   // the first time the n-th distinct call stack appears; n = 0: the first time of each
    NT_FAULT_CHANCE, // each with `chance` in a million, by `seed`
};

enum { NT_FAULT_TEXT_MAX = 160 };

struct nt_fault_plan {
    enum nt_fault_mode mode;
    enum nt_fault_effect effect;
    uint32_t kinds;
    char driver[32]; // only calls of this service's driver; empty: of all drivers
    uint64_t n;
    uint32_t chance;
    uint64_t seed;
    uint64_t late_us;
    void (*meet)(void *context);
    void *context;
};

struct nt_fault_counts {
    uint64_t occurrences, injected;
    uint64_t sites; // distinct call stacks
};

// The next or the running kernel suffers by this plan, counted from now; NULL: nothing any more.
void nt_faults_plan(const struct nt_fault_plan *plan);
void nt_faults_count(struct nt_fault_counts *counts); // since nt_faults_plan(), also after nt_shutdown()

struct nt_fault_site {
    uint64_t number, occurrences, injected;
    enum nt_fault_kind kind;
    const char *driver, *stack; // the driver's frames, innermost first, one a line
};
typedef void nt_fault_visitor(void *context, const struct nt_fault_site *site);
void nt_fault_sites(nt_fault_visitor *visitor, void *context);

// Plans as text: "KIND[,KIND...]:EFFECT:WHICH[:driver=NAME]", e.g.
// "allocation,irp:fail:site=3:driver=lectern", "transfer:late=50000:nth=2", "all:fail:chance=1000/7",
// "all:fail:each". Meeting cannot be written. 0 or -EINVAL.
int nt_fault_parse(const char *text, struct nt_fault_plan *plan);
void nt_fault_print(const struct nt_fault_plan *plan, char text[NT_FAULT_TEXT_MAX]);
const char *nt_fault_kind_name(enum nt_fault_kind kind);

// ---- sweeps ----

// Boots, runs, shuts down; false: it failed, and has said why on stderr.
typedef bool nt_run(void *context);

enum nt_end { NT_END_PASSED, NT_END_FAILED, NT_END_BROKE, NT_END_HUNG }; // BROKE: a bug check or a crash
enum { NT_RUN_SECONDS = 60 };                                            // a run that takes longer hangs

// `report`: the end of what the run wrote.
typedef void nt_sweep_visitor(void *context, const struct nt_fault_plan *plan, enum nt_end end,
                              const char *report);

struct nt_sweep {
    struct nt_fault_plan plan; // mode SITE: every site once; NTH: every occurrence; its n is the first tried
    nt_run *run;
    nt_sweep_visitor *failed; // for each run that did not pass; may be NULL
    void *context;
    uint64_t limit; // of runs, 0: none
};

struct nt_sweep_result {
    uint64_t runs, failures;
    uint64_t occurrences, sites; // of the run without a fault
};

// In child processes; the kernel must not be booted, and no other thread run. 0 or negative errno.
int nt_fault_sweep(const struct nt_sweep *sweep, struct nt_sweep_result *result);
