// SPDX-License-Identifier: MIT
#include "tests/nthost/support/ketest.h"
#include "nthost/exports.h"

static PVOID Find(PCWSTR Name)
{
    UNICODE_STRING String;
    RtlInitUnicodeString(&String, Name);
    return MmGetSystemRoutineAddress(&String);
}

static void RoutinesAreFound(void)
{
    CHECK(Find(L"KeSetEvent") == (PVOID)(ULONG_PTR)KeSetEvent);
    CHECK(Find(L"wcslen") != NULL);
    CHECK(Find(L"KfRaiseIrql") != NULL);
    CHECK(Find(L"KeNoSuchRoutine") == NULL);
    CHECK(Find(L"") == NULL);
    SIZE_T(__cdecl * Length)(const WCHAR *) = Find(L"wcslen");
    CHECK_EQ(Length(L"four"), 4);
    ULONG(__cdecl * Print)(PCSTR, ...) = Find(L"DbgPrint");
    Print("%d", 5);
    CHECK_MEM(KeTestPrinted, "5", 2);
    KIRQL(FASTCALL * Raise)(KIRQL) = Find(L"KfRaiseIrql");
    VOID(FASTCALL * Lower)(KIRQL) = Find(L"KfLowerIrql");
    CHECK_EQ(Raise(DISPATCH_LEVEL), PASSIVE_LEVEL);
    CHECK_EQ(KeGetCurrentIrql(), DISPATCH_LEVEL);
    Lower(PASSIVE_LEVEL);
    CHECK_EQ(KeGetCurrentIrql(), PASSIVE_LEVEL);
}

static void Routines(void)
{
    KeTestVirtual(RoutinesAreFound, 0);
}

static void AllHaveAddresses(void)
{
    CHECK(nt_export_count > 200);
    for (unsigned i = 0; i < nt_export_count; i++) {
        CHECK(nt_exports[i].address != NULL);
    }
}

static void LowersUp(void)
{
    VOID(FASTCALL * Lower)(KIRQL) = Find(L"KfLowerIrql");
    Lower(DISPATCH_LEVEL);
}
KE_RULE_TEST(LowersUp, IrqlLowerRaise)

static void RaisesDown(void)
{
    KIRQL Irql;
    KIRQL(FASTCALL * Raise)(KIRQL) = Find(L"KfRaiseIrql");
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    Raise(APC_LEVEL);
}
KE_RULE_TEST(RaisesDown, IrqlRaiseLower)

static PMDL MakeMdl(PMDL Mdl, PVOID Buffer)
{
    MmInitializeMdl(Mdl, Buffer, 16);
    return Mdl;
}

static void MdlLifeCycle(void)
{
    static UCHAR Buffer[16];
    struct {
        MDL Mdl;
        PFN_NUMBER Pages[2];
    } Memory;
    PMDL Mdl = MakeMdl(&Memory.Mdl, Buffer);
    MmProbeAndLockPages(Mdl, KernelMode, IoWriteAccess);
    CHECK(MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority) == Buffer);
    CHECK_EQ(MmGetMdlByteCount(Mdl), 16);
    CHECK(MmGetMdlVirtualAddress(Mdl) == Buffer);
    MmUnlockPages(Mdl);
    CHECK_EQ(Mdl->MdlFlags, 0);
    MmBuildMdlForNonPagedPool(MakeMdl(Mdl, Buffer));
    CHECK(MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority) == Buffer);
    CHECK(MmIsAddressValid(Buffer));
    CHECK(!MmIsAddressValid((PVOID)(ULONG_PTR)0x10));
}

static void Mdls(void)
{
    KeTestVirtual(MdlLifeCycle, 0);
}

static void LocksTwice(void)
{
    MDL Mdl;
    MmProbeAndLockPages(MakeMdl(&Mdl, &Mdl), KernelMode, IoReadAccess);
    MmProbeAndLockPages(&Mdl, KernelMode, IoReadAccess);
}
KE_RULE_TEST(LocksTwice, MdlLockedTwice)

static void UnlocksUnlocked(void)
{
    MDL Mdl;
    MmUnlockPages(MakeMdl(&Mdl, &Mdl));
}
KE_RULE_TEST(UnlocksUnlocked, MdlNotLocked)

static void LocksNonPaged(void)
{
    MDL Mdl;
    MmBuildMdlForNonPagedPool(MakeMdl(&Mdl, &Mdl));
    MmProbeAndLockPages(&Mdl, KernelMode, IoReadAccess);
}
KE_RULE_TEST(LocksNonPaged, MdlNonPagedLocked)

static void UnmapsUnmapped(void)
{
    MDL Mdl;
    MmUnmapLockedPages(&Mdl, MakeMdl(&Mdl, &Mdl));
}
KE_RULE_TEST(UnmapsUnmapped, MdlNotMapped)

const struct WdmTest WdmTests[] = {{"routines are found by name", Routines},
                                   {"all exports have addresses", AllHaveAddresses},
                                   KE_RULE_ROW(LowersUp),
                                   KE_RULE_ROW(RaisesDown),
                                   {"MDLs", Mdls},
                                   KE_RULE_ROW(LocksTwice),
                                   KE_RULE_ROW(UnlocksUnlocked),
                                   KE_RULE_ROW(LocksNonPaged),
                                   KE_RULE_ROW(UnmapsUnmapped),
                                   {NULL, NULL}};
void (*const WdmTestSetup)(void) = NULL;
void (*const WdmTestTeardown)(void) = NULL;
