#!/bin/sh
# SPDX-License-Identifier: MIT
# gdb.sh DOCUMENT PROGRAM: gives gdb the commands that the document shows, and looks for what it says they print.
set -eu
document=$1 program=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The indented block behind each "<!-- gdb -->".
awk '/^<!-- gdb -->$/ {block = 1; next} block && /^    / {print substr($0, 5); next} block && NF {block = 0}' \
    "$document" > "$work/commands"
[ -s "$work/commands" ] || { echo "$document shows no gdb commands"; exit 1; }
LC_ALL=C gdb -batch -nx -ex 'set debuginfod enabled off' -ex 'set pagination off' -x "$work/commands" "$program" \
    > "$work/output" 2>&1 || { cat "$work/output"; exit 1; }

status=0
for text in 'MinimalDriverEntry (DriverObject=0x' 'IopCallDriverEntry' 'AddDevice = 0x' 'DispatchControl (' \
    'IoControlCode = 0x310004' ' = 14 ' 'SmartcardDeviceControl(&reader' 'CardPower' 'ATR 3B'; do
    grep -qF "$text" "$work/output" || { echo "gdb did not print: $text"; status=1; }
done
[ "$status" -eq 0 ] || cat "$work/output"
exit "$status"
