#!/bin/sh
# SPDX-License-Identifier: MIT
# vpcd.sh SOURCE LIBRARY LECTERN: a card that connects by vpcd's protocol, in an emulated reader.
set -u
lectern=$3
# shellcheck source=tests/clients/serve.sh
. "$1/tests/clients/serve.sh"
port=$((20000 + $$ % 10000))

"$1/tests/clients/vpcdcard.py" "$port" &
helper=$!
serve "$1" "$2" "vpcd@$port"
expect '^3b:' opensc-tool --atr
expect 'SW1=0x90, SW2=0x00' opensc-tool --card-driver default --send-apdu 00A40000023F00
expect 'SW1=0x90, SW2=0x00' opensc-tool --card-driver default --send-apdu 0084000008
printf '%s\n' "$output" | grep -q '^00 01 02 03 04 05 06 07' || fail "a challenge: $output"
expect 'SW1=0x6D, SW2=0x00' opensc-tool --card-driver default --send-apdu 00FE000000
# Longer than the card may be silent: the emulated card asks for more time meanwhile.
expect 'SW1=0x90, SW2=0x00' opensc-tool --card-driver default --send-apdu 00100300
"$lectern" eject || fail 'it cannot be taken out'
expect 'No  *Reader' opensc-tool --list-readers
"$lectern" insert "vpcd@$port" || fail 'it cannot be put in again'
expect 'SW1=0x90, SW2=0x00' opensc-tool --card-driver default --send-apdu 00A40000023F00
expect 'SW1=0x6F, SW2=0x00' opensc-tool --card-driver default --send-apdu 00FF0000 # it goes away
pcscd_stop || fail "pcscd ended with status $?"

# Without a card, or with the port taken, that is what is said.
output=$(timeout 30 "$lectern" apdu --card vpcd:0 00A40000023F00 2>&1) && fail 'port 0'
printf '%s\n' "$output" | grep -q 'vpcd:PORT' || fail "port 0: $output"
output=$(timeout 30 "$lectern" apdu --card "vpcd:$port" 00A40000023F00 2>&1) && fail 'a card out of nowhere'
printf '%s\n' "$output" | grep -q "no card has come to port $port" || fail "no card: $output"
