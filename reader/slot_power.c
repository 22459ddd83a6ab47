// SPDX-License-Identifier: MIT
// RDF_CARD_POWER: activation, reset and deactivation, CCID 1.1 6.1.1 and 6.1.2.
#include "reader/slot.h"
#include "reader/ccid/parameters.h"

#define POWER_ON_TIMEOUT  10000 // ms; the reader may try several voltages
#define POWER_OFF_TIMEOUT 2000
#define SHUTDOWN_TIMEOUT  250 // nobody waits longer for a card that loses power anyway
#define OFF_TIME          10  // ms, ISO 7816-3:2006 6.4
#define BUSY_PAUSE        50  // ms, while the reader activates by itself
#define BUSY_RETRIES      40
#define ATR_LENGTH_MIN    2
#define ERROR_EMV_MODE    0xBB // of Gemalto readers
#define ESCAPE_TIMEOUT    5000
#define ESCAPE_REPLY      32

// bPowerSelect in the order of ISO 7816-3:2006 6.2.4: a card is not harmed by less than it needs.
static const struct {
    UCHAR Support;
    UCHAR Select;
} Voltages[] = {{CCID_VOLTAGE_18V, 3}, {CCID_VOLTAGE_3V, 2}, {CCID_VOLTAGE_5V, 1}};

// Cancelling ends the pause early.
static VOID Pause(PSLOT Slot, ULONG Milliseconds)
{
    PVOID objects[] = {&Slot->Reader->Halt, &Slot->Cancel, &Slot->Departed};
    LARGE_INTEGER due;

    due.QuadPart = -(LONGLONG)Milliseconds * 10000;
    KeWaitForMultipleObjects(RTL_NUMBER_OF(objects), objects, WaitAny, Executive, KernelMode, FALSE, &due,
                             NULL);
}

// A reader that activates by itself takes nothing else meanwhile.
static NTSTATUS CommandRun(PSLOT Slot, PCOMMAND Command)
{
    NTSTATUS status = ChannelRun(Slot, Command);

    for (ULONG i = 1; i < BUSY_RETRIES && status == STATUS_DEVICE_BUSY; i++) {
        if (Command->Origin != CommandOfRequest || SlotCancelled(Slot)) {
            break;
        }
        Pause(Slot, BUSY_PAUSE);
        status = ChannelRun(Slot, Command);
    }
    return status;
}

NTSTATUS SlotPowerOff(PSLOT Slot, COMMAND_ORIGIN Origin)
{
    COMMAND command = {.Origin = Origin,
                       .Type = CCID_ICC_POWER_OFF,
                       .Timeout = Origin == CommandOfShutdown ? SHUTDOWN_TIMEOUT : POWER_OFF_TIMEOUT};

    SlotStateSet(Slot, SCARD_PRESENT);
    return CommandRun(Slot, &command);
}

static NTSTATUS PowerOnOnce(PSLOT Slot, UCHAR Select, PUCHAR Atr, PULONG Length, PUCHAR Error)
{
    COMMAND command = {.Origin = CommandOfRequest,
                       .Type = CCID_ICC_POWER_ON,
                       .Specific = {Select},
                       .Timeout = POWER_ON_TIMEOUT,
                       .Reply = Atr,
                       .ReplySize = CCID_ATR_LENGTH_MAX};
    NTSTATUS status = CommandRun(Slot, &command);

    if (!NT_SUCCESS(status)) {
        ReportRefusal(Slot->Reader, &command);
    }
    *Error = command.Answered ? command.Header.Error : CCID_ERROR_NOT_SUPPORTED;
    *Length = command.ReplyLength;
    return NT_SUCCESS(status) && command.ReplyLength < ATR_LENGTH_MIN ? STATUS_IO_TIMEOUT : status;
}

// A different voltage or another try may help; the card's absence or a dead pipe will not change.
static BOOLEAN WorthAnotherTry(NTSTATUS Status, UCHAR Error)
{
    return Status == STATUS_UNRECOGNIZED_MEDIA || Status == STATUS_INVALID_PARAMETER ||
           (Status == STATUS_IO_TIMEOUT && Error == CCID_ERROR_ICC_MUTE) ||
           Status == STATUS_DEVICE_PROTOCOL_ERROR || Error == CCID_ERROR_HARDWARE;
}

