#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh LECTERN SOURCE IMAGES USERMODE: lectern run with the shipped drivers, an example and a broken one as drivers of
# somebody else.
set -u
lectern=$1
source=$2
images=$3
usermode=$4
unset LECTERN_CONTROL
failures=0
dir=$(mktemp -d /tmp/lectern.XXXXXX) || exit 1
trap 'rm -rf "$dir"' EXIT
any='USB\Class_0B&SubClass_00&Prot_00'
select='00A4000C023F00'

# run STATUS ARGUMENT...: runs it, checks its exit status; leaves out, err.
run() {
    wanted=$1
    shift
    timeout 60 "$lectern" run "$@" >"$dir/out" 2>"$dir/err"
    status=$?
    if [ "$status" -ne "$wanted" ]; then
        failures=$((failures + 1))
        echo "lectern run $*: exit status $status, not $wanted"
        cat "$dir/out" "$dir/err"
    fi
}

# refused ARGUMENT...: exit status 1, one line on stderr, nothing on stdout.
refused() {
    run 1 "$@"
    if [ -s "$dir/out" ] || [ "$(wc -l <"$dir/err")" -ne 1 ]; then
        failures=$((failures + 1))
        echo "lectern run $*: not one line on stderr alone:"
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

mkdir "$dir/driver"
cp "$images/lectern.sys" "$images/smclib.sys" "$images/drivers/minimal.sys" "$images/drivers/faulty.sys" "$dir/driver"
# shellcheck disable=SC2016 # it is no variable
sed -e 's/\$ARCH\$/amd64/' "$source/packaging/windows/lectern.inx" >"$dir/driver/lectern.inf"
sed -e 's/lectern\.sys/minimal.sys/' -e 's/AddService = lectern/AddService = smallest/' "$dir/driver/lectern.inf" \
    >"$dir/driver/minimal.inf"

# The shipped driver by its INF.
run 0 "$dir/driver/lectern.sys" --inf "$dir/driver/lectern.inf" --hardware-id "$any" --apdu "$select" --apdu 0084000008
said out '^Service: lectern$'
said out '^Device: USB.VID_1D50&PID_CCD2'
said out '^Link: ....SCReader0$'
said out '^Interface: .*#{50dd5230-ba8a-11d1-bf5d-0000f805f530}'
said out '^ATR: 3B'
said out '^90 00$'
run 0 "$dir/driver/lectern.sys" --hardware-id 'USB\VID_072F&PID_90CC' --json --apdu "$select" --in-process
said out '"device":.*VID_072F&PID_90CC'
said out '"replies":.*"90 00"'

# The example, as another service; its interface is there.
run 1 "$dir/driver/minimal.sys" --inf "$dir/driver/minimal.inf" --hardware-id "$any" --json --model ACR122U \
    --apdu "$select" --bus emulated
said err 'STATUS_NO_MEDIA' # the hardware that it imitates has no card at first
said out "\"service\":.*\"smallest\""

# A broken one.
run 0 "$dir/driver/faulty.sys" --hardware-id "$any" --protocol t0 --apdu "$select"
said out '^A4 90 00$'
run 1 "$dir/driver/faulty.sys" --hardware-id "$any" --protocol t0 --apdu 00FA000C023F00
said err '^access violation, write to 0x0 at faulty.sys!HardwareExchange+0x'
said err 'bug check 0x1E'
said err 'STATUS_DEVICE_REMOVED'

# It stays until a signal, and answers.
timeout 60 "$lectern" run "$dir/driver/lectern.sys" --hardware-id "$any" --control "$dir/control" >"$dir/stayed" 2>&1 &
stayed=$!
tries=0
while ! grep -q '^Serving' "$dir/stayed" && [ "$tries" -lt 100 ]; do
    tries=$((tries + 1))
    sleep 0.1
done
"$lectern" list --control "$dir/control" >"$dir/out" 2>&1
said out 'driver lectern, started'
"$lectern" eject --control "$dir/control" >"$dir/out" 2>&1 || said out 'ejected'
kill "$stayed"
wait "$stayed"
status=$?
if [ "$status" -ne 0 ] && [ "$status" -ne 143 ]; then
    failures=$((failures + 1))
    echo "stayed, then exit status $status"
    cat "$dir/stayed"
fi

# Nothing to start.
refused "$dir/nothing.sys" --hardware-id "$any"
refused "$dir/driver" --hardware-id "$any"
refused "$usermode" --hardware-id "$any"
said err 'subsystem'
head -c 3000 "$dir/driver/lectern.sys" >"$dir/driver/short.sys"
refused "$dir/driver/short.sys" --hardware-id "$any"
printf 'MZ' >"$dir/driver/tiny.sys"
refused "$dir/driver/tiny.sys" --hardware-id "$any"
cp "$dir/driver/lectern.sys" "$dir/driver/other.sys"
# The machine field: i386.
offset=$(($(od -An -tu4 -j60 -N4 "$dir/driver/other.sys") + 4))
printf '\114\001' | dd of="$dir/driver/other.sys" bs=1 seek="$offset" conv=notrunc 2>/dev/null
refused "$dir/driver/other.sys" --hardware-id "$any"
said err 'x86-64\|i386\|machine'
refused "$dir/driver/lectern.sys" --hardware-id 'USB\VID_0001&PID_0002' --model Lectern
said err 'does not have the hardware id'
refused "$dir/driver/lectern.sys" --hardware-id "$any" --card no-such-card
refused "$dir/driver/lectern.sys" --hardware-id "$any" --model no-such-model

# INFs that do not fit.
refused "$dir/driver/lectern.sys" --hardware-id "$any" --inf "$dir/nothing.inf"
refused "$dir/driver/lectern.sys" --hardware-id 'USB\VID_0001&PID_0002' --inf "$dir/driver/lectern.inf"
said err 'no hardware id'
refused "$dir/driver/minimal.sys" --hardware-id "$any" --inf "$dir/driver/lectern.inf"
said err 'its driver is lectern.sys, not minimal.sys'
sed -e 's/NTamd64/NTx86/' "$dir/driver/lectern.inf" >"$dir/driver/x86.inf"
refused "$dir/driver/lectern.sys" --hardware-id "$any" --inf "$dir/driver/x86.inf"
said err 'no models for x64'
sed -e '/^\[Lectern.Files\]/a more.dll' "$dir/driver/lectern.inf" >"$dir/driver/more.inf"
refused "$dir/driver/lectern.sys" --hardware-id "$any" --inf "$dir/driver/more.inf"
said err 'it names more.dll, which is not there'
echo 'no section' >"$dir/driver/text.inf"
refused "$dir/driver/lectern.sys" --hardware-id "$any" --inf "$dir/driver/text.inf"
rm "$dir/driver/smclib.sys"
run 1 "$dir/driver/lectern.sys" --hardware-id "$any"
said err '^  smclib.sys!SmartcardInitialize$'

if [ "$failures" -ne 0 ]; then
    echo "$failures failures"
    exit 1
fi
