// SPDX-License-Identifier: MIT
// Named objects in a hash table of full paths. \DosDevices, \DosDevices\Global and \GLOBAL?? are spelled \??.
#include "nthost/ke/ke.h"
#include "nthost/ke/lock.h"
#include "nthost/ob/object.h"
#include "nthost/rtl/rtl.h"

enum { OB_BUCKETS = 256, OB_LINK_DEPTH = 8, OB_PATH_MAX = 512 };

typedef struct _OB_LINK {
    UNICODE_STRING Target;
    WCHAR Buffer[];
} OB_LINK;

OBJECT_TYPE ObpSymbolicLinkType = {.Name = "SymbolicLink"};

static uint32_t ObpNameLock;
static LIST_ENTRY ObpBuckets[OB_BUCKETS];

// A path in canonical spelling, without memory of its own besides the buffer.
typedef struct _OB_PATH {
    ULONG Length; // in characters
    WCHAR Text[OB_PATH_MAX];
} OB_PATH;

static BOOLEAN ObpStartsWith(PCUNICODE_STRING Path, PCSTR Prefix, ULONG *Length)
{
    ULONG i = 0;
    for (; Prefix[i] != 0; i++) {
        if (i >= Path->Length / sizeof(WCHAR) ||
            RtlpUpcase(Path->Buffer[i]) != RtlpUpcase((UCHAR)Prefix[i])) {
            return FALSE;
        }
    }
    *Length = i;
    return TRUE;
}

static BOOLEAN ObpAppendPath(OB_PATH *Path, const WCHAR *Text, ULONG Length)
{
    if (Length > OB_PATH_MAX - Path->Length) {
        return FALSE;
    }
    RtlCopyMemory(Path->Text + Path->Length, Text, Length * sizeof(WCHAR));
    Path->Length += Length;
    return TRUE;
}

static NTSTATUS ObpCanonize(PCUNICODE_STRING Name, OB_PATH *Path)
{
    static const PCSTR Aliases[] = {"\\DosDevices\\Global\\", "\\DosDevices\\", "\\GLOBAL?\?\\",
                                    "\\?\?\\Global\\"};
    ULONG Skip = 0;
    BOOLEAN Fits = TRUE;
    Path->Length = 0;
    for (ULONG i = 0; i < RTL_NUMBER_OF(Aliases) && Skip == 0; i++) {
        if (ObpStartsWith(Name, Aliases[i], &Skip)) {
            Fits = ObpAppendPath(Path, L"\\?\?\\", 4);
        }
    }
    Fits = Fits && ObpAppendPath(Path, Name->Buffer + Skip, Name->Length / sizeof(WCHAR) - Skip);
    return Fits && Path->Length > 1 && Path->Text[0] == '\\' ? STATUS_SUCCESS : STATUS_OBJECT_NAME_INVALID;
}

static PLIST_ENTRY ObpBucketOf(const WCHAR *Text, ULONG Length)
{
    ULONG Hash = 5381;
    for (ULONG i = 0; i < Length; i++) {
        Hash = Hash * 33 + RtlpUpcase(Text[i]);
    }
    return &ObpBuckets[Hash % OB_BUCKETS];
}

static BOOLEAN ObpSameName(const OB_HEADER *Header, const WCHAR *Text, ULONG Length)
{
    if (Header->Name.Length != Length * sizeof(WCHAR)) {
        return FALSE;
    }
    for (ULONG i = 0; i < Length; i++) {
        if (RtlpUpcase(Header->Name.Buffer[i]) != RtlpUpcase(Text[i])) {
            return FALSE;
        }
    }
    return TRUE;
}

static OB_HEADER *ObpFindLocked(const WCHAR *Text, ULONG Length)
{
    PLIST_ENTRY Bucket = ObpBucketOf(Text, Length);
    for (PLIST_ENTRY Entry = Bucket->Flink; Entry != Bucket; Entry = Entry->Flink) {
        OB_HEADER *Header = CONTAINING_RECORD(Entry, OB_HEADER, NameListEntry);
        if (ObpSameName(Header, Text, Length)) {
            return Header;
        }
    }
    return NULL;
}

