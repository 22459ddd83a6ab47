// SPDX-License-Identifier: MIT
// The numbers of CCID 1.1: message types, class requests, features, status and error codes.
#pragma once

#define CCID_INTERFACE_CLASS  0x0B
#define CCID_VENDOR_CLASS     0xFF // readers older than the class use it with the same descriptor
#define CCID_CLASS_LENGTH     54
#define CCID_HEADER_LENGTH    10
#define CCID_DATA_LENGTH_MAX  65544 // an extended APDU, CCID 1.1 5.1 dwMaxCCIDMessageLength
#define CCID_MESSAGE_MAX      (CCID_HEADER_LENGTH + CCID_DATA_LENGTH_MAX)
#define CCID_ATR_LENGTH_MAX   33
#define CCID_NOTIFICATION_MAX 64 // interrupt message of the 252 slots an octet can name, rounded up

// bmRequestType is implied by the URB: class, interface; CCID 1.1 5.3.
#define CCID_REQUEST_ABORT                 0x01
#define CCID_REQUEST_GET_CLOCK_FREQUENCIES 0x02
#define CCID_REQUEST_GET_DATA_RATES        0x03

// dwFeatures, CCID 1.1 5.1
#define CCID_FEATURE_AUTO_PARAMETERS  0x00000002
#define CCID_FEATURE_AUTO_ACTIVATION  0x00000004
#define CCID_FEATURE_AUTO_VOLTAGE     0x00000008
#define CCID_FEATURE_AUTO_CLOCK       0x00000010
#define CCID_FEATURE_AUTO_RATE        0x00000020
#define CCID_FEATURE_AUTO_NEGOTIATION 0x00000040
#define CCID_FEATURE_AUTO_PPS         0x00000080
#define CCID_FEATURE_AUTO_IFSD        0x00000400
#define CCID_FEATURE_TPDU             0x00010000
#define CCID_FEATURE_SHORT_APDU       0x00020000
#define CCID_FEATURE_EXTENDED_APDU    0x00040000
#define CCID_FEATURE_WAKE_UP          0x00100000 // on insertion and removal

#define CCID_PROTOCOL_T0 0x0001
#define CCID_PROTOCOL_T1 0x0002

#define CCID_PIN_VERIFY 0x01 // bPINSupport
#define CCID_PIN_MODIFY 0x02

#define CCID_VOLTAGE_5V  0x01 // bVoltageSupport
#define CCID_VOLTAGE_3V  0x02
#define CCID_VOLTAGE_18V 0x04

// Bulk-OUT messages, CCID 1.1 6.1
#define CCID_SET_PARAMETERS  0x61
#define CCID_ICC_POWER_ON    0x62
#define CCID_ICC_POWER_OFF   0x63
#define CCID_GET_SLOT_STATUS 0x65
#define CCID_SECURE          0x69
#define CCID_ESCAPE          0x6B
#define CCID_GET_PARAMETERS  0x6C
#define CCID_XFR_BLOCK       0x6F
#define CCID_ABORT           0x72
#define CCID_SET_DATA_RATE   0x73

// Bulk-IN messages, CCID 1.1 6.2
#define CCID_DATA_BLOCK   0x80
#define CCID_SLOT_STATUS  0x81
#define CCID_PARAMETERS   0x82
#define CCID_ESCAPE_REPLY 0x83
#define CCID_DATA_RATE    0x84

// Interrupt-IN messages, CCID 1.1 6.3
#define CCID_NOTIFY_SLOT_CHANGE 0x50
#define CCID_HARDWARE_ERROR     0x51

// bmICCStatus and bmCommandStatus, CCID 1.1 6.2.6
#define CCID_ICC_ACTIVE             0
#define CCID_ICC_INACTIVE           1
#define CCID_ICC_ABSENT             2
#define CCID_COMMAND_OK             0
#define CCID_COMMAND_FAILED         1
#define CCID_COMMAND_TIME_EXTENSION 2

// bError of a failed command, CCID 1.1 6.2.6; below 0x80 it is the offset of the offending byte
#define CCID_ERROR_ABORTED                0xFF
#define CCID_ERROR_ICC_MUTE               0xFE
#define CCID_ERROR_PARITY                 0xFD
#define CCID_ERROR_OVERRUN                0xFC
#define CCID_ERROR_HARDWARE               0xFB
#define CCID_ERROR_BAD_ATR_TS             0xF8
#define CCID_ERROR_BAD_ATR_TCK            0xF7
#define CCID_ERROR_PROTOCOL_NOT_SUPPORTED 0xF6
#define CCID_ERROR_CLASS_NOT_SUPPORTED    0xF5
#define CCID_ERROR_PROCEDURE_BYTE         0xF4
#define CCID_ERROR_DEACTIVATED_PROTOCOL   0xF3
#define CCID_ERROR_AUTO_SEQUENCE          0xF2
#define CCID_ERROR_PIN_TIMEOUT            0xF0
#define CCID_ERROR_PIN_CANCELLED          0xEF
#define CCID_ERROR_SLOT_BUSY              0xE0
#define CCID_ERROR_OFFSET_FIDI            0x0A // bmFindexDindex of SetParameters
#define CCID_ERROR_OFFSET_MAX             0x7F
#define CCID_ERROR_BAD_SLOT               0x05
#define CCID_ERROR_NOT_SUPPORTED          0x00

// Requests, response types and phases of ICCD 1.0 chapter 6
#define ICCD_POWER_ON         0x62
#define ICCD_POWER_OFF        0x63
#define ICCD_XFR_BLOCK        0x65
#define ICCD_DATA_BLOCK       0x6F
#define ICCD_SLOT_STATUS      0x81
#define ICCD_ICC_STATUS       0xA0
#define ICCD_RESPONSE_STATUS  0x40
#define ICCD_RESPONSE_POLLING 0x80
#define ICCD_PHASE_DATA       0x10
#define ICCD_PHASE_STATUS     0x20
#define ICCD_PHASE_BUSY       0x40
#define ICCD_PHASE_MUTE       0x80
#define ICCD_TRANSFER_MAX     0x1000 // bytes of one control transfer that host controllers take

// wLevelParameter and bChainParameter, CCID 1.1 6.1.4 and 6.2.1
#define CCID_CHAIN_WHOLE    0x0000
#define CCID_CHAIN_BEGIN    0x0001
#define CCID_CHAIN_END      0x0002
#define CCID_CHAIN_MIDDLE   0x0003
#define CCID_CHAIN_CONTINUE 0x0010
