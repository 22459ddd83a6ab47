// SPDX-License-Identifier: MIT
// Raw exchange, inversion and the debug level.
#include "tests/smclib/card.h"

#define RAW SCARD_PROTOCOL_RAW

static void RequestIsCopiedAsItIs(void)
{
    RequestBegin(RAW, "01 02 03", 8);
    Ext->CardCapabilities.InversConvention = TRUE;
    Ext->SmartcardRequest.BufferLength = 5;
    CHECK_STATUS(SmartcardRawRequest(Ext), STATUS_SUCCESS);
    CheckRequest(5, "01 02 03");
}

static void RequestBoundsAreKept(void)
{
    UCHAR data[289] = {0};

    RequestBeginBytes(RAW, data, 288, 8);
    CHECK_STATUS(SmartcardRawRequest(Ext), STATUS_SUCCESS);
    RequestBeginBytes(RAW, data, 289, 8);
    CHECK_STATUS(SmartcardRawRequest(Ext), STATUS_BUFFER_OVERFLOW);
    RequestBegin(RAW, "01", 7);
    CHECK_STATUS(SmartcardRawRequest(Ext), STATUS_BUFFER_TOO_SMALL);
    RequestBegin(RAW, "01", 8);
    Ext->IoRequest.RequestBufferLength = 7;
    CHECK_STATUS(SmartcardRawRequest(Ext), STATUS_BUFFER_TOO_SMALL);
    Ext->IoRequest.RequestBuffer = NULL;
    CHECK_STATUS(SmartcardRawRequest(Ext), STATUS_BUFFER_TOO_SMALL);
    RequestBegin(RAW, "", 8); // nothing behind the header
    CHECK_STATUS(SmartcardRawRequest(Ext), STATUS_SUCCESS);
    CHECK_EQ(Ext->SmartcardRequest.BufferLength, 0);
    RequestBegin(RAW, "01", 8);
    *(PULONG)(User + 4) = 10; // a PCI header longer than the request
    CHECK_STATUS(SmartcardRawRequest(Ext), STATUS_INVALID_PARAMETER);
    RequestBegin(RAW, "01", 8);
    Ext->SmartcardRequest.Buffer = NULL;
    CHECK_STATUS(SmartcardRawRequest(Ext), STATUS_BUFFER_OVERFLOW);
}

static void ReplyGetsThePciHeader(void)
{
    RequestBegin(RAW, "01", 11);
    ReplyBytes("AA BB CC");
    CHECK_STATUS(SmartcardRawReply(Ext), STATUS_SUCCESS);
    CheckUser("AA BB CC");
    RequestBegin(RAW, "01", 10);
    CHECK_STATUS(SmartcardRawReply(Ext), STATUS_BUFFER_TOO_SMALL);
    CHECK_EQ(Information, 0);
    RequestBegin(RAW, "01", 8);
    ReplyBytes("");
    CHECK_STATUS(SmartcardRawReply(Ext), STATUS_SUCCESS);
    CheckUser("");
    ReplyBytes("AA BB CC");
    RequestBegin(RAW, "01", 11);
    Ext->IoRequest.ReplyBuffer = NULL;
    CHECK_STATUS(SmartcardRawReply(Ext), STATUS_BUFFER_TOO_SMALL);
    CHECK_EQ(Information, 0);
    RequestBegin(RAW, "01", 7);
    CHECK_STATUS(SmartcardRawReply(Ext), STATUS_BUFFER_TOO_SMALL);
    Ext->SmartcardReply.Buffer = NULL;
    RequestBegin(RAW, "01", 1000);
    CHECK_STATUS(SmartcardRawReply(Ext), STATUS_BUFFER_TOO_SMALL);
    Ext->SmartcardReply.Buffer = User;
    Ext->SmartcardReply.BufferLength = 289;
    RequestBegin(RAW, "01", 1000);
    CHECK_STATUS(SmartcardRawReply(Ext), STATUS_BUFFER_TOO_SMALL);
}

static void InversionHasItsVectors(void)
{
    static const UCHAR pairs[][2] = {{0x03, 0x3F}, {0x23, 0x3B}, {0x60, 0xF9}, {0x90, 0xF6},
                                     {0x00, 0xFF}, {0x61, 0x79}, {0xA4, 0xDA}};

    for (ULONG i = 0; i < ARRAYSIZE(pairs); i++) {
        UCHAR byte = pairs[i][0];
        SmartcardInvertData(&byte, 1);
        CHECK_EQ(byte, pairs[i][1]);
        SmartcardInvertData(&byte, 1);
        CHECK_EQ(byte, pairs[i][0]);
    }
    SmartcardInvertData(NULL, 5);
}

static void DebugLevelIsShared(void)
{
    CHECK_EQ(SmartcardGetDebugLevel(), 0);
    SmartcardSetDebugLevel(0x80000021);
    CHECK_EQ(SmartcardGetDebugLevel(), 0x80000021);
    SmartcardSetDebugLevel(0);
}