NTSTATUS ObpInsertName(PCUNICODE_STRING Name, PVOID Body)
{
    OB_HEADER *Header = ObpHeaderOf(Body);
    OB_PATH Path;
    NTSTATUS Status = ObpCanonize(Name, &Path);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    PWCHAR Buffer = os_allocate(Path.Length * sizeof(WCHAR), 16);
    if (Buffer == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    RtlCopyMemory(Buffer, Path.Text, Path.Length * sizeof(WCHAR));
    KiLock(&ObpNameLock);
    BOOLEAN Taken = ObpFindLocked(Path.Text, Path.Length) != NULL;
    if (!Taken) {
        Header->Name.Buffer = Buffer;
        Header->Name.Length = Header->Name.MaximumLength = (USHORT)(Path.Length * sizeof(WCHAR));
        InsertTailList(ObpBucketOf(Path.Text, Path.Length), &Header->NameListEntry);
        ObfReferenceObject(Body);
    }
    KiUnlock(&ObpNameLock);
    if (Taken) {
        os_free(Buffer);
    }
    return Taken ? STATUS_OBJECT_NAME_COLLISION : STATUS_SUCCESS;
}

VOID ObpRemoveName(PVOID Body)
{
    OB_HEADER *Header = ObpHeaderOf(Body);
    KiLock(&ObpNameLock);
    PWCHAR Buffer = Header->Name.Buffer;
    if (Buffer != NULL) {
        RemoveEntryList(&Header->NameListEntry);
        Header->Name = (UNICODE_STRING){0};
    }
    KiUnlock(&ObpNameLock);
    if (Buffer != NULL) {
        os_free(Buffer);
        ObfDereferenceObject(Body);
    }
}

// The longest leading part of the path that is an object's whole name.
static OB_HEADER *ObpFindPrefixLocked(const OB_PATH *Path, ULONG *Length)
{
    for (*Length = Path->Length; *Length > 1; --*Length) {
        if (*Length == Path->Length || Path->Text[*Length] == '\\') {
            OB_HEADER *Header = ObpFindLocked(Path->Text, *Length);
            if (Header != NULL) {
                return Header;
            }
        }
    }
    return NULL;
}

// Replaces the link's name at the start of the path by its target.
static NTSTATUS ObpFollowLocked(const OB_LINK *Link, ULONG Length, OB_PATH *Path)
{
    OB_PATH Next;
    NTSTATUS Status = ObpCanonize(&Link->Target, &Next);
    if (NT_SUCCESS(Status) && !ObpAppendPath(&Next, Path->Text + Length, Path->Length - Length)) {
        Status = STATUS_OBJECT_NAME_INVALID;
    }
    *Path = Next;
    return Status;
}

NTSTATUS ObpLookupName(PCUNICODE_STRING Name, PVOID *Body, PUNICODE_STRING Rest)
{
    OB_PATH Path;
    ULONG Length = 0, Tail = OB_PATH_MAX;
    OB_HEADER *Header = NULL;
    NTSTATUS Status = ObpCanonize(Name, &Path);
    KiLock(&ObpNameLock);
    for (ULONG Depth = 0; NT_SUCCESS(Status); Depth++) {
        Header = ObpFindPrefixLocked(&Path, &Length);
        // What is left over must be the tail of the caller's path, not of a link's target.
        if (Header == NULL || Depth == OB_LINK_DEPTH || Path.Length - Length > Tail) {
            Status = STATUS_OBJECT_NAME_NOT_FOUND;
            break;
        }
        Tail = Path.Length - Length;
        if (Header->Type == &ObpSymbolicLinkType) {
            Status = ObpFollowLocked((OB_LINK *)(Header + 1), Length, &Path);
        } else {
            break;
        }
    }
    if (NT_SUCCESS(Status)) {
        *Body = Header + 1;
        ObfReferenceObject(*Body);
    }
    KiUnlock(&ObpNameLock);
    if (NT_SUCCESS(Status) && Rest != NULL) {
        Rest->Length = Rest->MaximumLength = (USHORT)((Path.Length - Length) * sizeof(WCHAR));
        Rest->Buffer = Name->Buffer + (Name->Length - Rest->Length) / sizeof(WCHAR);
    }
    return Status;
}

NTSTATUS ObpQueryName(PVOID Body, PUNICODE_STRING Name)
{
    *Name = ObpHeaderOf(Body)->Name;
    return Name->Length == 0 ? STATUS_OBJECT_NAME_NOT_FOUND : STATUS_SUCCESS;
}

NTSTATUS ObpCreateSymbolicLink(PCUNICODE_STRING Name, PCUNICODE_STRING Target)
{
    OB_LINK *Link = ObpCreateObject(&ObpSymbolicLinkType, sizeof *Link + Target->Length);
    if (Link == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Link->Target = (UNICODE_STRING){Target->Length, Target->Length, Link->Buffer};
    RtlCopyMemory(Link->Buffer, Target->Buffer, Target->Length);
    NTSTATUS Status = ObpInsertName(Name, Link);
    ObfDereferenceObject(Link); // the name keeps it
    return Status;
}

NTSTATUS ObpDeleteSymbolicLink(PCUNICODE_STRING Name)
{
    OB_PATH Path;
    NTSTATUS Status = ObpCanonize(Name, &Path);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    KiLock(&ObpNameLock);
    OB_HEADER *Header = ObpFindLocked(Path.Text, Path.Length);
    if (Header == NULL) {
        Status = STATUS_OBJECT_NAME_NOT_FOUND;
    } else if (Header->Type != &ObpSymbolicLinkType) {
        Status = STATUS_OBJECT_TYPE_MISMATCH;
    } else {
        ObfReferenceObject(Header + 1);
    }
    KiUnlock(&ObpNameLock);
    if (NT_SUCCESS(Status)) {
        ObpRemoveName(Header + 1);
        ObfDereferenceObject(Header + 1);
    }
    return Status;
}

VOID ObpBootNames(VOID)
{
    for (ULONG i = 0; i < OB_BUCKETS; i++) {
        InitializeListHead(&ObpBuckets[i]);
    }
}

PVOID ObpAnyNamed(VOID)
{
    for (ULONG i = 0; i < OB_BUCKETS; i++) {
        if (!IsListEmpty(&ObpBuckets[i])) {
            return CONTAINING_RECORD(ObpBuckets[i].Flink, OB_HEADER, NameListEntry) + 1;
        }
    }
    return NULL;
}
