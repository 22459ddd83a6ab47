#!/bin/sh
# SPDX-License-Identifier: MIT
# run_needs.sh SOURCE: the tree configures as run.sh does it with no more programs than the packages marked "run" bring.
set -eu
source=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/bin"
for program in cmake ninja gcc cc as ld ar ranlib strip nm objcopy objdump readelf addr2line pkg-config sh; do
    ln -s "$(command -v "$program")" "$dir/bin/$program"
done
if ! PATH=$dir/bin "$dir/bin/cmake" -S "$source" --preset native -B "$dir/build" -DLECTERN_TESTS=OFF \
    -DCMAKE_FIND_USE_CMAKE_SYSTEM_PATH=OFF -DPython3_EXECUTABLE=/nonexistent >"$dir/log" 2>&1; then
    cat "$dir/log"
    exit 1
fi
