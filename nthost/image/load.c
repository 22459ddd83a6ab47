// SPDX-License-Identifier: MIT
// Loading an image with what it imports from. Only one thread loads at a time: the PnP worker, later the one
// that shuts down.
#include "nthost/image/image.h"
#include "nthost/image/internal.h"
#include "nthost/image/names.h"
#include "nthost/ke/ke.h"
#include "nthost/loader/loader.h"
#include "nthost/os/os.h"
#include "nthost/rtl/rtl.h"
#include "nthost/verifier/verifier.h"

enum { IMG_DEPTH = 8, IMG_NAME = 64, IMG_RETIRED = 16, IMG_REPORT = 0x10000 };
enum { LINUX_ENOENT = 2, LINUX_ENOEXEC = 8, LINUX_ENOMEM = 12, LINUX_EEXIST = 17 };

struct _IMG_IMAGE {
    LIST_ENTRY ListEntry;
    loader_module *Module;
    VF_DRIVER Id;        // of a library: its memory is not its importers'
    BOOLEAN Library;     // loaded for those that import from it
    BOOLEAN Initialized; // of a library: DllInitialize has run
};

static LIST_ENTRY ImgList = {&ImgList, &ImgList}; // a library comes before what imports from it
static LIST_ENTRY ImgRetired = {&ImgRetired, &ImgRetired};
static ULONG ImgRetiredCount;
static PCSTR ImgLoading[IMG_DEPTH]; // paths, the innermost last
static ULONG ImgDepth;
static CHAR ImgText[IMG_REPORT];

static NTSTATUS ImgMap(PCSTR Path, BOOLEAN Library, IMG_IMAGE **Image);

PCSTR ImgReport(VOID)
{
    return ImgText;
}

PVOID ImgEntry(const IMG_IMAGE *Image)
{
    return loader_entry(Image->Module);
}

PVOID ImgBase(const IMG_IMAGE *Image)
{
    return loader_base(Image->Module);
}

ULONG ImgSize(const IMG_IMAGE *Image)
{
    return (ULONG)loader_size(Image->Module);
}

// ---- libraries ----

// The name of a module without its extension, as a driver is known to the verifier and in the registry.
static VOID ImgServiceName(const loader_module *Module, CHAR Name[IMG_NAME])
{
    ULONG Length = 0;
    PCSTR File = loader_name(Module);
    for (; File[Length] != 0 && File[Length] != '.' && Length < IMG_NAME - 1; Length++) {
        Name[Length] = File[Length];
    }
    Name[Length] = 0;
}

typedef NTSTATUS NTAPI IMG_DLL_INITIALIZE(PUNICODE_STRING RegistryPath);
typedef NTSTATUS NTAPI IMG_DLL_UNLOAD(VOID);

static NTSTATUS ImgCallInitialize(IMG_IMAGE *Image, PCSTR Name)
{
    static const WCHAR Services[] = L"\\REGISTRY\\MACHINE\\SYSTEM\\CurrentControlSet\\Services\\";
    enum { PREFIX = RTL_NUMBER_OF(Services) - 1 };
    WCHAR Path[PREFIX + IMG_NAME];
    USHORT Length = PREFIX;
    VF_FRAME Frame;
    PVOID Routine = loader_export(Image->Module, "DllInitialize", 0);
    if (Routine == NULL) {
        return STATUS_SUCCESS;
    }
    RtlCopyMemory(Path, Services, sizeof Services);
    for (; *Name != 0; Name++) {
        Path[Length++] = (UCHAR)*Name;
    }
    UNICODE_STRING Registry = {(USHORT)(Length * sizeof(WCHAR)), (USHORT)(Length * sizeof(WCHAR)), Path};
    VfEnterDriver(&Frame, Image->Id, Routine);
    NTSTATUS Status = ((IMG_DLL_INITIALIZE *)Routine)(&Registry);
    VfLeaveDriver(&Frame, "DllInitialize");
    return Status;
}

