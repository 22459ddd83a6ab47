// SPDX-License-Identifier: MIT
// What the test images import from the test's kernel; they include nothing else.
#pragma once

typedef unsigned char UINT8;
typedef unsigned short UINT16;
typedef unsigned int UINT32;
typedef unsigned long long UINT64;

#define IMPORT        __declspec(dllimport)
#define NEVER_INLINED __attribute__((noinline))

IMPORT int HostAdd(int a, int b);
IMPORT void HostNote(int event); // appended to a list the test reads
IMPORT int HostCall(int (*routine)(int), int argument);
IMPORT void HostRaise(UINT32 status); // raises below some frames of its own
IMPORT extern int HostVariable;
