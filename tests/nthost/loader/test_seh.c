// SPDX-License-Identifier: MIT
#include "support.h"

#include <pthread.h>
#include <string.h>

typedef uint32_t MS_ABI seh_one(uint32_t);
typedef uint32_t MS_ABI seh_two(uint32_t, uint32_t);
typedef uint32_t MS_ABI seh_three(uint32_t, int, int);
typedef uint64_t MS_ABI seh_wide(uint64_t);
typedef int MS_ABI seh_trace(void **, int);

static loader_module *module;

static int load(void **state)
{
    (void)state;
    kernel_reset();
    module = load_image("lld/ldrseh.sys");
    return 0;
}

static int unload(void **state)
{
    (void)state;
    return loader_unload(module);
}

static uint32_t one(const char *name, uint32_t argument)
{
    kernel.events[0] = '\0';
    return EXPORT(module, name, seh_one *)(argument);
}

static uint32_t two(const char *name, uint32_t first, uint32_t second)
{
    kernel.events[0] = '\0';
    return EXPORT(module, name, seh_two *)(first, second);
}

static void test_except(void **state)
{
    (void)state;
    int target = 0;
    assert_int_equal(EXPORT(module, "SehExcept", seh_wide *)((uintptr_t)&target), 0);
    assert_string_equal(kernel.events, "1 2");
    assert_int_equal(target, 7);
    kernel.events[0] = '\0';
    assert_int_equal((uint32_t)EXPORT(module, "SehExcept", seh_wide *)(0), 0xc0000005);
    assert_string_equal(kernel.events, "1 3");
}

static void test_filter(void **state)
{
    (void)state;
    assert_int_equal((uint32_t)EXPORT(module, "SehFilter", seh_wide *)(0x7f8), 1);
    assert_string_equal(kernel.events, "10");
}

static void test_finally(void **state)
{
    (void)state;
    assert_int_equal(one("SehFinally", 0), 0);
    assert_string_equal(kernel.events, "1 2 3");
    assert_int_equal(one("SehFinally", 0xc000000d), 1);
    assert_string_equal(kernel.events, "1 4 5");
}

static void test_nested(void **state)
{
    (void)state;
    assert_int_equal(one("SehNested", 0xc0000185), 0xc0000185);
    assert_string_equal(kernel.events, "1 2 3");
}

static void test_continue(void **state)
{
    (void)state;
    assert_int_equal(one("SehContinue", 0), 77);
    assert_string_equal(kernel.events, "1");
    assert_int_equal((uint32_t)EXPORT(module, "SehRaiseRecord", seh_wide *)(42), 1);
    assert_int_equal((uint32_t)EXPORT(module, "SehRaiseRecord", seh_wide *)(43), 2);
}

// The registers that Win64 keeps, before and after a call that unwinds through host code which spoiled them.
static uint32_t call_keeping(uint64_t routine, uint32_t status)
{
    uint64_t result = 0;
    uint64_t wrong = 0;
    __asm__ volatile("mov $0x1111, %%rbx\n mov $0x2222, %%rsi\n mov $0x3333, %%rdi\n"
                     "mov $0x4444, %%r12\n mov $0x5555, %%r15\n"
                     "movq %%rbx, %%xmm6\n movq %%rsi, %%xmm7\n movq %%rdi, %%xmm15\n"
                     "mov %%rsp, %%r13\n sub $64, %%rsp\n and $-16, %%rsp\n"
                     "mov $5, %%edx\n mov $6, %%r8d\n"
                     "call *%%rax\n"
                     "mov %%r13, %%rsp\n"
                     "movq %%xmm6, %%rcx\n sub %%rbx, %%rcx\n"
                     "movq %%xmm7, %%rdx\n sub %%rsi, %%rdx\n or %%rdx, %%rcx\n"
                     "movq %%xmm15, %%rdx\n sub %%rdi, %%rdx\n or %%rdx, %%rcx\n"
                     "sub $0x1111, %%rbx\n or %%rbx, %%rcx\n sub $0x2222, %%rsi\n or %%rsi, %%rcx\n"
                     "sub $0x3333, %%rdi\n or %%rdi, %%rcx\n sub $0x4444, %%r12\n or %%r12, %%rcx\n"
                     "sub $0x5555, %%r15\n or %%r15, %%rcx\n"
                     : "=a"(result), "=c"(wrong)
                     : "0"(routine), "1"((uint64_t)status)
                     : "rbx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r15", "xmm0",
                       "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm15", "cc", "memory");
    assert_int_equal(wrong, 0);
    return (uint32_t)result;
}

static void test_host_raise(void **state)
{
    (void)state;
    uint64_t routine = (uintptr_t)find_export(module, "SehHostRaise");
    assert_int_equal(call_keeping(routine, 0xc0000047), 0xc0000047u + 11);
    assert_string_equal(kernel.events, "1");
}