static NTSTATUS ImgInitialize(IMG_IMAGE *Image)
{
    CHAR Name[IMG_NAME];
    ImgServiceName(Image->Module, Name);
    Image->Id = VfRegisterDriver(Name);
    NTSTATUS Status = ImgCallInitialize(Image, Name);
    Image->Initialized = NT_SUCCESS(Status);
    if (!Image->Initialized) {
        VfRetireDriver(Image->Id);
        RtlpAppend(ImgText, sizeof ImgText, "%s: DllInitialize failed with %08x\n",
                   loader_name(Image->Module), Status);
    }
    return Status;
}

static NTSTATUS ImgInitializeLibraries(VOID)
{
    NTSTATUS Status = STATUS_SUCCESS;
    for (PLIST_ENTRY Entry = ImgList.Flink; NT_SUCCESS(Status) && Entry != &ImgList; Entry = Entry->Flink) {
        IMG_IMAGE *Image = CONTAINING_RECORD(Entry, IMG_IMAGE, ListEntry);
        if (Image->Library && !Image->Initialized) {
            Status = ImgInitialize(Image);
        }
    }
    return Status;
}

// FALSE: it stays, as one without the routine does.
static BOOLEAN ImgUninitialize(IMG_IMAGE *Image)
{
    VF_FRAME Frame;
    PVOID Routine = loader_export(Image->Module, "DllUnload", 0);
    if (!Image->Initialized) {
        return TRUE;
    }
    if (Routine == NULL) {
        return FALSE;
    }
    VfEnterDriver(&Frame, Image->Id, Routine);
    NTSTATUS Status = ((IMG_DLL_UNLOAD *)Routine)();
    VfLeaveDriver(&Frame, "DllUnload");
    if (NT_SUCCESS(Status)) {
        VfRetireDriver(Image->Id);
    }
    return NT_SUCCESS(Status);
}

void ImgNeed(void *Context, const char *Module)
{
    IMG_IMAGE *Image;
    (void)Context;
    BOOLEAN Known = img_kernel_module(Module) || ImgDepth == IMG_DEPTH;
    for (ULONG i = 0; i < ImgDepth; i++) {
        Known = Known || img_same_name(img_file_name(ImgLoading[i]), Module); // a circle: reported as missing
    }
    char *Path = Known ? NULL : img_beside(ImgLoading[ImgDepth - 1], Module);
    if (Path != NULL) {
        (void)ImgMap(Path, TRUE, &Image); // what is missing then is reported by the importer
        os_free(Path);
    }
}

// ---- images ----

static NTSTATUS ImgStatus(int Error, const struct loader_error *Reason)
{
    switch (Error) {
    case 0:
        return STATUS_SUCCESS;
    case -LINUX_ENOMEM:
        return STATUS_INSUFFICIENT_RESOURCES;
    case -LINUX_EEXIST:
        return STATUS_IMAGE_ALREADY_LOADED;
    case -LINUX_ENOEXEC:
        return STATUS_INVALID_IMAGE_FORMAT;
    case -LINUX_ENOENT:
        return Reason->missing_count != 0 ? STATUS_DRIVER_ENTRYPOINT_NOT_FOUND : STATUS_OBJECT_NAME_NOT_FOUND;
    default:
        return STATUS_UNSUCCESSFUL;
    }
}

static VOID ImgExplain(const struct loader_error *Reason)
{
    RtlpAppend(ImgText, sizeof ImgText, "%s\n", Reason->text);
    for (SIZE_T i = 0; i < Reason->missing_count; i++) {
        RtlpAppend(ImgText, sizeof ImgText, "  %s\n", Reason->missing[i]);
    }
}

