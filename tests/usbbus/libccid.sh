#!/bin/sh
# SPDX-License-Identifier: MIT
# libccid.sh SOURCE FOLDER LECTERN [HANDLER]: Debian's unmodified pcscd and libccid, or HANDLER, on an emulated reader,
# through the libusb-1.0.so.0 in FOLDER.
set -u
source=$1
folder=$2
lectern=$3
# shellcheck source=pcsc/private-pcscd.sh
. "$source/pcsc/private-pcscd.sh"

bundle=/usr/lib/pcsc/drivers/ifd-ccid.bundle
if ! [ -d "$bundle" ]; then
    echo 'libccid.sh: libccid is not installed'
    exit 77
fi
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

# expect PATTERN COMMAND...: its output has a line that matches.
expect() {
    pattern=$1
    shift
    tries=0 # pcscd learns of a card by asking now and then
    while [ "$tries" -lt 20 ]; do
        output=$(timeout 30 "$@" 2>&1)
        printf '%s\n' "$output" | grep -q -- "$pattern" && return
        tries=$((tries + 1))
        sleep 0.2
    done
    echo "libccid.sh: '$*' lacks '$pattern': $output"
    exit 1
}

mkdir -p "$dir/reader.conf.d" "$dir/drivers"
cp -R "$bundle" "$dir/drivers/" || exit 1
cat >"$dir/reader.conf.d/libccid" <<END
FRIENDLYNAME "Reader"
DEVICENAME usb:08e6/3437:libusb-1.0:1:1:0
LIBPATH ${4:-$bundle/Contents/Linux/libccid.so}
END
LECTERN_USB=GemPCTwin:t1
LECTERN_USB_CONTROL=$dir/usb
LD_LIBRARY_PATH=$folder
export LECTERN_USB LECTERN_USB_CONTROL LD_LIBRARY_PATH
pcscd_start "$dir" || {
    echo "libccid.sh: $pcscd_error"
    exit 1
}
unset LD_LIBRARY_PATH

expect '^3b:85:' opensc-tool --atr
expect 'SW1=0x90, SW2=0x00' opensc-tool --send-apdu 00A4000C023F00
expect 'claimed' "$lectern" list --control "$dir/usb"
"$lectern" eject --control "$dir/usb" || exit 1
expect '^0  *No ' opensc-tool --list-readers
"$lectern" insert --control "$dir/usb" t0 || exit 1
expect '^3b:' opensc-tool --atr
pcscd_stop
