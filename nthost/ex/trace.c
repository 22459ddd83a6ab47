// SPDX-License-Identifier: MIT
// Event tracing, for drivers that have it (WPP's among them). No session ever listens, so no provider is
// enabled and what is written goes nowhere; registrations are counted, since they must be gone at unload.
#include "nthost/ex/ex.h"
#include "nthost/ke/ke.h"
#include "nthost/verifier/faults.h"

enum { EXP_HANDLE_MARK = 0x57E };

static volatile LONG ExpProviders[VF_DRIVERS]; // registered, by driver

static VF_DRIVER ExpProviderOf(REGHANDLE Handle)
{
    BOOLEAN Known = (Handle & 0xFFFF) == EXP_HANDLE_MARK && Handle >> 16 < VF_DRIVERS;
    return Known ? (VF_DRIVER)(Handle >> 16) : 0;
}

BOOLEAN ExpTracingLeft(USHORT Driver)
{
    return InterlockedCompareExchange(&ExpProviders[Driver], 0, 0) != 0;
}

VOID ExpForgetTracing(USHORT Driver)
{
    InterlockedExchange(&ExpProviders[Driver], 0);
}

NTSTATUS NTAPI EtwRegister(LPCGUID ProviderId, PETWENABLECALLBACK EnableCallback, PVOID CallbackContext,
                           PREGHANDLE RegHandle)
{
    NT_ENTRY(EtwRegister);
    NT_MAY_FAIL(OBJECT, STATUS_NO_MEMORY);
    UNREFERENCED_PARAMETER(ProviderId);
    UNREFERENCED_PARAMETER(EnableCallback);
    UNREFERENCED_PARAMETER(CallbackContext);
    VF_DRIVER Driver = VfCurrentDriver();
    InterlockedIncrement(&ExpProviders[Driver]);
    *RegHandle = (REGHANDLE)Driver << 16 | EXP_HANDLE_MARK;
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI EtwUnregister(REGHANDLE RegHandle)
{
    NT_ENTRY(EtwUnregister);
    VF_DRIVER Driver = ExpProviderOf(RegHandle);
    if (!ExpTracingLeft(Driver)) {
        return STATUS_INVALID_HANDLE;
    }
    InterlockedDecrement(&ExpProviders[Driver]);
    return STATUS_SUCCESS;
}

BOOLEAN NTAPI EtwEventEnabled(REGHANDLE RegHandle, PCEVENT_DESCRIPTOR EventDescriptor)
{
    UNREFERENCED_PARAMETER(RegHandle);
    UNREFERENCED_PARAMETER(EventDescriptor);
    return FALSE;
}

BOOLEAN NTAPI EtwProviderEnabled(REGHANDLE RegHandle, UCHAR Level, ULONGLONG Keyword)
{
    UNREFERENCED_PARAMETER(RegHandle);
    UNREFERENCED_PARAMETER(Level);
    UNREFERENCED_PARAMETER(Keyword);
    return FALSE;
}

static NTSTATUS ExpWriteEvent(REGHANDLE Handle)
{
    return ExpTracingLeft(ExpProviderOf(Handle)) ? STATUS_SUCCESS : STATUS_INVALID_HANDLE;
}

NTSTATUS NTAPI EtwWrite(REGHANDLE RegHandle, PCEVENT_DESCRIPTOR EventDescriptor, LPCGUID ActivityId,
                        ULONG UserDataCount, PEVENT_DATA_DESCRIPTOR UserData)
{
    UNREFERENCED_PARAMETER(EventDescriptor);
    UNREFERENCED_PARAMETER(ActivityId);
    UNREFERENCED_PARAMETER(UserDataCount);
    UNREFERENCED_PARAMETER(UserData);
    return ExpWriteEvent(RegHandle);
}

NTSTATUS NTAPI EtwWriteTransfer(REGHANDLE RegHandle, PCEVENT_DESCRIPTOR EventDescriptor, LPCGUID ActivityId,
                                LPCGUID RelatedActivityId, ULONG UserDataCount,
                                PEVENT_DATA_DESCRIPTOR UserData)
{
    UNREFERENCED_PARAMETER(RelatedActivityId);
    return EtwWrite(RegHandle, EventDescriptor, ActivityId, UserDataCount, UserData);
}

NTSTATUS NTAPI EtwWriteString(REGHANDLE RegHandle, UCHAR Level, ULONGLONG Keyword, LPCGUID ActivityId,
                              PCWSTR String)
{
    UNREFERENCED_PARAMETER(Level);
    UNREFERENCED_PARAMETER(Keyword);
    UNREFERENCED_PARAMETER(ActivityId);
    UNREFERENCED_PARAMETER(String);
    return ExpWriteEvent(RegHandle);
}

// WPP asks for these by name on the systems that have them.
NTSTATUS NTAPI WmiQueryTraceInformation(TRACE_INFORMATION_CLASS TraceInformationClass, PVOID TraceInformation,
                                        ULONG TraceInformationLength, PULONG RequiredLength, PVOID Buffer)
{
    NT_ENTRY(WmiQueryTraceInformation);
    UNREFERENCED_PARAMETER(TraceInformationClass);
    UNREFERENCED_PARAMETER(TraceInformation);
    UNREFERENCED_PARAMETER(TraceInformationLength);
    UNREFERENCED_PARAMETER(Buffer);
    if (RequiredLength != NULL) {
        *RequiredLength = 0;
    }
    return STATUS_NOT_FOUND; // there is no session
}

NTSTATUS __cdecl WmiTraceMessage(TRACEHANDLE LoggerHandle, ULONG MessageFlags, LPGUID MessageGuid,
                                 USHORT MessageNumber, ...)
{
    UNREFERENCED_PARAMETER(LoggerHandle);
    UNREFERENCED_PARAMETER(MessageFlags);
    UNREFERENCED_PARAMETER(MessageGuid);
    UNREFERENCED_PARAMETER(MessageNumber);
    return STATUS_INVALID_HANDLE;
}
