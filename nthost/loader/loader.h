// SPDX-License-Identifier: MIT
// PE images of x86-64 WDM drivers in this process: load, bind, run, unload. Plain C for host code; nothing of
// the DDK shows. int results are 0 or negative errno.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LOADER_MODULES = 64, LOADER_FRAMES = 32, LOADER_LINE = 256 };

// ---- the kernel behind the images ----

enum loader_fault_kind {
    LOADER_FAULT_EXCEPTION,      // no handler took it; code: NTSTATUS
    LOADER_FAULT_FAST_FAIL,      // int 29h; code: the FAST_FAIL_ number
    LOADER_FAULT_PRIVILEGED,     // an instruction that only a real kernel can execute; code: its first opcode
                                 // byte
    LOADER_FAULT_STACK_OVERFLOW, // reported on the signal stack: little room, no locks
    LOADER_FAULT_UNWIND,         // a frame, a scope table or an unwind target is unusable; code: NTSTATUS
};

struct loader_fault {
    enum loader_fault_kind kind;
    uint32_t code;
    uintptr_t address;       // of the instruction
    uintptr_t parameters[2]; // access violation: 0 read, 1 write, 8 execute; the address touched
    char text[LOADER_LINE];  // one line that says all of it
    size_t depth;
    uintptr_t frames[LOADER_FRAMES]; // innermost first, driver and host frames
};

struct loader_host {
    void *context;
    // The ms_abi routine, or the variable, that `module` ("ntoskrnl.exe") exports as `name`; NULL: there is
    // none. Asked for modules that are not loaded images.
    void *(*resolve)(void *context, const char *module, const char *name);
    // An image being loaded imports from `module`, which is no loaded image: the chance to load it now. NULL:
    // none.
    void (*need)(void *context, const char *module);
    uint8_t (*irql_read)(void *context);             // CR8; runs in a signal handler
    void (*irql_write)(void *context, uint8_t irql); // CR8; runs on the driver's stack like any call
    // Port I/O of `width` 1, 2 or 4 bytes; NULL or false: reported as LOADER_FAULT_PRIVILEGED.
    bool (*port_read)(void *context, uint16_t port, unsigned width, uint32_t *value);
    bool (*port_write)(void *context, uint16_t port, unsigned width, uint32_t value);
    const void *shared_data; // 4096 bytes that stand for KUSER_SHARED_DATA; NULL: not replaced
    void (*fatal)(void *context, const struct loader_fault *fault); // the bugcheck; when it returns, abort()
};

// Takes SIGSEGV, SIGBUS, SIGILL, SIGFPE and SIGTRAP; what no image caused goes on to the handler that was
// there before.
int loader_start(const struct loader_host *host); // -EALREADY while started
void loader_stop(void);                           // no image may be loaded any more

// Every thread calls enter before it runs driver code, and leave before it ends: GS, signal stack, stack
// bounds.
int loader_thread_enter(void *kthread);
void loader_thread_leave(void);

// For kernel routines that raise on the calling driver's behalf: to the nearest handler in an image, or to
// fatal(). Host frames in between are skipped, so they must hold nothing. Comes back only while the loader is
// not started.
void loader_raise_status(uint32_t status);

// ---- images ----

typedef struct loader_module loader_module;

struct loader_error {
    char text[LOADER_LINE]; // one line, with the image's name
    char **missing;         // "smclib.sys!SmartcardInitialize", each import that nothing provides
    size_t missing_count;
};
void loader_error_clear(struct loader_error *error); // frees the list; `error` starts zeroed

// Driver images this one imports from must be loaded before it or by need(), or be answered by resolve().
// -ENOEXEC: not an image that can run here; -ENOENT: no such file, or imports are missing; -EEXIST: that name
// is loaded.
int loader_load_file(const char *path, loader_module **module, struct loader_error *error);
int loader_load_memory(const void *bytes, size_t length, const char *name, loader_module **module,
                       struct loader_error *error);
int loader_unload(loader_module *module); // -EBUSY: another image is bound to it. No thread may be inside.

// Unloaded for all but a thread that has yet to return from it: the code stays mapped until loader_unload,
// the name is free, and so is what it was bound to. -EBUSY as above.
int loader_retire(loader_module *module);
bool loader_in_use(const loader_module *module); // is another image bound to it

// From now on the only image files, and .debug files of such, are those that lie in `folder` now; they are
// opened here and nothing is opened any more. 0 or negative errno; -EMFILE: too many.
int loader_keep_files(const char *folder);
// The file of that name in `folder`, in any case; `found` gets its own spelling.
bool loader_find_file(const char *folder, const char *name, char found[LOADER_LINE]);

const char *loader_name(const loader_module *module);
void *loader_base(const loader_module *module);
size_t loader_size(const loader_module *module);
void *loader_entry(const loader_module *module); // NULL: an image without one
// An exported routine or variable, forwarders followed; by name, or with NULL by ordinal.
void *loader_export(loader_module *module, const char *name, unsigned ordinal);

// ---- for reports ----

loader_module *loader_module_at(uintptr_t address);
// "toy.sys!ToyRead+0x1c" or "toy.sys+0x1042"; false: not in an image, the text is the number.
bool loader_describe(uintptr_t address, char *text, size_t size);
size_t loader_backtrace(uintptr_t *frames,
                        size_t capacity); // from the caller on, driver and host frames
