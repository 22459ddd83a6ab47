#!/bin/sh
# SPDX-License-Identifier: MIT
# images.sh SOURCE LIBRARY LECTERN IMAGES: pcscd serves the shipped images in a process of their own; then a driver that
# breaks, after which pcscd lives and the reader comes back.
set -u
source=$1
library=$2
lectern=$3
images=$4
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
    echo "images.sh: $*"
    exit 1
}

# expect PATTERN COMMAND...: its output has a line that matches.
expect() {
    pattern=$1
    shift
    output=$(timeout 30 "$@" 2>&1) || fail "'$*' failed: $output"
    printf '%s\n' "$output" | grep -q -- "$pattern" || fail "'$*' lacks '$pattern': $output"
}

# serve DRIVER: two readers of it.
serve() {
    mkdir -p "$dir/reader.conf.d"
    for reader in First:t1 Second:t0; do
        cat <<END
FRIENDLYNAME "${reader%:*}"
DEVICENAME "emulated:card=${reader#*:}:driver=$1"
LIBPATH $library
END
    done >"$dir/reader.conf.d/lectern"
    pcscd_start "$dir" || fail "$pcscd_error"
}

# The child of pcscd that the driver runs in, "" when there is none.
host_process() {
    for process in $(ps -e -o pid= -o comm= | sed -n 's/^ *\([0-9]*\) lectern-host$/\1/p'); do
        if [ "$(ps -o ppid= -p "$process" | tr -d ' ')" = "$pcscd_pid" ]; then
            echo "$process"
        fi
    done
}

serve "$images"
expect '^3b:' opensc-tool --reader 0 --atr
expect 'SW1=0x90, SW2=0x00' opensc-tool --reader 1 --send-apdu 00A4000C023F00
expect 'slot 0: t1' "$lectern" list
expect 'DispatchDeviceControl' "$lectern" report
host=$(host_process)
[ -n "$host" ] || fail 'no process of its own'
if [ "$(id -u)" -eq 0 ]; then
    grep -q '^Uid:.*65534.*65534' "/proc/$host/status" || fail "runs as $(grep Uid "/proc/$host/status")"
fi
grep -q '^Seccomp:.*2' "/proc/$host/status" || fail 'no filter of system calls'
grep -q '^CapEff:.*0000000000000000' "/proc/$host/status" || fail 'it has capabilities'
pcscd_stop || fail "pcscd ended with status $?"
tries=0
while grep -qs '^State:[[:space:]]*[^Z]' "/proc/$host/status"; do # a zombie is its new parent's affair
    tries=$((tries + 1))
    [ "$tries" -lt 50 ] || fail 'the process outlives pcscd'
    sleep 0.1
done

serve "$images/drivers/faulty.sys"
expect '^3b:80:80:01:01' opensc-tool --reader 0 --atr
# OpenSC then waits for the reader that it has lost.
timeout 5 opensc-tool --reader 0 --card-driver default --send-apdu 00FA000001 >"$dir/out" 2>&1 &&
    grep -q 'SW1=0x90' "$dir/out" && fail "the mistake went unnoticed: $(cat "$dir/out")"
sleep 1
kill -0 "$pcscd_pid" || fail 'pcscd died with its driver'
grep -q 'access violation, write to 0x0 at faulty.sys!HardwareExchange+0x' "$dir/pcscd.log" || fail 'no report'
[ -z "$(host_process)" ] || fail 'the broken process is still there'
pcscd_stop || fail "pcscd ended with status $?"

serve "$images/drivers/faulty.sys"
expect '^3b:80:80:01:01' opensc-tool --reader 1 --atr
pcscd_stop || fail "pcscd ended with status $?"
