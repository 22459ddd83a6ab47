// SPDX-License-Identifier: MIT
// The routines of a WDM reader driver, by the contract's names.
#pragma once
#include <ntddk.h>

NTSTATUS NTAPI DriverEntry(_In_ PDRIVER_OBJECT DriverObject, _In_ PUNICODE_STRING RegistryPath);
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS NTAPI AddDevice(_In_ PDRIVER_OBJECT DriverObject, _In_ PDEVICE_OBJECT PhysicalDeviceObject);
_IRQL_requires_(PASSIVE_LEVEL)
VOID NTAPI Unload(_In_ PDRIVER_OBJECT DriverObject);
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS NTAPI DispatchCreate(_In_ PDEVICE_OBJECT DeviceObject, _Inout_ PIRP Irp);
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS NTAPI DispatchClose(_In_ PDEVICE_OBJECT DeviceObject, _Inout_ PIRP Irp);
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS NTAPI DispatchCleanup(_In_ PDEVICE_OBJECT DeviceObject, _Inout_ PIRP Irp);
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS NTAPI DispatchPnP(_In_ PDEVICE_OBJECT DeviceObject, _Inout_ PIRP Irp);
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS NTAPI DispatchPower(_In_ PDEVICE_OBJECT DeviceObject, _Inout_ PIRP Irp);
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS NTAPI DispatchDeviceControl(_In_ PDEVICE_OBJECT DeviceObject, _Inout_ PIRP Irp);
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS NTAPI DispatchSystemControl(_In_ PDEVICE_OBJECT DeviceObject, _Inout_ PIRP Irp);

// Sets the status, no information, and completes.
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS DriverComplete(_Inout_ PIRP Irp, _In_ NTSTATUS Status);
