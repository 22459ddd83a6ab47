// SPDX-License-Identifier: MIT
// Accesses to memory that is not there.
#include "nthost/ex/ex.h"
#include "nthost/ke/ke.h"
#include "nthost/os/os.h"
#include "nthost/verifier/verifier.h"

static bool VfOnFault(const void *Address, bool Write, const void *Instruction)
{
    static CHAR Text[512];
    BOOLEAN Freed = FALSE;
    if (KiThread == NULL) {
        return false; // not the kernel's doing
    }
    KiThread->Caller = (PVOID)(ULONG_PTR)Instruction;
    Text[0] = 0;
    if (ExpDescribeAddress(Address, Text, sizeof Text, &Freed)) {
        VfBreak(Freed ? VfRulePoolUseAfterFree : VfRulePoolOverrun, (ULONG_PTR)Address, Write,
                (ULONG_PTR)Instruction, "%s at %p: %s", Write ? "write" : "read", Address, Text);
    }
    VfBreak(KiThread->Irql >= DISPATCH_LEVEL ? VfRuleBadAccessRaised : VfRuleBadAccess, (ULONG_PTR)Address,
            Write, (ULONG_PTR)Instruction, "%s at %p", Write ? "write" : "read", Address);
}

VOID VfBootFaults(BOOLEAN GuardPages)
{
    // AddressSanitizer says more about a wild access, but does not know the guarded blocks.
    if (GuardPages || !os_has_asan()) {
        os_on_fault(VfOnFault);
    }
}

VOID VfShutdownFaults(VOID)
{
    os_on_fault(NULL);
}