static void test_through_host(void **state)
{
    (void)state;
    assert_int_equal(one("SehThroughHost", 0xc0000120), 0xc0000120);
    assert_string_equal(kernel.events, "1 2 3");
}

static void test_in_filter(void **state)
{
    (void)state;
    assert_int_equal(two("SehInFilter", 0xc0000001, 0xc0000002), 0xc0000001);
    assert_string_equal(kernel.events, "1 2 3 4");
}

static void test_collided(void **state)
{
    (void)state;
    assert_int_equal(two("SehCollided", 0xc0000001, 0xc0000002), 0xc0000002);
    assert_string_equal(kernel.events, "1 2 3");
}

static void test_filter_raises(void **state)
{
    (void)state;
    assert_int_equal(two("SehFilterRaises", 0xc0000001, 0xc0000002), 0xc0000002);
    assert_string_equal(kernel.events, "1 2");
}

static void test_deep(void **state)
{
    (void)state;
    assert_int_equal(one("SehDeep", 0xc000009a), 0xc000009a);
    assert_string_equal(kernel.events, "0 1 2 3");
}

static void test_loop(void **state)
{
    (void)state;
    assert_int_equal(one("SehLoop", 1000), 1000);
}

static void test_cookie(void **state)
{
    (void)state;
    uint64_t cookie = EXPORT(module, "SehCookie", seh_wide *)(0);
    assert_int_not_equal(cookie, 0x00002b992ddfa232);
    assert_int_not_equal(cookie, 0);
    assert_int_equal(cookie >> 48, 0);
    assert_int_equal(unload(NULL), 0);
    assert_int_equal(load(NULL), 0);
    assert_int_not_equal(cookie, EXPORT(module, "SehCookie", seh_wide *)(0));
}

static void test_backtrace(void **state)
{
    (void)state;
    void *frames[16];
    int depth = EXPORT(module, "SehBackTrace", seh_trace *)(frames, 16);
    assert_true(depth >= 3);
    assert_ptr_equal(loader_module_at((uintptr_t)frames[0]), module);
    assert_null(loader_module_at((uintptr_t)frames[1]));
}

static void *catch_many(void *caught)
{
    static char kthread[2];
    if (loader_thread_enter(kthread) == 0) {
        *(uint32_t *)caught = EXPORT(module, "SehLoop", seh_one *)(2000);
        loader_thread_leave();
    }
    return NULL;
}

static void test_threads(void **state)
{
    (void)state;
    pthread_t threads[4];
    uint32_t caught[4] = {0};
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, catch_many, &caught[i]), 0);
    }
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(caught[i], 2000);
    }
}

static void run_unhandled(const void *argument)
{
    (void)argument;
    EXPORT(module, "SehUnhandled", seh_wide *)(0x20);
}

static void run_continue_raised(const void *argument)
{
    (void)argument;
    EXPORT(module, "SehContinueRaised", seh_one *)(0xc000000d);
}

static void run_raise_outside(const void *argument)
{
    (void)argument;
    loader_raise_status(0xc000000d);
}

static void test_unhandled(void **state)
{
    (void)state;
    struct loader_fault fault = fault_of(run_unhandled, NULL);
    assert_int_equal(fault.kind, LOADER_FAULT_EXCEPTION);
    assert_int_equal(fault.code, 0xc0000005);
    assert_int_equal(fault.parameters[1], 0x20);
    assert_ptr_equal(loader_module_at(fault.address), module);
    fault = fault_of(run_continue_raised, NULL);
    assert_int_equal(fault.kind, LOADER_FAULT_EXCEPTION);
    assert_int_equal(fault.code, 0xc0000025); // STATUS_NONCONTINUABLE_EXCEPTION
    fault = fault_of(run_raise_outside, NULL);
    assert_int_equal(fault.code, 0xc000000d);
    assert_null(loader_module_at(fault.address));
}

#define SEH_TEST(test) LOADER_TEST(test, load, unload)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SEH_TEST(test_except),        SEH_TEST(test_filter),    SEH_TEST(test_finally),
        SEH_TEST(test_nested),        SEH_TEST(test_continue),  SEH_TEST(test_host_raise),
        SEH_TEST(test_through_host),  SEH_TEST(test_in_filter), SEH_TEST(test_collided),
        SEH_TEST(test_filter_raises), SEH_TEST(test_deep),      SEH_TEST(test_loop),
        SEH_TEST(test_cookie),        SEH_TEST(test_backtrace), SEH_TEST(test_threads),
        SEH_TEST(test_unhandled),
    };
    return cmocka_run_group_tests_name("loader seh", tests, kernel_start, kernel_stop);
}
