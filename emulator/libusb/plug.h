// SPDX-License-Identifier: MIT
// Readers by words: the variable's list, and the control channel's requests beyond rig/control.h's:
//   plug MODEL[:CARD[/CARD...]]                      a reader of readers.tsv, with cards in its slots
//   fault READER KIND [COMMAND SKIP COUNT ARGUMENT]  struct emu_fault; kinds as in emulator.h, in small
//   letters describe READER TYPE OFFSET VALUE                a descriptor's byte is VALUE from now on deny
//   READER   busy READER   kernel READER        libusb_open fails, claiming fails, a kernel driver is bound
//   permit READER                                    none of the three
#pragma once

void plug_list(const char *text); // the bus is locked; what cannot be plugged is named on stderr
const char *plug_word(char *word, unsigned *number); // the same; NULL, or what is wrong
