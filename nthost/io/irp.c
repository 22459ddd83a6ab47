// SPDX-License-Identifier: MIT
#include "nthost/io/track.h"
#include "nthost/verifier/faults.h"

// Under the verifier freed IRPs stay readable for a while, so that using one breaks a rule by name.
enum { IOP_QUARANTINE = 64 };
static PVOID volatile IopQuarantine[IOP_QUARANTINE];
static volatile LONG IopQuarantineNext;

static VOID IopInitialize(PIRP Irp, USHORT PacketSize, CCHAR StackSize)
{
    RtlZeroMemory(Irp, PacketSize);
    Irp->Type = IO_TYPE_IRP;
    Irp->Size = PacketSize;
    Irp->StackCount = StackSize;
    Irp->CurrentLocation = (CHAR)(StackSize + 1);
    Irp->Tail.Overlay.CurrentStackLocation = (PIO_STACK_LOCATION)(Irp + 1) + StackSize;
    InitializeListHead(&Irp->ThreadListEntry);
}

VOID NTAPI IoInitializeIrp(PIRP Irp, USHORT PacketSize, CCHAR StackSize)
{
    NT_ENTRY(IoInitializeIrp);
    IopInitialize(Irp, PacketSize, StackSize);
}

VOID IopPrepareIrp(IOP_IRP *Irp, CCHAR StackSize, IOP_IRP_FINISH *Finish, PVOID Context)
{
    IopInitialize(&Irp->Irp, IoSizeOfIrp(StackSize), StackSize);
    Irp->Irp.AllocationFlags = IOP_IRP_ALLOCATED;
    Irp->Finish = Finish;
    Irp->Context = Context;
    Irp->Track = VfEnabled ? IopCreateTrack(&Irp->Irp) : NULL;
}

PIRP IopAllocateIrp(CCHAR StackSize, IOP_IRP_FINISH *Finish, PVOID Context)
{
    IOP_IRP *irp = os_allocate(IopIrpSize(StackSize), 16);
    if (irp == NULL) {
        return NULL;
    }
    IopPrepareIrp(irp, StackSize, Finish, Context);
    return &irp->Irp;
}

VOID IopReleaseTrack(IOP_IRP *Irp)
{
    if (Irp->Track != NULL) {
        IopRetireTrack(Irp->Track);
        Irp->Track = NULL;
    }
}

VOID IopRetireMemory(PVOID Memory)
{
    if (VfEnabled) {
        ULONG slot = (ULONG)InterlockedIncrement(&IopQuarantineNext) % IOP_QUARANTINE;
        Memory = InterlockedExchangePointer(&IopQuarantine[slot], Memory);
    }
    os_free(Memory);
}

VOID IopFreeIrp(PIRP Irp)
{
    IOP_IRP *irp = CONTAINING_RECORD(Irp, IOP_IRP, Irp);
    IopReleaseTrack(irp);
    Irp->Type = 0;
    IopRetireMemory(irp);
}

VOID IopDrainQuarantine(VOID)
{
    for (ULONG i = 0; i < IOP_QUARANTINE; i++) {
        os_free(InterlockedExchangePointer(&IopQuarantine[i], NULL));
    }
}

PIRP NTAPI IoAllocateIrp(CCHAR StackSize, BOOLEAN ChargeQuota)
{
    NT_ENTRY(IoAllocateIrp);
    NT_MAY_FAIL(IRP, NULL);
    UNREFERENCED_PARAMETER(ChargeQuota);
    PIRP irp = StackSize > 0 ? IopAllocateIrp(StackSize, NULL, NULL) : NULL;
    if (irp != NULL && IopTrackOf(irp) != NULL) {
        IopTrackOf(irp)->Owner = VfCurrentDriver();
    }
    return irp;
}

static BOOLEAN IopIsInFlight(PIRP Irp)
{
    IOP_TRACK *track = IopTrackOf(Irp);
    return track != NULL && track->InFlight;
}

VOID NTAPI IoFreeIrp(PIRP Irp)
{
    NT_ENTRY(IoFreeIrp);
    IOP_IRP *irp = IopIrp(Irp);
    if (Irp->Type != IO_TYPE_IRP || irp == NULL) {
        VfBreak(VfRuleIrpFreeForeign, (ULONG_PTR)Irp, 0, 0,
                "IoFreeIrp(%p): no IRP of IoAllocateIrp, or freed", Irp);
    }
    if (irp->Finish != NULL) {
        IOP_BREAK(VfRuleIrpFreeManaged, Irp, 0, "IoFreeIrp(%p): the I/O manager frees this IRP itself", Irp);
    }
    if (IopIsInFlight(Irp)) {
        IOP_BREAK(VfRuleIrpFreeInUse, Irp, 0, "IoFreeIrp(%p): a driver below still has it", Irp);
    }
    IopFreeIrp(Irp);
}

VOID NTAPI IoReuseIrp(PIRP Irp, NTSTATUS Status)
{
    NT_ENTRY(IoReuseIrp);
    IOP_IRP *irp = IopIrp(Irp);
    if (irp != NULL && irp->Finish != NULL) {
        IOP_BREAK(VfRuleIrpReuseManaged, Irp, 0, "IoReuseIrp(%p): made by IoBuild...Request", Irp);
    }
    if (IopIsInFlight(Irp)) {
        IOP_BREAK(VfRuleIrpReuseInUse, Irp, 0, "IoReuseIrp(%p): a driver below still has it", Irp);
    }
    UCHAR flags = Irp->AllocationFlags;
    IopInitialize(Irp, Irp->Size, Irp->StackCount);
    Irp->AllocationFlags = flags;
    Irp->IoStatus.Status = Status;
    if (irp != NULL && irp->Track != NULL) {
        IopRestartTrack(irp->Track);
    }
}

PIRP NTAPI IoMakeAssociatedIrp(PIRP Irp, CCHAR StackSize)
{
    NT_ENTRY(IoMakeAssociatedIrp);
    PIRP associated = IoAllocateIrp(StackSize, FALSE);
    if (associated != NULL) {
        associated->Flags |= IRP_ASSOCIATED_IRP;
        associated->AssociatedIrp.MasterIrp = Irp;
        associated->Tail.Overlay.Thread = Irp->Tail.Overlay.Thread;
    }
    return associated;
}
