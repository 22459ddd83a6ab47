#!/bin/sh
# SPDX-License-Identifier: MIT
# trace.sh LECTERN: what tshark makes of a trace; no PIN in it at any exchange level; a full disk.
set -u
lectern=$1
unset LECTERN_CONTROL
failures=0
dir=$(mktemp -d /tmp/lectern.XXXXXX) || exit 1
trap 'rm -rf "$dir"' EXIT

fail() {
    failures=$((failures + 1))
    echo "trace.sh: $*"
}

shows() { # PATTERN FILE
    grep -q -e "$1" "$2" || {
        fail "lacks '$1':"
        cat "$2"
    }
}

trace=$dir/trace.pcapng
"$lectern" trace --output "$trace" --ioctls apdu --card t1 00A4000C023F00 >"$dir/out" || fail 'lectern trace apdu'
shows '^90 00$' "$dir/out"
[ "$(stat -c %a "$trace")" = 600 ] || fail 'others may read the trace'
tshark -r "$trace" >"$dir/packets" 2>"$dir/err" || fail "tshark: $(cat "$dir/err")"
for pattern in 'GET DESCRIPTOR Response DEVICE' 'GET DESCRIPTOR Response CONFIGURATION' 'SET CONFIGURATION Request' \
    'PC to Reader: ICC Power On' 'Reader to PC: Data Block' 'PC to Reader: Transfer Block' 'URB_INTERRUPT in'; do
    shows "$pattern" "$dir/packets"
done
if grep -qi malformed "$dir/packets"; then
    fail 'Wireshark finds packets malformed'
fi
tshark -r "$trace" -Y 'usbccid.bMessageType == 0x6f' -T fields -e usbccid.dwLength >"$dir/lengths" 2>/dev/null
shows '^7$' "$dir/lengths"
tshark -r "$trace" -V -Y data-text-lines >"$dir/text" 2>/dev/null
shows 'IOCTL_SMARTCARD_TRANSMIT, .*00 A4 00 0C 02 3F 00' "$dir/text"
shows 'IOCTL_SMARTCARD_POWER ends with status 0x00000000, .*: 3B ' "$dir/text"
# Every transfer that ended was submitted, under the same number.
for kind in 43 53; do
    tshark -r "$trace" -Y "usb.urb_type == 0x$kind" -T fields -e usb.urb_id 2>/dev/null | sort -u >"$dir/$kind"
done
[ -z "$(comm -23 "$dir/43" "$dir/53")" ] || fail 'a transfer ended that was never submitted'

# Levels: extended APDU, T=1 and T=0 by TPDU. The PIN's bytes are in no other command.
for reader in 'Lectern t1' 'ACR38U-CCID t0' 'ACR38U-CCID t1' 'ACR38U-CCID t1-ifs'; do
    model=${reader% *} card=${reader#* }
    "$lectern" trace --output "$trace" --ioctls apdu --model "$model" --card "$card" 00A4000C023F00 \
        0020000118A1B2C3D4E5F6A7B8C9D0E1F2A3B4C5D6E7F8A9B0C1D2E3F4 >/dev/null || fail "$reader"
    if tshark -r "$trace" -x 2>/dev/null | cut -c 7-53 | tr -d ' \n' | grep -qi 'e5f6\|c1d2\|e3f4'; then
        fail "$reader: the PIN is in the trace"
    fi
    if tshark -r "$trace" -V -Y data-text-lines 2>/dev/null | grep -q 'E5 F6'; then
        fail "$reader: the PIN is in the text"
    fi
    # The last one sends it in a chain of blocks, of whose first only the instruction is shown.
    case $card in t1-ifs) command=0020 ;; *) command=0020000118 ;; esac
    tshark -r "$trace" -x 2>/dev/null | cut -c 7-53 | tr -d ' \n' | grep -q "$command" || fail "$reader: no VERIFY"
done

# Commands in other processes append to the same file.
printf 'plug Lectern card=t1\nopen\npower cold\nunplug\n' >"$dir/a.scn"
"$lectern" trace --output "$trace" scenario "$dir/a.scn" >/dev/null || fail 'lectern trace scenario'
tshark -r "$trace" 2>/dev/null | grep -q 'ICC Power On' || fail 'a scenario leaves no trace'

# refused STATUS PATTERN ARGUMENT...: one line on stderr.
refused() {
    wanted=$1 pattern=$2
    shift 2
    "$lectern" trace "$@" >/dev/null 2>"$dir/err"
    status=$?
    [ "$status" -eq "$wanted" ] || fail "lectern trace $*: exit status $status, not $wanted"
    [ "$(wc -l <"$dir/err")" -eq 1 ] || fail "lectern trace $*: not one line on stderr"
    shows "$pattern" "$dir/err"
}
refused 1 '/dev/full: No space left on device' --output /dev/full apdu 00A4000C023F00
refused 1 'No such file or directory' --output "$dir/none/x" apdu 00A4000C023F00
refused 2 '--output FILE is missing' apdu 00A4000C023F00
refused 2 'no command given' --output "$trace"
refused 2 "'nonsense' cannot be traced" --output "$trace" nonsense
refused 2 "'trace' cannot be traced" --output "$trace" trace

# The disk fills up on the way.
(
    ulimit -f 2 # blocks of 512 bytes
    trap '' XFSZ
    exec "$lectern" trace --output "$trace" apdu 00A4000C023F00
) >/dev/null 2>"$dir/err" && fail 'a trace that was cut short counts as whole'
[ "$(wc -l <"$dir/err")" -eq 1 ] || fail 'a disk that fills up: not one line'
shows 'the trace is incomplete' "$dir/err"
tshark -r "$trace" >/dev/null 2>&1

if [ "$failures" -ne 0 ]; then
    echo "$failures failures"
    exit 1
fi