static void BuffersHaveTheMinimumSize(void)
{
    SmartcardExit(Ext);
    Ext->SmartcardRequest.BufferSize = 10;
    Ext->SmartcardReply.BufferSize = 5000;
    CHECK_STATUS(SmartcardInitialize(Ext), STATUS_SUCCESS);
    CHECK_EQ(Ext->SmartcardRequest.BufferSize, MIN_BUFFER_SIZE);
    CHECK_EQ(Ext->SmartcardReply.BufferSize, 5000);
}

// Everything else belongs to the driver, which may fill it in before or after.
static void InitialisationTouchesOnlyItsOwn(void)
{
    static SMARTCARD_EXTENSION before;

    SmartcardExit(Ext);
    RtlFillMemory(&Ext->VendorAttr, sizeof(Ext->VendorAttr), 0xA5);
    RtlFillMemory(Ext->ReaderFunction, sizeof(Ext->ReaderFunction), 0xA5);
    RtlFillMemory(&Ext->ReaderExtension, sizeof(Ext->ReaderExtension), 0xA5);
    Ext->LastError = 0xA5;
    before = *Ext;
    CHECK_STATUS(SmartcardInitialize(Ext), STATUS_SUCCESS);
    CHECK_MEM(&Ext->VendorAttr, &before.VendorAttr, sizeof(before.VendorAttr));
    CHECK_MEM(Ext->ReaderFunction, before.ReaderFunction, sizeof(before.ReaderFunction));
    CHECK_MEM(&Ext->ReaderCapabilities, &before.ReaderCapabilities, sizeof(before.ReaderCapabilities));
    CHECK_MEM(&Ext->ReaderExtension, &before.ReaderExtension, sizeof(before.ReaderExtension));
    CHECK_EQ(Ext->LastError, 0xA5);
    CHECK_EQ(Ext->SmartcardRequest.BufferLength, 0);
    CHECK_EQ(Ext->SmartcardReply.BufferLength, 0);
    CHECK(Ext->OsData->DeviceObject == NULL);
    CHECK(Ext->OsData->CurrentIrp == NULL && Ext->OsData->NotificationIrp == NULL);
    for (ULONG i = 0; i < MIN_BUFFER_SIZE; i++) {
        CHECK_EQ(Ext->SmartcardRequest.Buffer[i] | Ext->SmartcardReply.Buffer[i], 0);
    }
}

// A driver moves the public pointers while it talks and must not have to move them back before SmartcardExit.
static void ExitFreesItsOwnPointers(void)
{
    Ext->SmartcardRequest.Buffer += 3;
    Ext->SmartcardReply.Buffer = User;
    SmartcardExit(Ext);
    CHECK(Ext->OsData == NULL);
    CHECK(Ext->SmartcardRequest.Buffer == NULL);
    SmartcardExit(Ext);
    SmartcardExit(NULL);
}

static void OldDriverIsToldByItsVersion(void)
{
    SmartcardExit(Ext);
    Ext->Version = 0xFF;
    CHECK_STATUS(SmartcardInitialize(Ext), STATUS_UNSUCCESSFUL);
    CHECK(Ext->OsData != NULL);
    SmartcardExit(Ext);
    Ext->Version = SMCLIB_VERSION_REQUIRED;
    CHECK_STATUS(SmartcardInitialize(Ext), STATUS_SUCCESS);
    CHECK_STATUS(SmartcardInitialize(NULL), STATUS_INVALID_PARAMETER);
    CHECK_STATUS(SmartcardDeviceControl(Ext, NULL), STATUS_INVALID_PARAMETER);
}

// A driver stores through Information from its power handlers, when no request is there.
static void IdleRequestPointsNowhereDangerous(void)
{
    CHECK(Ext->IoRequest.RequestBuffer == NULL);
    CHECK(Ext->IoRequest.ReplyBuffer == NULL);
    CHECK_EQ(Ext->IoRequest.RequestBufferLength, 0);
    CHECK_EQ(Ext->IoRequest.ReplyBufferLength, 0);
    CHECK(Ext->IoRequest.Information != NULL);
    *Ext->IoRequest.Information = 33;
}

const struct WdmTest WdmTests[] = {
    {"a raw request is copied as it is", RequestIsCopiedAsItIs},
    {"the bounds of a raw request are kept", RequestBoundsAreKept},
    {"a raw reply gets the PCI header", ReplyGetsThePciHeader},
    {"inversion has its vectors and undoes itself", InversionHasItsVectors},
    {"the debug level is shared", DebugLevelIsShared},
    {"buffers have the minimum size", BuffersHaveTheMinimumSize},
    {"initialisation touches only its own", InitialisationTouchesOnlyItsOwn},
    {"SmartcardExit frees its own pointers, once", ExitFreesItsOwnPointers},
    {"an old driver is told by its version", OldDriverIsToldByItsVersion},
    {"the idle request points nowhere dangerous", IdleRequestPointsNowhereDangerous},
    {NULL, NULL},
};
void (*const WdmTestSetup)(void) = CardSetup;
void (*const WdmTestTeardown)(void) = CardTeardown;
