// SPDX-License-Identifier: MIT
// The USB client library over good and hostile descriptors.
#include "tests/nthost/io/fixture.h"

#include "nthost/usbd/usbd.h"

// A configuration with a smart card interface (class descriptor 21h, two bulk endpoints) and one without
// endpoints.
static UCHAR Good[] = {
    9, 2,    43,   0, 2,  1,    0, 0x80, 50,                    // configuration
    9, 4,    0,    0, 2,  0x0B, 0, 0,    0,                     // interface 0
    2, 0x21,                                                    // class descriptor
    7, 5,    0x01, 2, 64, 0,    0, 7,    5,  0x82, 2, 64, 0, 0, // endpoints
    9, 4,    1,    0, 0,  0xFF, 1, 2,    0,                     // interface 1
};

static PUSB_INTERFACE_DESCRIPTOR Find(LONG Number, LONG Class)
{
    return USBD_ParseConfigurationDescriptorEx((PUSB_CONFIGURATION_DESCRIPTOR)Good, Good, Number, -1, Class,
                                               -1, -1);
}

static void Parsing(void)
{
    CHECK((PUCHAR)Find(-1, 0x0B) == Good + 9);
    CHECK((PUCHAR)Find(1, -1) == Good + 34);
    CHECK((PUCHAR)Find(-1, -1) == Good + 9);
    CHECK(Find(2, -1) == NULL);
    CHECK((PUCHAR)USBD_ParseDescriptors(Good, sizeof Good, Good, 0x21) == Good + 18);
    CHECK(USBD_ParseDescriptors(Good, sizeof Good, Good + 20, 0x21) == NULL);
    CHECK_EQ(USBD_GetInterfaceLength((PUSB_INTERFACE_DESCRIPTOR)(Good + 9), Good + sizeof Good), 25);
    CHECK_EQ(USBD_GetInterfaceLength((PUSB_INTERFACE_DESCRIPTOR)(Good + 34), Good + sizeof Good), 9);
}

static void HostileDescriptorsEndTheWalk(void)
{
    UCHAR bad[] = {9, 2, 12, 0, 1, 1, 0, 0x80, 50, 0, 4, 0};
    CHECK(USBD_ParseDescriptors(bad, sizeof bad, bad, 4) == NULL); // length 0
    bad[9] = 200;
    CHECK(USBD_ParseDescriptors(bad, sizeof bad, bad, 4) == NULL); // beyond the end
    CHECK(USBD_ParseDescriptors(bad, sizeof bad, bad + sizeof bad, 4) == NULL);
    bad[9] = 3; // an interface descriptor cut short
    CHECK(USBD_ParseConfigurationDescriptorEx((PUSB_CONFIGURATION_DESCRIPTOR)bad, bad, -1, -1, -1, -1, -1) ==
          NULL);
}

static USBD_STATUS Validate(ULONG Length, USHORT Level, PUCHAR *Offset)
{
    return USBD_ValidateConfigurationDescriptor((PUSB_CONFIGURATION_DESCRIPTOR)Good, Length, Level, Offset,
                                                'tseT');
}

static void Validation(void)
{
    PUCHAR offset;
    CHECK_EQ((ULONG)Validate(sizeof Good, 3, &offset), USBD_STATUS_SUCCESS);
    CHECK_EQ((ULONG)Validate(sizeof Good - 1, 1, &offset), (ULONG)USBD_STATUS_BAD_CONFIG_DESC_LENGTH);
    Good[13] = 3; // one endpoint more than there are
    CHECK_EQ((ULONG)Validate(sizeof Good, 2, &offset), USBD_STATUS_SUCCESS);
    CHECK_EQ((ULONG)Validate(sizeof Good, 3, &offset), (ULONG)USBD_STATUS_BAD_NUMBER_OF_ENDPOINTS);
    CHECK(offset == Good + 34);
    Good[13] = 2;
    Good[22] = 0x80; // endpoint 0
    CHECK_EQ((ULONG)Validate(sizeof Good, 2, &offset), (ULONG)USBD_STATUS_BAD_ENDPOINT_ADDRESS);
    Good[22] = 0x01;
    Good[4] = 3;
    CHECK_EQ((ULONG)Validate(sizeof Good, 2, &offset), (ULONG)USBD_STATUS_BAD_NUMBER_OF_INTERFACES);
    Good[4] = 2;
}

