#!/bin/sh
# SPDX-License-Identifier: MIT
# package.sh [FOLDER]: builds lectern and lectern-dev as Debian packages with Debian's own compiler options, into
# build/package or FOLDER, and says where they are.
set -eu
cd "$(dirname "$0")/../.."
build=${1:-build/package}
export DEB_BUILD_MAINT_OPTIONS=hardening=+bindnow
for variable in CFLAGS LDFLAGS; do
    export "$variable=$(dpkg-buildflags --get "$variable")"
done
CFLAGS="$CFLAGS $(dpkg-buildflags --get CPPFLAGS)"
SOURCE_DATE_EPOCH=$(dpkg-parsechangelog -l packaging/debian/changelog -S Timestamp)
export SOURCE_DATE_EPOCH
cmake --preset package -B "$build" >/dev/null
cmake --build "$build" --target lectern_tool ifdlectern lectern_host packaged
cmake -E chdir "$build" cpack >/dev/null
find "$build" -maxdepth 1 -name 'lectern*.deb'
