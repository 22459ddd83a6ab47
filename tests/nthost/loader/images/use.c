// SPDX-License-Identifier: MIT
// Imports of every kind, and pointers that only relocation makes right.
#include "host.h"

IMPORT int LibAdd(int a, int b);
IMPORT int LibTwice(int a);
IMPORT int LibForward(int a, int b);
IMPORT int LibForwardAgain(int a, int b);
IMPORT extern int LibValue;

static int Plus(int a)
{
    return a + 1;
}

static int Minus(int a)
{
    return a - 1;
}

static int Zeroed[4096];
int (*const Table[])(int) = {Plus, Minus};
static int *ZeroedPointer = &Zeroed[4095];

int UseHost(int a, int b)
{
    return HostAdd(a, b);
}

int UseHostVariable(void)
{
    return HostVariable++;
}

int UseName(int a, int b)
{
    return LibAdd(a, b);
}

int UseOrdinal(int a)
{
    return LibTwice(a);
}

int UseData(void)
{
    return LibValue;
}

int UseForward(int a, int b)
{
    return LibForward(a, b) * 1000 + LibForwardAgain(a, b);
}

int UseTable(int index, int a)
{
    return ((int (*const volatile *)(int))Table)[index](a);
}

int UseZeroed(int a)
{
    *ZeroedPointer += a;
    return Zeroed[4095];
}

int UseBigFrame(int fill)
{
    volatile UINT8 big[40000];
    for (unsigned i = 0; i < sizeof big; i += 1000) {
        big[i] = (UINT8)fill;
    }
    int sum = 0;
    for (unsigned i = 0; i < sizeof big; i += 1000) {
        sum += big[i];
    }
    return sum;
}

void UseWriteCode(void)
{
    *(volatile UINT8 *)(UINT64)UseHost = 0xc3;
}

void UseWriteConstant(void)
{
    *(void *volatile *)(UINT64)Table = 0;
}

int DriverEntry(void)
{
    return UseTable(0, 41);
}
