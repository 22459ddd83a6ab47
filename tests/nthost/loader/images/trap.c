// SPDX-License-Identifier: MIT
// Instructions that are at home in a kernel only.
#include "host.h"

#define SHARED_DATA 0xfffff78000000000ull

UINT64 TrapReadIrql(void)
{
    UINT64 irql;
    __asm__ volatile("mov %%cr8, %0" : "=r"(irql));
    return irql;
}

UINT64 TrapReadIrqlHigh(void)
{
    register UINT64 irql __asm__("r14");
    __asm__ volatile("mov %%cr8, %0" : "=r"(irql));
    return irql;
}

// Every register but the stack pointer must come through.
UINT64 TrapWriteIrql(UINT64 irql)
{
    UINT64 changed;
    __asm__ volatile("mov $1, %%rcx\n"
                     "mov $2, %%rdx\n"
                     "mov $3, %%r8\n"
                     "mov $9, %%r11\n"
                     "movq %%rdx, %%xmm3\n"
                     "movq %%r11, %%xmm15\n"
                     "cmp %%rcx, %%rcx\n"
                     "mov %1, %%cr8\n"
                     "jne 1f\n"
                     "movq %%xmm3, %%rax\n"
                     "movq %%xmm15, %%r10\n"
                     "sub $2, %%rax\n"
                     "sub $9, %%r10\n"
                     "sub $1, %%rcx\n"
                     "sub $2, %%rdx\n"
                     "sub $3, %%r8\n"
                     "sub $9, %%r11\n"
                     "or %%r10, %%rax\n"
                     "or %%rcx, %%rax\n"
                     "or %%rdx, %%rax\n"
                     "or %%r8, %%rax\n"
                     "or %%r11, %%rax\n"
                     "jmp 2f\n"
                     "1: mov $99, %%rax\n"
                     "2:\n"
                     : "=&a"(changed)
                     : "r"(irql)
                     : "rcx", "rdx", "r8", "r10", "r11", "xmm3", "xmm15", "cc");
    return changed;
}

UINT32 TrapPortRead(UINT16 port, int width)
{
    UINT32 value = 0xaabbccdd;
    if (width == 1) {
        __asm__ volatile("inb %w1, %b0" : "+a"(value) : "d"(port));
    } else if (width == 2) {
        __asm__ volatile("inw %w1, %w0" : "+a"(value) : "d"(port));
    } else {
        __asm__ volatile("inl %w1, %0" : "+a"(value) : "d"(port));
    }
    return value;
}

void TrapPortWrite(UINT16 port, UINT32 value)
{
    __asm__ volatile("outl %0, %w1" : : "a"(value), "d"(port));
    __asm__ volatile("outb %b0, $0x80" : : "a"(value));
}

void TrapDisable(void)
{
    __asm__ volatile("cli");
}

void TrapMsr(void)
{
    __asm__ volatile("rdmsr" : : "c"(0x1b) : "eax", "edx");
}

void TrapFastFail(UINT32 code)
{
    __asm__ volatile("int $0x29" : : "c"(code));
}

void TrapBreakpoint(void)
{
    __asm__ volatile("int3");
}

void TrapAssertion(void)
{
    __asm__ volatile("int $0x2c");
}

UINT64 TrapDivide(UINT64 by)
{
    volatile UINT64 value = 100;
    return value / by;
}

UINT64 TrapWrite(UINT64 *at)
{
    *(volatile UINT64 *)at = 5;
    return *(volatile UINT64 *)at;
}

void TrapCall(void (*target)(void))
{
    target();
    HostNote(1);
}

int TrapOverflow(int depth)
{
    volatile UINT8 page[4096];
    page[0] = (UINT8)depth;
    return TrapOverflow(depth + 1) + page[0];
}

UINT64 TrapThread(void)
{
    UINT64 thread;
    __asm__ volatile("mov %%gs:0x188, %0" : "=r"(thread));
    return thread;
}

int TrapKpcrSelf(void)
{
    UINT64 self;
    UINT64 prcb;
    __asm__ volatile("mov %%gs:0x18, %0" : "=r"(self));
    __asm__ volatile("mov %%gs:0x20, %0" : "=r"(prcb));
    return prcb == self + 0x180 && *(UINT64 *)(self + 0x18) == self;
}

UINT64 TrapSystemTime(void)
{
    return *(volatile UINT64 *)(SHARED_DATA + 0x14);
}

UINT64 TrapTickCount(void)
{
    UINT64 ticks;
    __asm__ volatile("movabs 0xfffff78000000320, %0" : "=a"(ticks));
    return ticks;
}

int DriverEntry(void)
{
    return 0;
}
