// SPDX-License-Identifier: MIT
// The cards that can be inserted, by name.
#include "emulator/card/card.h"
#include "emulator/emulator.h"

#include <string.h>

enum { ALL_CLASSES = CARD_CLASS_A | CARD_CLASS_B | CARD_CLASS_C };
// Compact-TLV card capabilities: SELECT by name, path, FID; SFI; records; extended length. ISO
// 7816-4:2005 8.1.1.2.7.
#define HISTORICAL_SHORT    0x80, 0x73, 0xFC, 0x21, 0x00
#define HISTORICAL_EXTENDED 0x80, 0x73, 0xFC, 0x21, 0x40

static const struct card_type types[] = {
    {.name = "t0",
     .description = "T=0, direct convention, default transmission factors",
     .atr_length = 9,
     .classes = ALL_CLASSES,
     .atr = {0x3B, 0x65, 0x00, 0x00, HISTORICAL_SHORT},
     .application = &card_filesystem},
    {.name = "t1",
     .description = "T=1, LRC, IFSC 254, default transmission factors",
     .atr_length = 12,
     .classes = ALL_CLASSES,
     .atr = {0x3B, 0x85, 0x81, 0x31, 0xFE, 0x45, HISTORICAL_SHORT, 0xA0},
     .application = &card_filesystem},
    {.name = "t0-inverse",
     .description = "T=0, inverse convention",
     .atr_length = 9,
     .classes = ALL_CLASSES,
     .atr = {0x3F, 0x65, 0x00, 0x00, HISTORICAL_SHORT},
     .application = &card_filesystem},
    {.name = "t0-single",
     .description = "T=0, a procedure byte before every byte; TA1 95 by PPS, clock stop in either state",
     .atr_length = 12,
     .classes = ALL_CLASSES,
     .flags = CARD_SINGLE_BYTES,
     .atr = {0x3B, 0x95, 0x95, 0x80, 0x1F, 0xC7, HISTORICAL_SHORT, 0x76},
     .application = &card_filesystem},
    {.name = "t1-crc",
     .description = "T=1, CRC, IFSC 32",
     .atr_length = 13,
     .classes = ALL_CLASSES,
     .atr = {0x3B, 0x85, 0x81, 0x71, 0x20, 0x45, 0x01, HISTORICAL_SHORT, 0x3F},
     .application = &card_filesystem},
    {.name = "dual",
     .description = "T=0 and T=1, TA1 18, negotiable",
     .atr_length = 13,
     .classes = CARD_CLASS_A | CARD_CLASS_B,
     .atr = {0x3B, 0x95, 0x18, 0x80, 0x31, 0xFE, 0x55, HISTORICAL_SHORT, 0xB9},
     .application = &card_filesystem},
    {.name = "dual-fast",
     .description = "T=0 and T=1, TA1 96, negotiable, extended length",
     .atr_length = 13,
     .classes = ALL_CLASSES,
     .flags = CARD_EXTENDED,
     .atr = {0x3B, 0x95, 0x96, 0x80, 0x31, 0xFE, 0x55, HISTORICAL_EXTENDED, 0x77},
     .application = &card_filesystem},
    {.name = "t1-specific",
     .description = "T=1, specific mode, TA1 18",
     .atr_length = 14,
     .classes = ALL_CLASSES,
     .atr = {0x3B, 0x95, 0x18, 0x91, 0x81, 0x31, 0xFE, 0x45, HISTORICAL_SHORT, 0x39},
     .application = &card_filesystem},
    {.name = "t1-extended",
     .description = "T=1, TA1 96, extended length",
     .atr_length = 13,
     .classes = ALL_CLASSES,
     .flags = CARD_EXTENDED,
     .atr = {0x3B, 0x95, 0x96, 0x81, 0x31, 0xFE, 0x55, HISTORICAL_EXTENDED, 0x76},
     .application = &card_filesystem},
    {.name = "t0-extended",
     .description = "T=0, ENVELOPE for extended length",
     .atr_length = 9,
     .classes = ALL_CLASSES,
     .flags = CARD_EXTENDED,
     .atr = {0x3B, 0x65, 0x00, 0x00, HISTORICAL_EXTENDED},
     .application = &card_filesystem},
    {.name = "t1-ifs",
     .description = "T=1, IFSC 16, asks for 254 before its first answer",
     .atr_length = 12,
     .classes = ALL_CLASSES,
     .flags = CARD_WANTS_IFS | CARD_EXTENDED,
     .atr = {0x3B, 0x85, 0x81, 0x31, 0x10, 0x45, HISTORICAL_EXTENDED, 0x0E},
     .application = &card_filesystem},
    {.name = "class-c",
     .description = "T=1, 1.8 V only",
     .atr_length = 12,
     .classes = CARD_CLASS_C,
     .atr = {0x3B, 0x85, 0x81, 0x31, 0xFE, 0x45, HISTORICAL_SHORT, 0xA0},
     .application = &card_filesystem},
    {.name = "bad-pps",
     .description = "T=0, TA1 18, answers PPS without PPS1",
     .atr_length = 10,
     .classes = ALL_CLASSES,
     .flags = CARD_PPS_REFUSED,
     .atr = {0x3B, 0x75, 0x18, 0x00, 0x00, HISTORICAL_SHORT},
     .application = &card_filesystem},
    {.name = "bad-mute",
     .description = "no answer to reset",
     .atr_length = 9,
     .classes = ALL_CLASSES,
     .flags = CARD_MUTE,
     .atr = {0x3B, 0x65, 0x00, 0x00, HISTORICAL_SHORT},
     .application = &card_filesystem},
    {.name = "bad-tck",
     .description = "T=1, wrong check byte in the ATR",
     .atr_length = 12,
     .classes = ALL_CLASSES,
     .atr = {0x3B, 0x85, 0x81, 0x31, 0xFE, 0x45, HISTORICAL_SHORT, 0x55},
     .application = &card_filesystem},
    {.name = "bad-ts",
     .description = "first character of the ATR is neither 3B nor 3F",
     .atr_length = 2,
     .classes = ALL_CLASSES,
     .atr = {0x23, 0x00},
     .application = &card_filesystem},
    {.name = "bad-dying-t0",
     .description = "T=0, mute after three commands until the next reset",
     .atr_length = 9,
     .classes = ALL_CLASSES,
     .flags = CARD_DIES,
     .atr = {0x3B, 0x65, 0x00, 0x00, HISTORICAL_SHORT},
     .application = &card_filesystem},
    {.name = "bad-dying-t1",
     .description = "T=1, mute after three commands until the next reset",
     .atr_length = 12,
     .classes = ALL_CLASSES,
     .flags = CARD_DIES,
     .atr = {0x3B, 0x85, 0x81, 0x31, 0xFE, 0x45, HISTORICAL_SHORT, 0xA0},
     .application = &card_filesystem},
    {.name = "bad-short",
     .description = "T=0, a short circuit at the first command",
     .atr_length = 9,
     .classes = ALL_CLASSES,
     .flags = CARD_SHORTS,
     .atr = {0x3B, 0x65, 0x00, 0x00, HISTORICAL_SHORT},
     .application = &card_filesystem},
    {.name = "bad-noisy",
     .description = "T=1, every third block with a wrong EDC",
     .atr_length = 12,
     .classes = ALL_CLASSES,
     .flags = CARD_NOISY,
     .atr = {0x3B, 0x85, 0x81, 0x31, 0x20, 0x45, HISTORICAL_SHORT, 0x7E},
     .application = &card_filesystem},
    {.name = "bad-bwi", // OpenPGP version 1
     .description = "T=1, BWI 4, and slow as with 7",
     .atr_length = 20,
     .classes = ALL_CLASSES,
     .flags = CARD_HASTY,
     .atr = {0x3B, 0xFA, 0x13, 0x00, 0xFF, 0x81, 0x31, 0x80, 0x45, 0x00,
             0x31, 0xC1, 0x73, 0xC0, 0x01, 0x00, 0x00, 0x90, 0x00, 0xB1},
     .application = &card_filesystem},
    {.name = "bad-lossy",
     .description = "T=1, every fourth block is lost",
     .atr_length = 12,
     .classes = ALL_CLASSES,
     .flags = CARD_LOSES_BLOCKS,
     .atr = {0x3B, 0x85, 0x81, 0x31, 0x20, 0x45, HISTORICAL_SHORT, 0x7E},
     .application = &card_filesystem},
};

static emu_card_source *others;

void emu_cards_from(emu_card_source *source)
{
    others = source;
}

const struct card_type *card_type_at(size_t index)
{
    return index < sizeof types / sizeof *types ? &types[index] : NULL;
}

const struct card_type *card_type_named(const char *name)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        // No strcmp: the kernel image only has the mem* routines.
        size_t k = 0;
        while (name[k] != '\0' && name[k] == types[i].name[k]) {
            k++;
        }
        if (name[k] == types[i].name[k]) {
            return &types[i];
        }
    }
    return others != NULL ? others(name) : NULL;
}
