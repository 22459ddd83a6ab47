#!/bin/sh
# SPDX-License-Identifier: MIT
# clients.sh SOURCE LIBRARY LECTERN CLIENT: a private pcscd with four emulated readers, and unmodified clients on it.
set -u
source=$1
library=$2
lectern=$3
client=$4
# shellcheck source=pcsc/private-pcscd.sh
. "$source/pcsc/private-pcscd.sh"

dir=$(mktemp -d /tmp/lectern.XXXXXX) || exit 1
finish() {
    status=$?
    trap - EXIT
    pcscd_stop
    if [ "$status" -ne 0 ]; then
        cat "$dir/pcscd.log"
    fi
    rm -rf "$dir"
    exit "$status"
}
trap finish EXIT
trap 'exit 1' INT TERM

fail() {
    echo "clients.sh: $*"
    exit 1
}

# expect PATTERN COMMAND...: its output has a line that matches.
expect() {
    pattern=$1
    shift
    output=$(timeout 30 "$@" 2>&1) || fail "'$*' failed: $output"
    printf '%s\n' "$output" | grep -q -- "$pattern" || fail "'$*' lacks '$pattern': $output"
}

mkdir "$dir/reader.conf.d"
for reader in First:t1 Second:t0 Third:-; do
    cat <<END
FRIENDLYNAME "${reader%:*}"
DEVICENAME "emulated:card=${reader#*:}"
LIBPATH $library
END
done >"$dir/reader.conf.d/lectern"
cat >>"$dir/reader.conf.d/lectern" <<END
FRIENDLYNAME "Fourth"
DEVICENAME "emulated:model=SpringCard_H512_Series:card=t0/t1"
LIBPATH $library
END
pcscd_start "$dir" || fail "$pcscd_error"

expect 'First 00 00' opensc-tool --list-readers
expect 'Third 02 00' opensc-tool --list-readers
expect 'Fourth 03 01' opensc-tool --list-readers
expect '^3b:' opensc-tool --reader 0 --atr
expect 'SW1=0x90, SW2=0x00' opensc-tool --reader 1 --send-apdu 00A4000C023F00
expect '^3b:85:' opensc-tool --reader 4 --atr
expect 'slot 1: t1' "$lectern" list
expect 'DispatchDeviceControl' "$lectern" report

timeout 120 "$client" || fail 'the client program failed'

# The client unplugged the second reader; the daemon must end in order, and with it the driver's kernel.
pcscd_stop || fail "pcscd ended with status $?"
