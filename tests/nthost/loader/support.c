// SPDX-License-Identifier: MIT
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct kernel kernel;
static int fault_pipe = -1;

static int MS_ABI host_add(int a, int b)
{
    return a + b;
}

static void MS_ABI host_note(int event)
{
    size_t used = strlen(kernel.events);
    snprintf(kernel.events + used, sizeof kernel.events - used, used == 0 ? "%d" : " %d", event);
}

static __attribute__((noinline)) int MS_ABI host_call(int(MS_ABI *routine)(int), int argument)
{
    volatile int kept = argument;
    int result = routine(argument);
    return result + (kept - argument);
}

static __attribute__((noinline)) void raise_below(uint32_t status, unsigned depth)
{
    // An aligned frame: its description needs more than register and offset.
    volatile uint8_t aligned[64] __attribute__((aligned(64)));
    aligned[0] = (uint8_t)depth;
    if (depth > 0) {
        raise_below(status, depth - aligned[0] / depth);
        aligned[1] = 1;
    } else {
        loader_raise_status(status);
    }
}

static void MS_ABI host_raise(uint32_t status)
{
    // What a Win64 caller wants kept is spoiled here, all of it.
    __asm__ volatile("pcmpeqd %%xmm6, %%xmm6\n pcmpeqd %%xmm7, %%xmm7\n pcmpeqd %%xmm15, %%xmm15\n"
                     "mov $-1, %%rbx\n mov $-1, %%rsi\n mov $-1, %%rdi\n mov $-1, %%r12\n mov $-1, %%r15\n"
                     :
                     :
                     : "xmm6", "xmm7", "xmm15", "rbx", "rsi", "rdi", "r12", "r15");
    raise_below(status, 3);
}

static void *resolve(void *context, const char *module, const char *name)
{
    static const struct {
        const char *name;
        void *address;
    } exports[] = {
        {"HostAdd", (void *)(uintptr_t)host_add},   {"HostNote", (void *)(uintptr_t)host_note},
        {"HostCall", (void *)(uintptr_t)host_call}, {"HostRaise", (void *)(uintptr_t)host_raise},
        {"HostVariable", &kernel.variable},
    };
    (void)context;
    for (size_t i = 0; strcmp(module, "ntoskrnl.exe") == 0 && i < sizeof exports / sizeof exports[0]; i++) {
        if (strcmp(name, exports[i].name) == 0) {
            return exports[i].address;
        }
    }
    return NULL;
}

static uint8_t irql_read(void *context)
{
    return ((struct kernel *)context)->irql;
}

static void irql_write(void *context, uint8_t irql)
{
    struct kernel *self = context;
    volatile uint8_t used[2048];
    memset((void *)used, 0x5a, sizeof used); // a routine of some size, on the driver's stack
    self->irql = irql;
    self->irql_writes++;
}

static bool port_read(void *context, uint16_t port, unsigned width, uint32_t *value)
{
    struct kernel *self = context;
    self->port = port;
    self->width = width;
    *value = self->port_value;
    return port != 0x666;
}

static bool port_write(void *context, uint16_t port, unsigned width, uint32_t value)
{
    struct kernel *self = context;
    self->port = port;
    self->width = width;
    self->written = value;
    return port != 0x666;
}

static void fatal(void *context, const struct loader_fault *fault)
{
    (void)context;
    if (fault_pipe < 0) {
        fprintf(stderr, "unexpected: %s\n", fault->text);
        return;
    }
    if (write(fault_pipe, fault, sizeof *fault) != (ssize_t)sizeof *fault) {
        _exit(3);
    }
    _exit(0);
}

void kernel_reset(void)
{
    memset(&kernel, 0, sizeof kernel);
}

static int start_loader(void)
{
    struct loader_host host = {.context = &kernel,
                               .resolve = resolve,
                               .irql_read = irql_read,
                               .irql_write = irql_write,
                               .port_read = port_read,
                               .port_write = port_write,
                               .shared_data = kernel.shared_data,
                               .fatal = fatal};
    return loader_start(&host);
}

int kernel_start(void **state)
{
    static char kthread[64];
    (void)state;
    kernel_reset();
    return start_loader() == 0 && loader_thread_enter(kthread) == 0 ? 0 : -1;
}

int kernel_stop(void **state)
{
    (void)state;
    loader_thread_leave();
    loader_stop();
    return 0;
}

void run_with_signals(void **state)
{
    CMUnitTestFunction test = (CMUnitTestFunction)(uintptr_t)*state;
    loader_stop();
    assert_int_equal(start_loader(), 0);
    test(state);
}

struct bytes read_image(const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", LOADER_IMAGES, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    struct bytes bytes = {.data = malloc(1 << 20)};
    assert_non_null(bytes.data);
    bytes.length = fread(bytes.data, 1, 1 << 20, file);
    fclose(file);
    assert_true(bytes.length > 512 && bytes.length < 1 << 20);
    return bytes;
}

loader_module *load_image(const char *name)
{
    char path[512];
    loader_module *module = NULL;
    struct loader_error error = {0};
    snprintf(path, sizeof path, "%s/%s", LOADER_IMAGES, name);
    if (loader_load_file(path, &module, &error) != 0) {
        fail_msg("%s", error.text);
    }
    return module;
}

void *find_export(loader_module *module, const char *name)
{
    void *address = loader_export(module, name, 0);
    if (address == NULL) {
        fail_msg("%s does not export %s", loader_name(module), name);
    }
    return address;
}

struct loader_fault fault_of(void (*routine)(const void *argument), const void *argument)
{
    int ends[2];
    struct loader_fault fault;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        fault_pipe = ends[1];
        routine(argument);
        _exit(2);
    }
    close(ends[1]);
    ssize_t got = read(ends[0], &fault, sizeof fault);
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    close(ends[0]);
    if (got != (ssize_t)sizeof fault || status != 0) {
        fail_msg("no fault reported: %zd bytes, exit status %#x", got, (unsigned)status);
    }
    return fault;
}