static NTSTATUS PowerOnInTurn(PSLOT Slot, PUCHAR Atr, PULONG Length, PUCHAR Error)
{
    const UCHAR all = CCID_VOLTAGE_5V | CCID_VOLTAGE_3V | CCID_VOLTAGE_18V;
    UCHAR supported = Slot->Reader->Usb.Interface.Descriptor.VoltageSupport;
    NTSTATUS status = STATUS_DEVICE_CONFIGURATION_ERROR;

    // A reader that claims none may have any; it refuses what it has not.
    supported &= all;
    supported = supported == 0 ? all : supported;
    for (ULONG i = 0; i < RTL_NUMBER_OF(Voltages); i++) {
        if ((supported & Voltages[i].Support) == 0) {
            continue;
        }
        if (status != STATUS_DEVICE_CONFIGURATION_ERROR) {
            NTSTATUS off = SlotPowerOff(Slot, CommandOfRequest);
            if (!NT_SUCCESS(off)) {
                return off;
            }
            Pause(Slot, OFF_TIME);
        }
        status = PowerOnOnce(Slot, Voltages[i].Select, Atr, Length, Error);
        if (NT_SUCCESS(status) || !WorthAnotherTry(status, *Error)) {
            break;
        }
    }
    return status;
}

static NTSTATUS PowerOnTry(PSLOT Slot, PUCHAR Atr, PULONG Length, PUCHAR Error)
{
    ULONG features = Slot->Reader->Usb.Interface.Descriptor.Features;
    NTSTATUS status;

    if ((features & (CCID_FEATURE_AUTO_ACTIVATION | CCID_FEATURE_AUTO_VOLTAGE)) == 0) {
        return PowerOnInTurn(Slot, Atr, Length, Error);
    }
    status = PowerOnOnce(Slot, 0, Atr, Length, Error);
    if (!NT_SUCCESS(status) && *Error == CCID_ERROR_PARITY) {
        status = PowerOnOnce(Slot, 0, Atr, Length, Error);
    }
    return status;
}

// A reader in EMV mode rejects all other cards.
static NTSTATUS IsoModeEnter(PSLOT Slot)
{
    static const UCHAR escape[] = {0x1F, 0x01};
    UCHAR reply[ESCAPE_REPLY];
    COMMAND command = {.Origin = CommandOfRequest,
                       .Type = CCID_ESCAPE,
                       .Data = escape,
                       .DataLength = sizeof(escape),
                       .Timeout = ESCAPE_TIMEOUT,
                       .Reply = reply,
                       .ReplySize = sizeof(reply)};

    return ChannelRun(Slot, &command);
}

static NTSTATUS CardActivate(PSLOT Slot, PUCHAR Atr, PULONG Length)
{
    const ULONG *quirks = Slot->Reader->Quirks.Values;
    UCHAR error = CCID_ERROR_NOT_SUPPORTED;
    NTSTATUS status = PowerOnTry(Slot, Atr, Length, &error);

    if (!NT_SUCCESS(status) && error == ERROR_EMV_MODE && quirks[QuirkIsoMode] != 0) {
        status = IsoModeEnter(Slot);
        status = NT_SUCCESS(status) ? PowerOnTry(Slot, Atr, Length, &error) : status;
    }
    if (!NT_SUCCESS(status) && error == CCID_ERROR_ICC_MUTE && quirks[QuirkPresence] != 0) {
        SlotVacate(Slot);
    }
    if (!NT_SUCCESS(status) && SlotState(Slot) > SCARD_ABSENT) {
        ReportActivation(Slot->Reader, status, error);
    }
    return status;
}

// What the last card agreed to is void. Not every library clears it before a reset.
static VOID CardForget(PSLOT Slot)
{
    PSMARTCARD_EXTENSION smartcard = &Slot->Smartcard;
    KIRQL irql;

    KeAcquireSpinLock(&smartcard->OsData->SpinLock, &irql);
    smartcard->CardCapabilities.Protocol.Selected = SCARD_PROTOCOL_UNDEFINED;
    smartcard->CardCapabilities.PtsData.Type = PTS_TYPE_DEFAULT;
    KeReleaseSpinLock(&smartcard->OsData->SpinLock, irql);
}

static VOID AtrStore(PSLOT Slot, const UCHAR *Atr, ULONG Length)
{
    PSMARTCARD_EXTENSION smartcard = &Slot->Smartcard;
    KIRQL irql;

    KeAcquireSpinLock(&smartcard->OsData->SpinLock, &irql);
    RtlCopyMemory(smartcard->CardCapabilities.ATR.Buffer, Atr, Length);
    smartcard->CardCapabilities.ATR.Length = (UCHAR)Length;
    KeReleaseSpinLock(&smartcard->OsData->SpinLock, irql);
}

