// SPDX-License-Identifier: MIT
// The rules of io/, pnp/, po/ and usbd/: name, bug check code, sub-code, as in verifier/rules.h, which
// includes this.
#pragma once

#define IOP_RULES(X)                                                                                         \
    X(IrpNoStackLocation, 0x35, 0)                                                                           \
    X(IrpCompletedTwice, 0x44, 0)                                                                            \
    X(IrpCancelRoutineSet, 0x48, 0)                                                                          \
    X(IrpCalledAfterCompletion, 0xC9, 0x03)                                                                  \
    X(IrpBadDevice, 0xC9, 0x04)                                                                              \
    X(IrpCompletedPending, 0xC9, 0x06)                                                                       \
    X(IrpForwardedCancelable, 0xC9, 0x203)                                                                   \
    X(IrpCompletedBelow, 0xC9, 0x209)                                                                        \
    X(IrpPendingNotMarked, 0xC9, 0x23D)                                                                      \
    X(IrpMarkedNotPending, 0xC9, 0x23E)                                                                      \
    X(IrpPendingNotPropagated, 0xC9, 0x228)                                                                  \
    X(IrpReturnMismatch, 0xC9, 0x224)                                                                        \
    X(IrpLost, 0xC9, 0x226)                                                                                  \
    X(IrpIrqlForMajor, 0xC9, 0x23A)                                                                          \
    X(IrpInformationTooLarge, 0xC9, 0x312)                                                                   \
    X(IrpNotReclaimed, 0xC9, 0x239)                                                                          \
    X(IrpFreeForeign, 0xC9, 0x01)                                                                            \
    X(IrpFreeManaged, 0xC9, 0x02)                                                                            \
    X(IrpFreeInUse, 0xC9, 0x20A)                                                                             \
    X(IrpReuseInUse, 0xC9, 0x310)                                                                            \
    X(IrpReuseManaged, 0xC9, 0x311)                                                                          \
    X(IrpWrongInitialStatus, 0xC9, 0x20E)                                                                    \
    X(IrpCancelIgnored, 0xC9, 0x2F1)                                                                         \
    X(IrpLeak, 0xC4, 0xC6)                                                                                   \
    X(DispatchMissing, 0xC9, 0x21F)                                                                          \
    X(DeviceTimerTwice, 0xC9, 0x0A)                                                                          \
    X(DeviceDeletedTwice, 0xC9, 0x240)                                                                       \
    X(DeviceDeletedAttached, 0xC9, 0x201)                                                                    \
    X(DeviceDetachedTwice, 0xC9, 0x202)                                                                      \
    X(DeviceInitializingLeft, 0xC9, 0x243)                                                                   \
    X(DeviceBothIoFlags, 0xC9, 0x245)                                                                        \
    X(DevicePagableNotInherited, 0xC9, 0x23F)                                                                \
    X(DeviceNotAttached, 0xC9, 0x24E)                                                                        \
    X(NotPhysicalDevice, 0xCA, 0x02)                                                                         \
    X(RemoveLockTag, 0xC4, 0xD5)                                                                             \
    X(RemoveLockWaitTag, 0xC4, 0xD6)                                                                         \
    X(RemoveLockReinitialized, 0xC4, 0xD7)                                                                   \
    X(RemoveLockUninitialized, 0xC4, 0xD4)                                                                   \
    X(WorkItemFreedQueued, 0xE4, 0x02)                                                                       \
    X(UnloadDevices, 0xCE, 0x10)                                                                             \
    X(UnloadSymbolicLinks, 0xCE, 0x11)                                                                       \
    X(UnloadInterfaces, 0xCE, 0x12)                                                                          \
    X(UnloadWorkItems, 0xCE, 0x13)                                                                           \
    X(UnloadNotifications, 0xCE, 0x14)                                                                       \
    X(WmiLeft, 0xC4, 0xDA)                                                                                   \
    X(TracingLeft, 0xC4, 0xDD)                                                                               \
    X(PnpSkippedDevice, 0xC9, 0x211)                                                                         \
    X(PnpStatusChanged, 0xC9, 0x213)                                                                         \
    X(PnpFailedPassedDown, 0xC9, 0x215)                                                                      \
    X(PnpNotSupported, 0xC9, 0x216)                                                                          \
    X(PnpNotPassedDown, 0xC9, 0x22D)                                                                         \
    X(PnpStartBeforeLower, 0xC9, 0x22E)                                                                      \
    X(PnpMustSucceed, 0xC9, 0x247)                                                                           \
    X(PnpRemoveFailed, 0xC9, 0x306)                                                                          \
    X(PnpNotDetached, 0xC9, 0x21D)                                                                           \
    X(PnpNotDeleted, 0xC9, 0x21E)                                                                            \
    X(PnpDetachedInSurprise, 0xC9, 0x241)                                                                    \
    X(PnpDeletedInSurprise, 0xC9, 0x242)                                                                     \
    X(PnpBadId, 0xCA, 0x03)                                                                                  \
    X(PnpSameId, 0xCA, 0x01)                                                                                 \
    X(PnpBadRelations, 0xC9, 0x248)                                                                          \
    X(PnpCapabilitiesChanged, 0xC9, 0x234)                                                                   \
    X(PowerFailedPassedDown, 0xC9, 0x219)                                                                    \
    X(PowerNotSupported, 0xC9, 0x21A)                                                                        \
    X(PowerNotPassedDown, 0xC9, 0x231)                                                                       \
    X(PowerSetFailed, 0xC9, 0x232)                                                                           \
    X(PowerStartNext, 0x9F, 0x02)                                                                            \
    X(PowerCallDriver, 0xC9, 0x2F0)                                                                          \
    X(PowerTimeout, 0x9F, 0x03)                                                                              \
    X(UsbUrbLeak, 0x144, 0x804)                                                                              \
    X(UsbUrbForeign, 0x144, 0x03)
