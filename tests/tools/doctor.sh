#!/bin/sh
# SPDX-License-Identifier: MIT
# doctor.sh LECTERN SOURCE: what lectern doctor finds below a made-up root, one trouble after the other.
set -u
lectern=$1
source=$2
failures=0
dir=$(mktemp -d /tmp/lectern.XXXXXX) || exit 1
trap 'rm -rf "$dir"' EXIT
chmod 755 "$dir"
root=$dir/root
sys=$root/sys/bus/usb/devices
node=$root/dev/bus/usb/001/004

# A desk on which all is well: a GemPC Twin, libccid, pcscd.
desk() {
    rm -rf "$root"
    mkdir -p "$sys/1-2" "$sys/1-2:1.0" "$sys/usb1" "$(dirname "$node")" "$root/usr/sbin" "$root/run/pcscd" \
        "$root/proc/77/fd" "$root/proc/self/fd" "$root/var/lib/dpkg" "$root/lib/udev/rules.d" \
        "$root/usr/lib/pcsc/drivers/ifd-ccid.bundle/Contents" "$root/usr/lib/lectern/ifd-lectern.bundle/Contents"
    echo 08e6 >"$sys/1-2/idVendor"
    echo 3437 >"$sys/1-2/idProduct"
    echo 1 >"$sys/1-2/busnum"
    echo 4 >"$sys/1-2/devnum"
    echo 'USB SmartCard Reader' >"$sys/1-2/product"
    echo 0b >"$sys/1-2:1.0/bInterfaceClass"
    touch "$node" "$root/usr/sbin/pcscd" "$root/run/pcscd/pcscd.comm" "$root/lib/udev/rules.d/70-lectern.rules"
    chmod 666 "$node"
    echo pcscd >"$root/proc/77/comm"
    printf 'Package: other\nVersion: 0.1\n\nPackage: pcscd\nStatus: install ok installed\nVersion: 1.9.9-2\n' \
        >"$root/var/lib/dpkg/status"
    awk -v version=1 -f "$source/packaging/debian/plist.awk" "$source/data/readers.tsv" \
        >"$root/usr/lib/lectern/ifd-lectern.bundle/Contents/Info.plist"
    cp "$root/usr/lib/lectern/ifd-lectern.bundle/Contents/Info.plist" \
        "$root/usr/lib/pcsc/drivers/ifd-ccid.bundle/Contents/Info.plist"
}

# finds STATUS PATTERN...: of the last desk.
finds() {
    wanted=$1
    shift
    "$lectern" doctor --root "$root" >"$dir/out" 2>"$dir/err"
    status=$?
    if [ "$status" -ne "$wanted" ] || [ -s "$dir/err" ]; then
        failures=$((failures + 1))
        echo "doctor.sh: exit status $status, not $wanted:"
        cat "$dir/out" "$dir/err"
    fi
    for pattern in "$@"; do
        if ! grep -q -e "$pattern" "$dir/out"; then
            failures=$((failures + 1))
            echo "doctor.sh: lacks '$pattern':"
            cat "$dir/out"
        fi
    done
}

desk
finds 0 '^ok      usb: 08e6:3437 USB SmartCard Reader is a known reader$' '^ok      driver: .*no kernel driver' \
    '^ok      node: .*/001/004 may be opened' '^note    handler: .* ifd-ccid.bundle, not by Lectern' \
    'cure: to let Lectern serve it: install -D' '^ok      pcscd: pcscd 1.9.9-2' '^ok      service:'

rm -r "$sys/1-2:1.0"
finds 1 '^problem usb: no smart card reader on USB' 'cure: plug one in'

desk
mkdir -p "$root/sys/bus/usb/drivers/cdc_acm"
ln -s ../../../../bus/usb/drivers/cdc_acm "$sys/1-2:1.0/driver"
finds 1 "^problem driver: .*driver cdc_acm is bound" 'cure: echo 1-2:1.0 > /sys/bus/usb/drivers/cdc_acm/unbind'
ln -sfn ../../../../bus/usb/drivers/usbfs "$sys/1-2:1.0/driver"
ln -s /dev/bus/usb/001/004 "$root/proc/77/fd/9"
finds 0 '^ok      driver: .*a program uses it' '^ok      holder: .*pcscd serves it'
echo gpg-agent >"$root/proc/77/comm"
finds 1 '^problem holder: .*process 77 (gpg-agent) holds it' 'cure: end process 77'

