// SPDX-License-Identifier: MIT
#pragma once

typedef struct _READER_EXTENSION {
    PDEVICE_OBJECT Lower;
    UNICODE_STRING Link;
    KEVENT Released;
} READER_EXTENSION;

VOID CallbacksInstall(_Inout_ PSMARTCARD_EXTENSION Ext);
VOID CallbackRelease(_In_ PSMARTCARD_EXTENSION Ext);
VOID TrackingComplete(_Inout_ PSMARTCARD_EXTENSION Ext, _In_ NTSTATUS Status);
