#!/bin/sh
# SPDX-License-Identifier: MIT
# commands.sh LECTERN: exit statuses and output of every command.
set -u
lectern=$1
unset LECTERN_CONTROL
failures=0
dir=$(mktemp -d /tmp/lectern.XXXXXX) || exit 1
trap 'rm -rf "$dir"' EXIT

# run STATUS ARGUMENT...: runs the tool, checks its exit status; leaves out, err.
run() {
    wanted=$1
    shift
    timeout 60 "$lectern" "$@" >"$dir/out" 2>"$dir/err"
    status=$?
    if [ "$status" -ne "$wanted" ]; then
        failures=$((failures + 1))
        echo "lectern $*: exit status $status, not $wanted"
        cat "$dir/out" "$dir/err"
    fi
}

# refused STATUS ARGUMENT...: exactly one line on stderr, nothing on stdout.
refused() {
    run "$@"
    if [ -s "$dir/out" ] || [ "$(wc -l <"$dir/err")" -ne 1 ]; then
        failures=$((failures + 1))
        shift
        echo "lectern $*: not one line on stderr alone:"
        cat "$dir/out" "$dir/err"
    fi
}

# said FILE PATTERN: the last run wrote a line that matches.
said() {
    if ! grep -q -e "$2" "$dir/$1"; then
        failures=$((failures + 1))
        echo "lacks '$2':"
        cat "$dir/$1"
    fi
}

for command in apdu list cards models atr insert eject unplug report scenario sweep run trace doctor; do
    run 0 "$command" --help
    said out "^usage: lectern $command"
    refused 2 "$command" --nonsense
    run 0 --help
    said out "^  $command "
done
run 0 --version
said out '^lectern [0-9]'
refused 2
refused 2 nonsense

refused 2 apdu
refused 2 apdu ZZ
refused 2 apdu 00A40
refused 2 apdu 00A4
refused 2 apdu --card
refused 2 apdu --protocol t7 00A40000
refused 1 apdu --card no-such-card 00A40000
said err 'lectern cards'
refused 1 apdu --model no-such-model 00A40000
said err 'lectern models'
refused 1 apdu --models "$dir/nothing" --model ACR122U 00A40000
refused 1 apdu --driver lectern.sys 00A40000
said err 'lectern.sys'

for card in t0 t1; do
    run 0 apdu --card "$card" '00 A4 00 0C 02 3F 00' 00:a4:02:0c:02:2f:00
    said out '^ATR: 3B '
    said out '^90 00$'
    [ "$(grep -c '^90 00$' "$dir/out")" -eq 2 ] || said out 'two replies of 90 00'
done
said out '^Protocol: T=1$'
run 0 apdu --driver native --json 00A4000C023F00
said out '"replies":.*"90 00"'
said out '"protocol":.*"T=1"'
run 1 apdu --card t0 --protocol t1 00A4000C023F00
said err STATUS_NOT_SUPPORTED
run 0 list --card t1
said out 'driver lectern, started'
said out 'slot 0: t1'
run 0 list --json
said out '"driver":.*"lectern"'
run 0 cards
said out '^t1 '
run 0 cards --json
run 0 models
said out '^Lectern .*extended APDU'
said out '^ACR122U '
run 0 models --json
refused 1 models --models "$dir/nothing"
refused 2 models more

run 0 atr 3B80800101
said out '^Protocols: T=0 and T=1, negotiable mode$'
run 0 atr --json 3B 65 00 00 20 63 CB 68 00
said out '"historical":.*"20 63 CB 68 00"'
said out '"atr":.*"3B 65 00 00 20 63 CB 68 00"'
said out '"selected":.*"T=0"'
said out '"convention":.*"direct"'
run 0 atr --json 3F 05 DC 20 FC 00 01
said out '"convention":.*"inverse"'
run 0 atr --json 03 5F C4 FB C0 FF 7F # as a UART of the direct convention sees it
said out '"convention":.*"inverse"'
run 0 atr --json 3B 95 18 80 31 FE 55 80 73 FC 21 00 B9
for key in atr convention protocols selected mode 'fi' di f d dDivisor n ii p wi ifsc cwi bwi edc etuMicroseconds \
    guardMicroseconds wtMicroseconds cwtMicroseconds bwtMicroseconds bgtMicroseconds pts type fl dl clockKHz \
    dataRate stopBits historical; do
    said out "\"$key\":"
done
said out '"selected":.*null'
refused 1 atr 3B80800100
said err 'STATUS_UNRECOGNIZED_MEDIA'
refused 2 atr
refused 2 atr 3
refused 2 atr 3B000000000000000000000000000000000000000000000000000000000000000000000000

refused 2 scenario
refused 1 scenario "$dir/nothing"
refused 2 sweep more
refused 2 run
refused 2 run a.sys
refused 2 run a.sys b.sys --hardware-id x
refused 2 run a.sys --hardware-id x --bus pci
refused 2 sweep --seed soon
refused 1 sweep --model no-such-model
refused 1 sweep --models "$dir/nothing"
run 0 sweep --model Lectern
said out '^1 models, 1 ok, 0 failed$'
run 0 sweep --model ACR122U --json
said out '"ok":.*true'
run 0 sweep --show --model ACR122U
said out '^plug ACR122U$'
timeout 60 "$lectern" sweep --show --model ACR122U >"$dir/acr.scn" && run 0 scenario "$dir/acr.scn"
head -1 "$(dirname "$0")/../../data/readers.tsv" >"$dir/broken.tsv"
echo nonsense >>"$dir/broken.tsv"
refused 1 sweep --models "$dir/broken.tsv"
said err 'broken.tsv:2'

refused 2 insert t1
refused 2 insert --control "$dir/socket"
refused 1 insert --control "$dir/socket" t1
said err 'run.sh --keep'
refused 2 eject
refused 1 eject --control "$dir/socket"
refused 2 unplug
refused 1 unplug --control "$dir/socket"
refused 2 report
refused 1 report --control "$dir/socket"
refused 1 list --control "$dir/socket"

if [ "$failures" -ne 0 ]; then
    echo "$failures failures"
    exit 1
fi