desk
rm "$node"
finds 1 '^problem node: .*001/004 is not there'

# Old readers have the vendor's class; others of that class are no readers.
desk
echo ff >"$sys/1-2:1.0/bInterfaceClass"
echo 1d6b >"$sys/1-2/idVendor"
finds 1 'no smart card reader'
known=$(awk -F '\t' '$7 == "0xFF" { print substr($3, 3), substr($4, 3); exit }' "$source/data/readers.tsv")
echo "${known% *}" >"$sys/1-2/idVendor"
echo "${known#* }" >"$sys/1-2/idProduct"
finds 0 'is a known reader'

# Which handler pcscd takes.
desk
rm -r "$root/usr/lib/pcsc/drivers/ifd-ccid.bundle"
finds 1 '^problem handler: .*that of Lectern is not enabled' 'cure: install -D .*daemon-reload'
mkdir -p "$root/etc/systemd/system/pcscd.service.d"
cp "$source/packaging/debian/pcscd-lectern.conf" "$root/etc/systemd/system/pcscd.service.d/"
finds 0 '^ok      handler: .*by Lectern$'
echo ffff >"$sys/1-2/idProduct"
finds 1 '08e6:ffff USB SmartCard Reader is a CCID reader' '^problem handler: .*Info.plist does not have this reader'
rm -r "${root:?}/usr/lib/lectern" "${root:?}/etc"
finds 1 '^problem handler: .*no handler of pcscd has it' 'cure: install libccid'

desk
rm "$root/run/pcscd/pcscd.comm"
finds 1 '^problem service: .*socket is not activated' 'cure: systemctl enable --now pcscd.socket'
sed -i 's/1.9.9-2/1.8.26-3/' "$root/var/lib/dpkg/status"
finds 1 '^problem pcscd: pcscd 1.8.26-3 is older'
rm "$root/usr/sbin/pcscd"
finds 1 '^problem pcscd: pcscd is not installed'

# Rights: root has all of them, so somebody else looks.
desk
chmod 600 "$node"
if [ "$(id -u)" -eq 0 ]; then
    cp "$lectern" "$dir/lectern" && chmod 755 "$dir/lectern"
    mkdir -p "$dir/share/lectern"
    cp "$source/data/readers.tsv" "$dir/readers.tsv"
    cat >"$dir/as-nobody" <<END
#!/bin/sh
exec setpriv --reuid 65534 --regid 65534 --clear-groups "$dir/lectern" "\$@"
END
    chmod 755 "$dir/as-nobody"
    lectern=$dir/as-nobody
else
    chmod 0 "$node"
fi
finds 0 '^note    node: .*you may not open .*although the udev rule is there'
rm "$root/lib/udev/rules.d/70-lectern.rules"
finds 1 '^problem node: .*the udev rule is missing' 'cure: install 70-lectern.rules'

"$lectern" doctor --root "$root" --json >"$dir/out"
python3 - "$dir/out" <<'END' || failures=$((failures + 1))
import json, sys
report = json.load(open(sys.argv[1]))
assert report["ok"] is False and set(report) == {"ok", "checks"}
for check in report["checks"]:
    assert set(check) == {"check", "result", "text", "cure"}, check
    assert check["result"] in ("ok", "note", "problem"), check
    assert check["result"] != "problem" or check["cure"], check
END

# Nonsense in every file is no crash.
desk
for file in "$sys/1-2/idVendor" "$sys/1-2/busnum" "$sys/1-2:1.0/bInterfaceClass" "$root/var/lib/dpkg/status" \
    "$root/usr/lib/pcsc/drivers/ifd-ccid.bundle/Contents/Info.plist"; do
    head -c 3000 /dev/urandom >"$file"
    "$lectern" doctor --root "$root" >/dev/null 2>"$dir/err"
    status=$?
    if [ "$status" -gt 1 ] || [ -s "$dir/err" ]; then
        failures=$((failures + 1))
        echo "doctor.sh: nonsense in $file: exit status $status, $(cat "$dir/err")"
    fi
done
"$lectern" doctor --root "$dir/none" >/dev/null 2>"$dir/err" && failures=$((failures + 1))
grep -q 'no such folder' "$dir/err" || failures=$((failures + 1))

if [ "$failures" -ne 0 ]; then
    echo "$failures failures"
    exit 1
fi
