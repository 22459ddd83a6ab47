// SPDX-License-Identifier: MIT
// KeQuerySystemTime and KeQueryTickCount are inline loads from a fixed kernel address; here from ke/'s own
// page.
#pragma once
extern unsigned char NtHostUserSharedData[];
#undef KI_USER_SHARED_DATA
#define KI_USER_SHARED_DATA ((ULONG_PTR)NtHostUserSharedData)