// The library may find that nothing is left to negotiate; then no SET_PROTOCOL follows and the reader is told
// now.
static NTSTATUS ProtocolFollow(PSLOT Slot)
{
    const SCARD_CARD_CAPABILITIES *card = &Slot->Smartcard.CardCapabilities;
    UCHAR fidi = (UCHAR)(card->PtsData.Fl << 4 | card->PtsData.Dl);
    ULONG rate;

    // A protocol the reader has not is refused when it is asked for.
    if (SlotState(Slot) != SCARD_SPECIFIC ||
        (card->Protocol.Selected & Slot->Smartcard.ReaderCapabilities.SupportedProtocols) == 0) {
        return STATUS_SUCCESS;
    }
    // A card in specific mode speaks at this rate and no other, ISO 7816-3:2006 6.3.1.
    rate = SlotRate(Slot, card->PtsData.CLKFrequency, fidi);
    if (fidi != CCID_DEFAULT_FINDEX && !SlotRateReached(Slot, rate)) {
        ReportWrite(Slot->Reader, LECTERN_CARD_TOO_FAST, rate);
        return STATUS_UNRECOGNIZED_MEDIA;
    }
    return SlotParametersSet(Slot, card->Protocol.Selected, fidi);
}

NTSTATUS SlotReset(PSLOT Slot, BOOLEAN Cold)
{
    UCHAR atr[CCID_ATR_LENGTH_MAX];
    ULONG length = 0;
    BOOLEAN powered = SlotState(Slot) > SCARD_SWALLOWED;
    NTSTATUS status = STATUS_SUCCESS;

    if ((Cold && powered) || Slot->Reader->Quirks.Values[QuirkPowerOff] != 0) {
        status = SlotPowerOff(Slot, CommandOfRequest);
        Pause(Slot, OFF_TIME);
    }
    SlotStateSet(Slot, SCARD_PRESENT);
    CardForget(Slot);
    if (NT_SUCCESS(status)) {
        status = CardActivate(Slot, atr, &length);
    }
    if (!NT_SUCCESS(status)) {
        return status;
    }
    AtrStore(Slot, atr, length);
    status = SmartcardUpdateCardCapabilities(&Slot->Smartcard);
    if (NT_SUCCESS(status)) {
        status = ProtocolFollow(Slot);
    } else {
        ReportActivation(Slot->Reader, status, CCID_ERROR_NOT_SUPPORTED);
    }
    if (!NT_SUCCESS(status)) {
        // An unusable card is not left powered; its own failure is what counts.
        (VOID) SlotPowerOff(Slot, CommandOfRequest);
    }
    return status;
}

static NTSTATUS ResetWork(PSLOT Slot)
{
    PSMARTCARD_EXTENSION smartcard = &Slot->Smartcard;
    const UCHAR *atr = smartcard->CardCapabilities.ATR.Buffer;
    BOOLEAN warm = smartcard->MinorIoControlCode == SCARD_WARM_RESET && SlotState(Slot) > SCARD_SWALLOWED;
    NTSTATUS status = SlotReset(Slot, !warm);
    ULONG length = smartcard->CardCapabilities.ATR.Length;

    if (NT_SUCCESS(status) && smartcard->IoRequest.ReplyBuffer != NULL) {
        if (smartcard->IoRequest.ReplyBufferLength < length) {
            return STATUS_BUFFER_TOO_SMALL;
        }
        RtlCopyMemory(smartcard->IoRequest.ReplyBuffer, atr, length);
        *smartcard->IoRequest.Information = length;
    }
    return status;
}

static NTSTATUS OffWork(PSLOT Slot)
{
    return SlotPowerOff(Slot, CommandOfRequest);
}

NTSTATUS NTAPI SlotCardPower(PSMARTCARD_EXTENSION Smartcard)
{
    PSLOT slot = SlotOfExtension(Smartcard);

    *Smartcard->IoRequest.Information = 0;
    switch (Smartcard->MinorIoControlCode) {
    case SCARD_POWER_DOWN:
        return SlotServe(slot, OffWork, TRUE);
    case SCARD_COLD_RESET:
    case SCARD_WARM_RESET:
        return SlotServe(slot, ResetWork, TRUE);
    default:
        return STATUS_INVALID_PARAMETER;
    }
}
