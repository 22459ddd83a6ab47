// SPDX-License-Identifier: MIT
#include "support.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

typedef uint64_t MS_ABI trap_read(void);
typedef uint64_t MS_ABI trap_write(uint64_t);
typedef uint32_t MS_ABI trap_port_read(uint16_t, int);
typedef void MS_ABI trap_port_write(uint16_t, uint32_t);
typedef void MS_ABI trap_code(uint32_t);
typedef void MS_ABI trap_plain(void);
typedef void MS_ABI trap_call(void *);
typedef int MS_ABI trap_depth(int);

static loader_module *module;

static int load(void **state)
{
    (void)state;
    kernel_reset();
    module = load_image("mingw/ldrtrap.sys");
    return 0;
}

static int unload(void **state)
{
    (void)state;
    return loader_unload(module);
}

static void test_irql(void **state)
{
    (void)state;
    kernel.irql = 2;
    assert_int_equal(EXPORT(module, "TrapReadIrql", trap_read *)(), 2);
    kernel.irql = 13;
    assert_int_equal(EXPORT(module, "TrapReadIrqlHigh", trap_read *)(), 13);
    assert_int_equal(EXPORT(module, "TrapWriteIrql", trap_write *)(1), 0);
    assert_int_equal(kernel.irql, 1);
    assert_int_equal(kernel.irql_writes, 1);
}

static void test_ports(void **state)
{
    (void)state;
    trap_port_read *read_port = EXPORT(module, "TrapPortRead", trap_port_read *);
    kernel.port_value = 0x11223344;
    assert_int_equal(read_port(0x3f8, 1), 0xaabbcc44);
    assert_int_equal(kernel.port, 0x3f8);
    assert_int_equal(kernel.width, 1);
    assert_int_equal(read_port(0x1f0, 2), 0xaabb3344);
    assert_int_equal(kernel.width, 2);
    assert_int_equal(read_port(0xcf8, 4), 0x11223344);
    assert_int_equal(kernel.width, 4);
    EXPORT(module, "TrapPortWrite", trap_port_write *)(0xcf8, 0xcafe01);
    assert_int_equal(kernel.port, 0x80);
    assert_int_equal(kernel.width, 1);
    assert_int_equal(kernel.written, 1);
}

static void test_kpcr(void **state)
{
    (void)state;
    assert_int_equal(EXPORT(module, "TrapKpcrSelf", trap_read *)(), 1);
    assert_int_not_equal(EXPORT(module, "TrapThread", trap_read *)(), 0);
    loader_thread_leave();
    assert_int_equal(loader_thread_enter((void *)0x1234560), 0);
    assert_int_equal(EXPORT(module, "TrapThread", trap_read *)(), 0x1234560);
}

static void *enter_and_read(void *kthread)
{
    uint64_t seen = 0;
    if (loader_thread_enter(kthread) == 0) {
        seen = EXPORT(module, "TrapThread", trap_read *)();
        loader_thread_leave();
    }
    return (void *)(uintptr_t)seen;
}

static void test_threads(void **state)
{
    (void)state;
    static char kthreads[2];
    pthread_t threads[2];
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, enter_and_read, &kthreads[i]), 0);
    }
    for (unsigned i = 0; i < 2; i++) {
        void *seen = NULL;
        assert_int_equal(pthread_join(threads[i], &seen), 0);
        assert_ptr_equal(seen, &kthreads[i]);
    }
    assert_int_equal(loader_thread_enter(&kthreads[0]), -EALREADY);
}

static void test_shared_data(void **state)
{
    (void)state;
    uint64_t time = 0x01dc123456789abc;
    uint64_t ticks = 987654321;
    memcpy(kernel.shared_data + 0x14, &time, sizeof time);
    memcpy(kernel.shared_data + 0x320, &ticks, sizeof ticks);
    assert_int_equal(EXPORT(module, "TrapSystemTime", trap_read *)(), time);
    assert_int_equal(EXPORT(module, "TrapTickCount", trap_read *)(), ticks);
}

static void run_port(const void *argument)
{
    (void)argument;
    EXPORT(module, "TrapPortRead", trap_port_read *)(0x666, 1);
}

static void run_plain(const void *name)
{
    EXPORT(module, name, trap_plain *)();
}

static void run_fast_fail(const void *argument)
{
    EXPORT(module, "TrapFastFail", trap_code *)(*(const uint32_t *)argument);
}

static void run_write(const void *address)
{
    EXPORT(module, "TrapWrite", trap_call *)((void *)address);
}

static void run_call(const void *address)
{
    EXPORT(module, "TrapCall", trap_call *)((void *)address);
}

static void run_divide(const void *argument)
{
    (void)argument;
    EXPORT(module, "TrapDivide", trap_write *)(0);
}

static void run_overflow(const void *argument)
{
    (void)argument;
    EXPORT(module, "TrapOverflow", trap_depth *)(0);
}

