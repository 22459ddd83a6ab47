#!/bin/sh
# SPDX-License-Identifier: MIT
# deb.sh FOLDER: the two Debian packages in FOLDER, as packaging/debian/package.sh leaves them: lintian, what is in them,
# installed into a root of its own, used there, upgraded, removed and purged without a trace.
set -u
folder=$(cd "$1" && pwd) || exit 1
failures=0
dir=$(mktemp -d /tmp/lectern.XXXXXX) || exit 1
trap 'rm -rf "$dir"' EXIT
root=$dir/root

fail() {
    failures=$((failures + 1))
    echo "deb.sh: $*"
}

# in_root COMMAND...: as root, or as one who takes himself for root.
in_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else fakeroot "$@"; fi
}

root_dpkg() {
    # The tests' dependencies are installed here, not in that root.
    in_root dpkg --root="$root" --force-not-root --force-depends --force-script-chrootless --log=/dev/null \
        "$@" >"$dir/dpkg.log" 2>&1 || {
        fail "dpkg $*:"
        cat "$dir/dpkg.log"
    }
}

files() {
    (cd "$root" && find . -path ./var/lib/dpkg -prune -o -path ./var/log -prune -o \! -type d -print | sort)
}

set -- "$folder"/lectern_*.deb "$folder"/lectern-dev_*.deb
if [ $# -ne 2 ] || ! [ -f "$1" ] || ! [ -f "$2" ]; then
    echo "deb.sh: two packages are expected in $folder"
    exit 1
fi
lintian --allow-root --fail-on error,warning "$@" >"$dir/lintian" 2>&1 || {
    fail 'lintian:'
    cat "$dir/lintian"
}

mkdir -p "$root/var/lib/dpkg/updates" "$root/var/lib/dpkg/info" "$root/usr/lib/pcsc/drivers"
: >"$root/var/lib/dpkg/status"
: >"$root/usr/lib/pcsc/drivers/other"
files >"$dir/before"
root_dpkg --install "$@"
root_dpkg --install "$@" # an upgrade
files >"$dir/installed"

# Nothing serves a reader until it is enabled.
if grep -E '^\./(etc/|usr/lib/pcsc/drivers/.*lectern)' "$dir/installed"; then
    fail 'the above is enabled from the start'
fi
bundle=$root/usr/lib/lectern/ifd-lectern.bundle/Contents
[ -f "$bundle/Linux/libifdlectern.so" ] || fail 'the bundle lacks its handler'
mkdir -p "$dir/shown/drivers"
cp -a "$root/usr/lib/lectern/." "$dir/shown/drivers"
[ -f "$dir/shown/drivers/ifd-lectern.bundle/Contents/Linux/libifdlectern.so" ] ||
    fail 'the bundle lacks its handler where pcscd is shown it'
python3 - "$bundle/Info.plist" "$root/usr/share/lectern/readers.tsv" <<'END' || fail 'Info.plist'
import plistlib, sys
plist = plistlib.load(open(sys.argv[1], "rb"))
rows = [line.split("\t") for line in open(sys.argv[2], encoding="utf-8")][1:]
ids = list(zip(plist["ifdVendorID"], plist["ifdProductID"]))
assert plist["CFBundleExecutable"] == "libifdlectern.so"
assert len(ids) == len(set(ids)) == len(plist["ifdFriendlyName"])
assert set(ids) == {(row[2], row[3]) for row in rows}
assert all(plist["ifdFriendlyName"])
END

[ "$("$root/usr/bin/lectern" apdu --card t0 00A4000C023F00 | tail -n 1)" = '90 00' ] || fail 'lectern apdu'
"$root/usr/bin/lectern" models | grep -q '^ACR122U ' || fail 'lectern models'
for page in lectern.1 lectern-devicename.5 lectern-scenario.5; do
    man -l "$root/usr/share/man/man${page##*.}/$page.gz" >/dev/null 2>"$dir/man" || fail "man $page"
    [ -s "$dir/man" ] && fail "man $page: $(cat "$dir/man")"
done
udevadm verify --help >/dev/null 2>&1 && udevadm verify "$root/usr/lib/udev/rules.d/70-lectern.rules"
PKG_CONFIG_LIBDIR=$root/usr/lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH)/pkgconfig
export PKG_CONFIG_LIBDIR
if grep -rqF "$(cd "$(dirname "$0")/../.." && pwd)" "$root/usr"; then
    fail 'something packaged knows where it was built'
fi
headers=$(pkg-config --cflags-only-I lectern | sed 's/^-I//; s/ *$//')
[ -f "$headers/smclib.h" ] || fail "pkg-config says the headers are in '$headers'"

root_dpkg --remove lectern lectern-dev
root_dpkg --purge lectern lectern-dev
files >"$dir/after"
diff "$dir/before" "$dir/after" || fail 'files are left, or gone'

if [ "$failures" -ne 0 ]; then
    echo "$failures failures"
    exit 1
fi
