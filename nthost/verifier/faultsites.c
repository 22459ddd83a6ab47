// SPDX-License-Identifier: MIT
// Call stacks within drivers, numbered in the order in which they first appeared. A stack ends where the
// kernel called the driver, so that it names a place in the driver whoever came by.
#include "nthost/ke/ke.h"
#include "nthost/os/os.h"
#include "nthost/rtl/rtl.h"
#include "nthost/verifier/faults.h"
#include "nthost/verifier/report.h"

enum { VF_SITES = 4096, VF_SLOTS = 2 * VF_SITES, VF_SITE_TEXT = 4096, VF_FRAMES_ABOVE = 8 };

static VF_SITE *VfSites; // of VF_SITES
static ULONG VfSitesUsed;
static USHORT VfSlots[VF_SLOTS]; // by hash, numbers from 1

VOID VfTakeCall(VF_CALL *Call, ULONG Kind, VF_DRIVER Driver)
{
    PVOID Frames[VF_FAULT_FRAMES + VF_FRAMES_ABOVE];
    PKTHREAD Thread = KiCurrentThread();
    ULONG Count = os_stack_below(Frames, VF_FAULT_FRAMES + VF_FRAMES_ABOVE, Thread->DriverFrame);
    ULONG First = 0;
    while (First < Count && Frames[First] != Thread->Caller) {
        First++;
    }
    Call->Kind = Kind;
    Call->Driver = Driver;
    Call->Count = 0;
    if (First == Count) { // an image's frames, which nothing here can unwind
        Call->Frames[Call->Count++] = Thread->Caller;
    }
    while (First < Count && Call->Count < VF_FAULT_FRAMES) {
        Call->Frames[Call->Count++] = Frames[First++];
    }
}

static ULONG64 VfHashCall(const VF_CALL *Call)
{
    ULONG64 Hash = 0xCBF29CE484222325u ^ Call->Kind;
    for (ULONG i = 0; i < Call->Count; i++) {
        Hash = (Hash ^ (ULONG_PTR)Call->Frames[i]) * 0x9E3779B97F4A7C15u;
        Hash ^= Hash >> 29;
    }
    return Hash;
}

static VF_SITE *VfAddSite(const VF_CALL *Call, ULONG64 Hash, PUSHORT Slot)
{
    if (VfSites == NULL) {
        VfSites = os_allocate(VF_SITES * sizeof *VfSites, 16);
    }
    if (VfSites == NULL || VfSitesUsed == VF_SITES) {
        return NULL;
    }
    VF_SITE *Site = &VfSites[VfSitesUsed++];
    *Slot = (USHORT)VfSitesUsed;
    *Site = (VF_SITE){.Hash = Hash, .Occurrences = 1, .Kind = Call->Kind, .Frames = (USHORT)Call->Count};
    RtlpAppend(Site->Driver, sizeof Site->Driver, "%s", VfDriverName(Call->Driver));
    RtlCopyMemory(Site->Stack, Call->Frames, Call->Count * sizeof(PVOID));
    return Site;
}

VF_SITE *VfNoteSite(const VF_CALL *Call)
{
    ULONG64 Hash = VfHashCall(Call);
    ULONG Slot = (ULONG)(Hash % VF_SLOTS);
    while (VfSlots[Slot] != 0) {
        VF_SITE *Site = &VfSites[VfSlots[Slot] - 1];
        if (Site->Hash == Hash) {
            Site->Occurrences++;
            return Site;
        }
        Slot = (Slot + 1) % VF_SLOTS;
    }
    return VfAddSite(Call, Hash, &VfSlots[Slot]);
}

ULONG VfSiteNumber(const VF_SITE *Site)
{
    return (ULONG)(Site - VfSites) + 1;
}

ULONG VfSiteCount(VOID)
{
    return VfSitesUsed;
}

VOID VfForgetSites(VOID)
{
    os_free(VfSites);
    VfSites = NULL;
    VfSitesUsed = 0;
    RtlZeroMemory(VfSlots, sizeof VfSlots);
}

void nt_fault_sites(nt_fault_visitor *visitor, void *context)
{
    for (ULONG i = 0; i < VfSitesUsed; i++) {
        CHAR Text[VF_SITE_TEXT] = "";
        VF_SITE *Site = &VfSites[i];
        VfDescribeStack(Text, sizeof Text, Site->Stack, Site->Frames);
        struct nt_fault_site Shown = {
            i + 1, Site->Occurrences, Site->Injected, (enum nt_fault_kind)Site->Kind, Site->Driver, Text};
        visitor(context, &Shown);
    }
}
