#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds both sets of images and the zip of the Windows package from them; says where it is.
set -eu
cd "$(dirname "$0")/../.."
for preset in windows-x64 windows-x86; do
    cmake --preset "$preset" >/dev/null
    cmake --build --preset "$preset" --target lectern_sys smclib_sys >/dev/null
done
python3 packaging/windows/package.py --x64 build/windows-x64 --x86 build/windows-x86 --output build
