// SPDX-License-Identifier: MIT
#include "nthost/io/track.h"
#include "nthost/rtl/rtl.h"
#include "nthost/verifier/faults.h"

BOOLEAN IopEqualNames(PCUNICODE_STRING Left, PCUNICODE_STRING Right)
{
    if (Left->Length != Right->Length) {
        return FALSE;
    }
    for (ULONG i = 0; i < Left->Length / sizeof(WCHAR); i++) {
        if (RtlpUpcase(Left->Buffer[i]) != RtlpUpcase(Right->Buffer[i])) {
            return FALSE;
        }
    }
    return TRUE;
}

NTSTATUS IopDuplicateString(PCUNICODE_STRING Source, PUNICODE_STRING Copy)
{
    Copy->Buffer = os_allocate((SIZE_T)Source->Length + sizeof(WCHAR), 2);
    if (Copy->Buffer == NULL) {
        Copy->Length = Copy->MaximumLength = 0;
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    RtlCopyMemory(Copy->Buffer, Source->Buffer, Source->Length);
    Copy->Buffer[Source->Length / sizeof(WCHAR)] = 0;
    Copy->Length = Source->Length;
    Copy->MaximumLength = (USHORT)(Source->Length + sizeof(WCHAR));
    return STATUS_SUCCESS;
}

// mingw-w64 declares this one without NTAPI; images import the NTAPI twin, see exports.inc.
BOOLEAN IoIs32bitProcess(PIRP Irp)
{
    UNREFERENCED_PARAMETER(Irp);
    return FALSE;
}

BOOLEAN NTAPI IopIs32bitProcess(PIRP Irp);

BOOLEAN NTAPI IopIs32bitProcess(PIRP Irp)
{
    return IoIs32bitProcess(Irp);
}

NTSTATUS NTAPI IoWMIRegistrationControl(PDEVICE_OBJECT DeviceObject, ULONG Action)
{
    NT_ENTRY(IoWMIRegistrationControl);
    if (Action == WMIREG_ACTION_DEREGISTER) {
        BOOLEAN registered = IopDevice(DeviceObject)->Wmi;
        IopDevice(DeviceObject)->Wmi = FALSE;
        return registered ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
    }
    NT_MAY_FAIL(OBJECT, STATUS_INSUFFICIENT_RESOURCES);
    if (Action == WMIREG_ACTION_REGISTER) {
        IopDevice(DeviceObject)->Wmi = TRUE;
    }
    return STATUS_SUCCESS; // nobody asks providers for data here
}

PCONFIGURATION_INFORMATION NTAPI IoGetConfigurationInformation(VOID)
{
    static CONFIGURATION_INFORMATION information = {.Version = sizeof information};
    NT_ENTRY(IoGetConfigurationInformation);
    return &information;
}

NTSTATUS NTAPI IoValidateDeviceIoControlAccess(PIRP Irp, ULONG RequiredAccess)
{
    NT_ENTRY(IoValidateDeviceIoControlAccess);
    PFILE_OBJECT file = IoGetCurrentIrpStackLocation(Irp)->FileObject;
    if ((RequiredAccess & ~(ULONG)(FILE_READ_ACCESS | FILE_WRITE_ACCESS)) != 0) {
        return STATUS_INVALID_PARAMETER;
    }
    if (Irp->RequestorMode == KernelMode || file == NULL) {
        return STATUS_SUCCESS;
    }
    return (RequiredAccess & ~IopFile(file)->Granted) == 0 ? STATUS_SUCCESS : STATUS_ACCESS_DENIED;
}

VOID IopShutdown(VOID)
{
    IopForgetTracks();
    IopDrainQuarantine();
    IopFreeLinks();
}
