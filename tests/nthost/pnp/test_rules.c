// SPDX-License-Identifier: MIT
// Every rule of the PnP manager, broken by a driver; the report names the rule.
#include "tests/nthost/io/fixture.h"

static void Life(void)
{
    TestPlug(0);
    TestPlug(1);
    TestUnplug(0);
    TestUnplug(1);
}

static void OrderlyLife(void)
{
    TestPlug(0);
    (void)nt_device_remove("TEST\\CHILD\\0");
}

static void StoppedLife(void)
{
    TestPlug(0);
    (void)nt_device_stop("TEST\\CHILD\\0");
}

static void AskId(void)
{
    TestPlug(0);
    // The manager itself asks before a driver is attached; another driver may ask any time.
    UNICODE_STRING name;
    PFILE_OBJECT file;
    PDEVICE_OBJECT device;
    KEVENT event;
    IO_STATUS_BLOCK iosb;
    RtlInitUnicodeString(&name, L"\\Device\\TestFn0");
    CHECK_STATUS(IoGetDeviceObjectPointer(&name, FILE_READ_DATA, &file, &device), STATUS_SUCCESS);
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    PIRP irp = IoBuildSynchronousFsdRequest(IRP_MJ_PNP, device, NULL, 0, NULL, &event, &iosb);
    irp->IoStatus.Status = STATUS_NOT_SUPPORTED;
    IoGetNextIrpStackLocation(irp)->MinorFunction = IRP_MN_QUERY_ID;
    IoGetNextIrpStackLocation(irp)->Parameters.QueryId.IdType = BusQueryInstanceID;
    (void)IoCallDriver(device, irp);
}

static void AskWithoutStatus(void)
{
    UNICODE_STRING name;
    PFILE_OBJECT file;
    PDEVICE_OBJECT device;
    TestPlug(0);
    RtlInitUnicodeString(&name, L"\\Device\\TestFn0");
    CHECK_STATUS(IoGetDeviceObjectPointer(&name, FILE_READ_DATA, &file, &device), STATUS_SUCCESS);
    PIRP irp = IoBuildSynchronousFsdRequest(IRP_MJ_PNP, device, NULL, 0, NULL, NULL, NULL);
    IoGetNextIrpStackLocation(irp)->MinorFunction = IRP_MN_QUERY_CAPABILITIES;
    (void)IoCallDriver(device, irp);
}

static void InvalidateTheWrongDevice(void)
{
    UNICODE_STRING name;
    PFILE_OBJECT file;
    PDEVICE_OBJECT device;
    RtlInitUnicodeString(&name, L"\\Device\\TestBus");
    CHECK_STATUS(IoGetDeviceObjectPointer(&name, FILE_READ_DATA, &file, &device), STATUS_SUCCESS);
    IoInvalidateDeviceRelations(device, BusRelations);
}

#define RULE(name, rule, fault, fragment)                                                                    \
    static void name(void)                                                                                   \
    {                                                                                                        \
        TestBreaks(rule, fault, fragment);                                                                   \
    }
#define RULES(X)                                                                                             \
    X(StartBeforeLower, "PnpStartBeforeLower", CompletesStart, Life)                                         \
    X(RemoveNotPassed, "PnpNotPassedDown", CompletesRemove, Life)                                            \
    X(RemoveFailed, "PnpRemoveFailed", FailsRemove, Life)                                                    \
    X(StopFailed, "PnpMustSucceed", FailsStop, StoppedLife)                                                  \
    X(Capabilities, "PnpCapabilitiesChanged", ChangesCapabilities, Life)                                     \
    X(IdCompleted, "PnpNotPassedDown", CompletesQueryId, AskId)                                              \
    X(StatusChanged, "PnpStatusChanged", ChangesStatus, AskId)                                               \
    X(NotSupported, "PnpNotSupported", AnswersNotSupported, AskId)                                           \
    X(FailedPassed, "PnpFailedPassedDown", PassesFailedDown, OrderlyLife)                                    \
    X(NotDetached, "PnpNotDetached", DoesNotDetach, Life)                                                    \
    X(NotDeleted, "PnpNotDeleted", LeavesDevice, Life)                                                       \
    X(DeletedInSurprise, "PnpDeletedInSurprise", DeletesInSurprise, Life)                                    \
    X(DetachedInSurprise, "PnpDetachedInSurprise", DetachesInSurprise, Life)                                 \
    X(Skipped, "PnpSkippedDevice", SkipsToBottom, Life)                                                      \
    X(WrongStatus, "IrpWrongInitialStatus", NoFault, AskWithoutStatus)                                       \
    X(IdCharacters, "PnpBadId", BadIds, Life)                                                                \
    X(SameId, "PnpSameId", SameIds, Life)                                                                    \
    X(Relations, "PnpBadRelations", ReportsFdo, Life)                                                        \
    X(NoPdo, "NotPhysicalDevice", NoFault, InvalidateTheWrongDevice)
RULES(RULE)

#define ROW(name, rule, fault, fragment) {#name, name},
const struct WdmTest WdmTests[] = {RULES(ROW){NULL, NULL}};
void (*const WdmTestSetup)(void) = NULL;
void (*const WdmTestTeardown)(void) = NULL;
