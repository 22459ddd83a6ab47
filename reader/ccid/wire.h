// SPDX-License-Identifier: MIT
// Little-endian octets at any alignment.
#pragma once
#include <ntddk.h>

static inline USHORT WireGet16(_In_ const UCHAR *Bytes)
{
    return (USHORT)(Bytes[0] | Bytes[1] << 8);
}

static inline ULONG WireGet32(_In_ const UCHAR *Bytes)
{
    return WireGet16(Bytes) | (ULONG)WireGet16(Bytes + 2) << 16;
}

static inline VOID WirePut16(_Out_ UCHAR *Bytes, _In_ USHORT Value)
{
    Bytes[0] = (UCHAR)Value;
    Bytes[1] = (UCHAR)(Value >> 8);
}

static inline VOID WirePut32(_Out_ UCHAR *Bytes, _In_ ULONG Value)
{
    WirePut16(Bytes, (USHORT)Value);
    WirePut16(Bytes + 2, (USHORT)(Value >> 16));
}
