// SPDX-License-Identifier: MIT
#include "nthost/io/errorlog.h"
#include "nthost/io/io.h"
#include "nthost/verifier/faults.h"

typedef struct _IOP_LOG_PACKET {
    PVOID Object;
    ULONG Size;
    DECLSPEC_ALIGN(8) UCHAR Data[ERROR_LOG_MAXIMUM_SIZE];
} IOP_LOG_PACKET;

static struct iop_log_entry IopLog[IOP_LOG_ENTRIES];
static uint64_t IopLogCount;
static KSPIN_LOCK IopLogLock;

PVOID NTAPI IoAllocateErrorLogEntry(PVOID IoObject, UCHAR EntrySize)
{
    NT_ENTRY(IoAllocateErrorLogEntry);
    NT_MAY_FAIL(ALLOCATION, NULL);
    if (EntrySize < FIELD_OFFSET(IO_ERROR_LOG_PACKET, DumpData) || EntrySize > ERROR_LOG_MAXIMUM_SIZE) {
        return NULL;
    }
    IOP_LOG_PACKET *packet = IopAllocateZeroed(sizeof *packet);
    if (packet == NULL) {
        return NULL;
    }
    packet->Object = IoObject;
    packet->Size = EntrySize;
    ObReferenceObject(IoObject);
    return packet->Data;
}

VOID NTAPI IoFreeErrorLogEntry(PVOID ElEntry)
{
    NT_ENTRY(IoFreeErrorLogEntry);
    IOP_LOG_PACKET *packet = CONTAINING_RECORD(ElEntry, IOP_LOG_PACKET, Data);
    ObDereferenceObject(packet->Object);
    os_free(packet);
}

// Appends UTF-16 as ASCII: at DISPATCH_LEVEL no conversion routine may be called.
static VOID IopNarrow(char *Target, ULONG Size, const WCHAR *Source, ULONG Characters)
{
    ULONG used = 0;
    while (used < Size - 1 && Target[used] != 0) {
        used++;
    }
    for (ULONG i = 0; i < Characters && used < Size - 1; i++) {
        Target[used++] = Source[i] < 0x80 ? (char)Source[i] : '?';
    }
    Target[used] = 0;
}

static VOID IopNarrowName(char *Target, PCUNICODE_STRING Name)
{
    ULONG length = Name->Length / sizeof(WCHAR), start = length;
    while (start > 0 && Name->Buffer[start - 1] != L'\\') {
        start--;
    }
    IopNarrow(Target, IOP_LOG_NAME, Name->Buffer + start, length - start);
}

static VOID IopNameLogEntry(struct iop_log_entry *Entry, PVOID Object)
{
    PDRIVER_OBJECT driver = Object;
    if (ObpTypeOf(Object) == &IopDeviceType) {
        UNICODE_STRING name = {0};
        driver = ((PDEVICE_OBJECT)Object)->DriverObject;
        if (NT_SUCCESS(ObpQueryName(Object, &name))) {
            IopNarrowName(Entry->device, &name);
        }
    }
    IopNarrowName(Entry->driver, &driver->DriverName);
}

static VOID IopCopyLogStrings(struct iop_log_entry *Entry, const IO_ERROR_LOG_PACKET *Packet, ULONG Size)
{
    ULONG at = Packet->StringOffset;
    for (USHORT i = 0; i < Packet->NumberOfStrings && at + sizeof(WCHAR) <= Size; i++) {
        const WCHAR *text = (const WCHAR *)((const UCHAR *)Packet + at);
        ULONG length = 0;
        while (at + (length + 1) * sizeof(WCHAR) <= Size && text[length] != 0) {
            length++;
        }
        if (i != 0) {
            IopNarrow(Entry->strings, sizeof Entry->strings, L"|", 1);
        }
        IopNarrow(Entry->strings, sizeof Entry->strings, text, length);
        at += (length + 1) * (ULONG)sizeof(WCHAR);
    }
}

static VOID IopFillLogEntry(struct iop_log_entry *Entry, const IOP_LOG_PACKET *Source)
{
    const IO_ERROR_LOG_PACKET *packet = (const IO_ERROR_LOG_PACKET *)Source->Data;
    ULONG room = (Source->Size - FIELD_OFFSET(IO_ERROR_LOG_PACKET, DumpData)) / sizeof(ULONG);
    ULONG dumped = min((ULONG)packet->DumpDataSize / (ULONG)sizeof(ULONG), room);
    IopNameLogEntry(Entry, Source->Object);
    Entry->code = (uint32_t)packet->ErrorCode;
    Entry->unique = packet->UniqueErrorValue;
    Entry->final_status = (uint32_t)packet->FinalStatus;
    Entry->control_code = packet->IoControlCode;
    Entry->dump_count = min(dumped, (ULONG)IOP_LOG_DUMP);
    RtlCopyMemory(Entry->dump, packet->DumpData, Entry->dump_count * sizeof(ULONG));
    IopCopyLogStrings(Entry, packet, Source->Size);
}

VOID NTAPI IoWriteErrorLogEntry(PVOID ElEntry)
{
    NT_ENTRY(IoWriteErrorLogEntry);
    KIRQL irql;
    struct iop_log_entry entry = {0};
    IopFillLogEntry(&entry, CONTAINING_RECORD(ElEntry, IOP_LOG_PACKET, Data));
    IoFreeErrorLogEntry(ElEntry);
    KeAcquireSpinLock(&IopLogLock, &irql);
    IopLog[IopLogCount++ % IOP_LOG_ENTRIES] = entry;
    KeReleaseSpinLock(&IopLogLock, irql);
    DbgPrint("event log: %s %s: code %08x, unique %08x, status %08x %s\n", entry.driver, entry.device,
             entry.code, entry.unique, entry.final_status, entry.strings);
}

uint64_t iop_log_count(void)
{
    return IopLogCount;
}

int iop_log_read(uint64_t index, struct iop_log_entry *entry)
{
    KIRQL irql;
    KeAcquireSpinLock(&IopLogLock, &irql);
    BOOLEAN there = index < IopLogCount && IopLogCount - index <= IOP_LOG_ENTRIES;
    if (there) {
        *entry = IopLog[index % IOP_LOG_ENTRIES];
    }
    KeReleaseSpinLock(&IopLogLock, irql);
    return there ? 0 : -1;
}

void iop_log_clear(void)
{
    IopLogCount = 0;
}
