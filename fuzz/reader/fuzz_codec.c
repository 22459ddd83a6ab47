// SPDX-License-Identifier: MIT
// The driver's reading of messages and descriptors by itself: no kernel, hence fast.
#include "reader/ccid/descriptor.h"
#include "reader/ccid/message.h"
#include "reader/ccid/notify.h"

int LLVMFuzzerTestOneInput(const unsigned char *Data, __SIZE_TYPE__ Size);

#define SLOTS 252

int LLVMFuzzerTestOneInput(const unsigned char *Data, __SIZE_TYPE__ Size)
{
    CCID_INTERFACE found;
    CCID_CLASS descriptor;
    CCID_REPLY reply;
    ULONG length = (ULONG)Size;

    if (NT_SUCCESS(CcidInterfaceFind(Data, length, &found)) && found.Offset >= length) {
        __builtin_trap();
    }
    if (length >= CCID_CLASS_LENGTH && CcidClassDecode(Data, length, &descriptor) &&
        Data[0] < CCID_CLASS_LENGTH) {
        __builtin_trap();
    }
    if (CcidReplyDecode(Data, length, &reply) && reply.Length > CCID_DATA_LENGTH_MAX) {
        __builtin_trap();
    }
    for (ULONG slot = 0; slot < SLOTS; slot += 1 + length % 7) {
        if (CcidNotifyPresence(Data, length, slot) != CcidUnchanged &&
            CcidNotifyHardwareError(Data, length, slot)) {
            __builtin_trap();
        }
    }
    return 0;
}
