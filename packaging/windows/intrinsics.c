// SPDX-License-Identifier: MIT
// Microsoft's compiler has __readcr8 and __writecr8 built in (KeGetCurrentIrql and its like are made of
// them); clang only declares them, and with the wrong types, hence other names here.
#include <ntddk.h>

ULONG64 IntrinsicReadCr8(VOID) __asm__("__readcr8");
VOID IntrinsicWriteCr8(ULONG64 Level) __asm__("__writecr8");

ULONG64 IntrinsicReadCr8(VOID)
{
    ULONG64 level;

    __asm__ __volatile__("movq %%cr8, %0" : "=r"(level));
    return level;
}

VOID IntrinsicWriteCr8(ULONG64 Level)
{
    __asm__ __volatile__("movq %0, %%cr8" ::"r"(Level) : "memory");
}