static void check_fault(const struct loader_fault *fault, enum loader_fault_kind kind, uint32_t code,
                        const char *text)
{
    assert_int_equal(fault->kind, kind);
    assert_int_equal(fault->code, code);
    if (strncmp(fault->text, text, strlen(text)) != 0) {
        fail_msg("\"%s\" does not begin with \"%s\"", fault->text, text);
    }
    assert_true(fault->depth > 0);
    assert_int_equal(fault->frames[0], fault->address);
}

static void test_privileged(void **state)
{
    (void)state;
    struct loader_fault fault = fault_of(run_plain, "TrapDisable");
    check_fault(&fault, LOADER_FAULT_PRIVILEGED, 0xfa,
                "privileged instruction fa at ldrtrap.sys!TrapDisable+");
    fault = fault_of(run_plain, "TrapMsr");
    check_fault(&fault, LOADER_FAULT_PRIVILEGED, 0x0f, "privileged instruction 0f at ldrtrap.sys!TrapMsr+");
    fault = fault_of(run_port, NULL);
    check_fault(&fault, LOADER_FAULT_PRIVILEGED, 0xec,
                "privileged instruction ec at ldrtrap.sys!TrapPortRead+");
}

static void test_fast_fail(void **state)
{
    (void)state;
    uint32_t code = 2; // FAST_FAIL_STACK_COOKIE_CHECK_FAILURE
    struct loader_fault fault = fault_of(run_fast_fail, &code);
    check_fault(&fault, LOADER_FAULT_FAST_FAIL, 2, "fast fail 2 at ldrtrap.sys!TrapFastFail+");
    // The stack goes on into the host that called.
    assert_true(fault.depth > 3);
    assert_ptr_equal(loader_module_at(fault.frames[0]), module);
    assert_null(loader_module_at(fault.frames[1]));
}

static void test_exceptions(void **state)
{
    (void)state;
    struct loader_fault fault = fault_of(run_plain, "TrapBreakpoint");
    check_fault(&fault, LOADER_FAULT_EXCEPTION, 0x80000003,
                "exception 80000003 at ldrtrap.sys!TrapBreakpoint+0x0");
    fault = fault_of(run_plain, "TrapAssertion");
    check_fault(&fault, LOADER_FAULT_EXCEPTION, 0xc0000420,
                "exception c0000420 at ldrtrap.sys!TrapAssertion+0x0");
    fault = fault_of(run_divide, NULL);
    check_fault(&fault, LOADER_FAULT_EXCEPTION, 0xc0000094, "exception c0000094 at ldrtrap.sys!TrapDivide+");
    fault = fault_of(run_write, (void *)0x18);
    check_fault(&fault, LOADER_FAULT_EXCEPTION, 0xc0000005,
                "access violation, write to 0x18 at ldrtrap.sys!TrapWrite+");
    fault = fault_of(run_write, (void *)0x8000000000000000);
    check_fault(&fault, LOADER_FAULT_EXCEPTION, 0xc0000005,
                "access violation, read from 0xffffffffffffffff at ldrtrap");
}

static void test_wild_call(void **state)
{
    (void)state;
    struct loader_fault fault = fault_of(run_call, (void *)0x40);
    check_fault(&fault, LOADER_FAULT_EXCEPTION, 0xc0000005, "access violation, jump to 0x40 at 0x40");
    assert_ptr_equal(loader_module_at(fault.frames[1]), module);
}

static void test_overflow(void **state)
{
    (void)state;
    struct loader_fault fault = fault_of(run_overflow, NULL);
    check_fault(&fault, LOADER_FAULT_STACK_OVERFLOW, fault.code,
                "the kernel stack is used up at ldrtrap.sys!");
}

static volatile uintptr_t nowhere = 16;

static void before_us(int number)
{
    _exit(number == SIGSEGV ? 42 : 1);
}

// Set before the loader came; a fault of host code, even on a thread that runs drivers, is for it.
static void test_chain(void **state)
{
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        kernel_stop(NULL);
        signal(SIGSEGV, before_us);
        kernel_start(NULL);
        *(volatile int *)nowhere = 1;
        _exit(2);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 42);
}

// A thread that never entered, and a signal somebody sent.
static void test_chain_sent(void **state)
{
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        kernel_stop(NULL);
        signal(SIGSEGV, before_us);
        kernel_start(NULL);
        raise(SIGSEGV);
        _exit(2);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 42);
}

#define TRAP_TEST(test) LOADER_TEST(test, load, unload)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TRAP_TEST(test_irql),      TRAP_TEST(test_ports),       TRAP_TEST(test_kpcr),
        TRAP_TEST(test_threads),   TRAP_TEST(test_shared_data), TRAP_TEST(test_privileged),
        TRAP_TEST(test_fast_fail), TRAP_TEST(test_exceptions),  TRAP_TEST(test_wild_call),
        TRAP_TEST(test_overflow),  TRAP_TEST(test_chain),       TRAP_TEST(test_chain_sent),
    };
    return cmocka_run_group_tests_name("loader trap", tests, kernel_start, kernel_stop);
}
