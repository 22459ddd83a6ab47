// SPDX-License-Identifier: MIT
// The bridge to smclib's ATR parser: plain C on this side, WDM code on the other.
#pragma once

struct AtrFacts {
    unsigned int Status; // NTSTATUS; the rest is set when it is a success
    unsigned char Inverse, Negotiable;
    unsigned char Fl, Dl, Current, Voltage, N; // Fi and Di indices, mA, 0.1 V, extra guard time
    unsigned char WI, IFSC, CWI, BWI, EDC;     // EDC: 0 LRC, 1 CRC
    unsigned char HistoricalLength, Historical[16];
    unsigned int F, DNumerator, DDivisor;
    unsigned int Supported; // SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1
    unsigned int Selected;  // one of them when there is no choice, else 0
    unsigned char PtsType, PtsFl, PtsDl, PtsStopBits;
    unsigned int PtsClock, PtsRate; // kHz, bit/s; these and the times below hold right after the reset
    unsigned int Etu, GT, WT, CWT, BWT,
        BGT; // microseconds at 4 MHz and the parameters used right after the reset
};

// Needs the kernel to be booted. `Length`: at most 64.
void AtrRead(const unsigned char *Atr, unsigned int Length, struct AtrFacts *Facts);