static NTSTATUS ImgMap(PCSTR Path, BOOLEAN Library, IMG_IMAGE **Image)
{
    struct loader_error Reason = {0};
    IMG_IMAGE *New = os_allocate(sizeof *New, 16);
    if (New == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    *New = (IMG_IMAGE){.Library = Library};
    ImgLoading[ImgDepth++] = Path;
    int Error = loader_load_file(Path, &New->Module, &Reason);
    ImgDepth--;
    NTSTATUS Status = ImgStatus(Error, &Reason);
    if (NT_SUCCESS(Status)) {
        InsertTailList(&ImgList, &New->ListEntry);
        *Image = New;
    } else {
        ImgExplain(&Reason);
        os_free(New);
    }
    loader_error_clear(&Reason);
    return Status;
}

static VOID ImgUnmap(IMG_IMAGE *Image)
{
    (void)loader_unload(Image->Module); // nothing imports from it, see the callers
    RemoveEntryList(&Image->ListEntry);
    os_free(Image);
}

// A thread may be on its way out of the code that let the driver go: it stays mapped for a while.
static VOID ImgRetire(IMG_IMAGE *Image)
{
    (void)loader_retire(Image->Module);
    RemoveEntryList(&Image->ListEntry);
    InsertTailList(&ImgRetired, &Image->ListEntry);
    if (++ImgRetiredCount > IMG_RETIRED) {
        ImgRetiredCount--;
        ImgUnmap(CONTAINING_RECORD(ImgRetired.Flink, IMG_IMAGE, ListEntry));
    }
}

static VOID ImgReleaseLibraries(VOID (*Release)(IMG_IMAGE *))
{
    for (PLIST_ENTRY Entry = ImgList.Blink, Next; Entry != &ImgList; Entry = Next) {
        IMG_IMAGE *Image = CONTAINING_RECORD(Entry, IMG_IMAGE, ListEntry);
        Next = Entry->Blink;
        if (Image->Library && !loader_in_use(Image->Module) && ImgUninitialize(Image)) {
            Release(Image);
        }
    }
}

// The list ends with those that import, so going backwards no one is in use.
VOID ImgUnmapAll(VOID)
{
    while (!IsListEmpty(&ImgList)) {
        ImgUnmap(CONTAINING_RECORD(ImgList.Blink, IMG_IMAGE, ListEntry));
    }
    while (!IsListEmpty(&ImgRetired)) {
        ImgUnmap(CONTAINING_RECORD(ImgRetired.Blink, IMG_IMAGE, ListEntry));
    }
    ImgRetiredCount = 0;
}

VOID ImgUnload(IMG_IMAGE *Image)
{
    ImgRetire(Image);
    ImgReleaseLibraries(ImgRetire);
}

static NTSTATUS ImgMapDriver(PCSTR Path, IMG_IMAGE **Image)
{
    ImgText[0] = 0;
    NTSTATUS Status = ImgMap(Path, FALSE, Image);
    if (NT_SUCCESS(Status) && ImgEntry(*Image) == NULL) {
        RtlpAppend(ImgText, sizeof ImgText, "%s: it has no entry point\n", loader_name((*Image)->Module));
        ImgUnmap(*Image);
        Status = STATUS_INVALID_IMAGE_FORMAT;
    }
    if (!NT_SUCCESS(Status)) {
        ImgReleaseLibraries(ImgUnmap);
    }
    return Status;
}

NTSTATUS ImgLoad(PCSTR Path, IMG_IMAGE **Image)
{
    NTSTATUS Status = ImgMapDriver(Path, Image);
    if (NT_SUCCESS(Status)) {
        Status = ImgInitializeLibraries();
        if (!NT_SUCCESS(Status)) {
            ImgUnload(*Image);
        }
    }
    return Status;
}

NTSTATUS ImgCheck(PCSTR Path)
{
    IMG_IMAGE *Image;
    NTSTATUS Status = ImgMapDriver(Path, &Image);
    if (NT_SUCCESS(Status)) {
        ImgUnmap(Image);
        ImgReleaseLibraries(ImgUnmap);
    }
    return Status;
}