static void ConfigurationRequests(void)
{
    USBD_INTERFACE_LIST_ENTRY list[] = {{Find(0, -1), NULL}, {Find(1, -1), NULL}, {NULL, NULL}};
    PURB urb = USBD_CreateConfigurationRequestEx((PUSB_CONFIGURATION_DESCRIPTOR)Good, list);
    CHECK(urb != NULL);
    CHECK_EQ(urb->UrbHeader.Function, URB_FUNCTION_SELECT_CONFIGURATION);
    CHECK_EQ(urb->UrbHeader.Length, 0x28 + 0x18 + 2 * 0x18 + 0x18);
    CHECK(list[0].Interface == &urb->UrbSelectConfiguration.Interface);
    CHECK_EQ(list[0].Interface->NumberOfPipes, 2);
    CHECK_EQ(list[0].Interface->Length, 0x48);
    CHECK_EQ(list[1].Interface->InterfaceNumber, 1);
    CHECK_EQ(list[1].Interface->Length, 0x18);
    ExFreePool(urb);
}

static void ClientHandles(void)
{
    USBD_HANDLE handle;
    PURB urb;
    UNICODE_STRING name;
    PFILE_OBJECT file;
    PDEVICE_OBJECT device;
    IO_STACK_LOCATION location;
    USBD_INTERFACE_LIST_ENTRY list[] = {{Find(0, -1), NULL}, {NULL, NULL}};
    RtlInitUnicodeString(&name, L"\\Device\\TestBus");
    CHECK_STATUS(IoGetDeviceObjectPointer(&name, FILE_READ_DATA, &file, &device), STATUS_SUCCESS);
    CHECK_STATUS(USBD_CreateHandle(device, device, 0x100, 'tseT', &handle), STATUS_INVALID_LEVEL);
    CHECK_STATUS(USBD_CreateHandle(device, device, USBD_CLIENT_CONTRACT_VERSION_602, 'tseT', &handle),
                 STATUS_SUCCESS);
    CHECK_STATUS(USBD_UrbAllocate(handle, &urb), STATUS_SUCCESS);
    USBD_AssignUrbToIoStackLocation(handle, &location, urb);
    CHECK(location.Parameters.Others.Argument1 == urb);
    USBD_UrbFree(handle, urb);
    CHECK_STATUS(
        USBD_SelectConfigUrbAllocateAndBuild(handle, (PUSB_CONFIGURATION_DESCRIPTOR)Good, list, &urb),
        STATUS_SUCCESS);
    CHECK_EQ(list[0].Interface->NumberOfPipes, 2);
    USBD_UrbFree(handle, urb);
    CHECK_STATUS(USBD_SelectInterfaceUrbAllocateAndBuild(handle, NULL, list, &urb), STATUS_SUCCESS);
    CHECK_EQ(urb->UrbHeader.Function, URB_FUNCTION_SELECT_INTERFACE);
    USBD_UrbFree(handle, urb);
    CHECK(!USBD_IsInterfaceVersionSupported(handle, 0x0600));
    USBD_CloseHandle(handle);
    ObDereferenceObject(file);
}

static void LeakUrb(void)
{
    USBD_HANDLE handle;
    PURB urb;
    PDEVICE_OBJECT some = (PDEVICE_OBJECT)(PVOID)Good;
    CHECK_STATUS(USBD_CreateHandle(some, some, USBD_CLIENT_CONTRACT_VERSION_602, 'tseT', &handle),
                 STATUS_SUCCESS);
    CHECK_STATUS(USBD_UrbAllocate(handle, &urb), STATUS_SUCCESS);
    USBD_CloseHandle(handle);
}

static void FreeForeignUrb(void)
{
    USBD_HANDLE handle;
    PDEVICE_OBJECT some = (PDEVICE_OBJECT)(PVOID)Good;
    PUCHAR memory = ExAllocatePoolWithTag(NonPagedPool, 0x200, 'tseT');
    RtlZeroMemory(memory, 0x200);
    CHECK_STATUS(USBD_CreateHandle(some, some, USBD_CLIENT_CONTRACT_VERSION_602, 'tseT', &handle),
                 STATUS_SUCCESS);
    USBD_UrbFree(handle, (PURB)(memory + 0x40));
}

#define BOOTED(test)                                                                                         \
    static void Booted##test(void)                                                                           \
    {                                                                                                        \
        TestBoot();                                                                                          \
        test();                                                                                              \
        TestShutdown();                                                                                      \
    }
BOOTED(ConfigurationRequests)
BOOTED(ClientHandles)

static void ALeakedUrb(void)
{
    TestBreaks("UsbUrbLeak", NoFault, LeakUrb);
}

static void AForeignUrb(void)
{
    TestBreaks("UsbUrbForeign", NoFault, FreeForeignUrb);
}

const struct WdmTest WdmTests[] = {
    {"parsing", Parsing},
    {"hostile descriptors end the walk", HostileDescriptorsEndTheWalk},
    {"validation", Validation},
    {"configuration requests", BootedConfigurationRequests},
    {"client handles", BootedClientHandles},
    {"rule UsbUrbLeak", ALeakedUrb},
    {"rule UsbUrbForeign", AForeignUrb},
    {NULL, NULL},
};
void (*const WdmTestSetup)(void) = NULL;
void (*const WdmTestTeardown)(void) = NULL;
