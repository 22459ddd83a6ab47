#!/bin/sh
# SPDX-License-Identifier: MIT
# lint.sh format|tidy|cppcheck|shell: one static check over the tracked sources; tidy and cppcheck read the compile
# commands of build/asan.
set -eu
cd "$(dirname "$0")/.."
jobs=$(nproc)
sources() {
    git ls-files '*.c' '*.h' | grep -v '^fuzz/corpus/'
}

case "${1:-}" in
format)
    sources | xargs clang-format-14 --dry-run --Werror
    ;;
tidy)
    git ls-files '*.c' | while read -r file; do
        if grep -qF "/$file\"" build/asan/compile_commands.json; then echo "$file"; fi
    done | xargs -P "$jobs" -n 8 clang-tidy-14 -p build/asan --quiet
    ;;
cppcheck)
    # Conditions on the compiler are taken as the native build has them; the DDK itself is not analysed.
    cppcheck --project=build/asan/compile_commands.json -j "$jobs" --quiet --error-exitcode=1 --inline-suppr \
        --std=c11 --enable=warning,portability --library=tests/cppcheck.cfg --suppressions-list=tests/cppcheck.txt
    ;;
shell)
    git ls-files '*.sh' .ci/run | xargs shellcheck
    ;;
*)
    echo "usage: $0 format|tidy|cppcheck|shell" >&2
    exit 2
    ;;
esac
