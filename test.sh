#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs what is missing, builds (native, asan, windows-x64, windows-x86), runs every test and check.
# The last line reads "N passed, N failed"; the exit status is 1 when anything failed.
set -u
cd "$(dirname "$0")" || exit 1
logs=build/test-logs
mkdir -p "$logs"
passed=0
failed=0

note() {
    printf '%s\n' "$*"
}

# check NAME COMMAND...: one check that is not a ctest test; its output is shown only when it fails.
check() {
    name=$1
    shift
    log=$logs/$(printf '%s' "$name" | tr ' /' '--').log
    start=$(date +%s)
    if "$@" >"$log" 2>&1; then
        passed=$((passed + 1))
        note "ok      $name ($(($(date +%s) - start)) s)"
        return 0
    fi
    failed=$((failed + 1))
    note "FAILED  $name: last lines of $log:"
    tail -n 40 "$log"
    return 1
}

configure_and_build() {
    cmake --preset "$1" && cmake --build --preset "$1"
}

# suite PRESET: its tests, counted one by one.
suite() {
    log=$logs/ctest-$1.log
    ctest --preset "$1" -j "$(nproc)" >"$log" 2>&1
    ran=$(sed -n 's/.* tests failed out of \([0-9]*\)$/\1/p' "$log" | tail -n 1)
    bad=$(sed -n 's/.*tests passed, \([0-9]*\) tests failed out of [0-9]*$/\1/p' "$log" | tail -n 1)
    if [ -z "$ran" ] || [ "$ran" -eq 0 ]; then
        failed=$((failed + 1))
        note "FAILED  tests ($1): none ran, see $log"
        return
    fi
    # ctest counts a skipped test as passed; here it is a failure, since nothing here may be skipped.
    skipped=$(grep -c '\*\*\*Skipped' "$log")
    bad=$((bad + skipped))
    passed=$((passed + ran - bad))
    failed=$((failed + bad))
    if [ "$bad" -eq 0 ]; then
        note "ok      tests ($1): $ran"
    else
        note "FAILED  tests ($1): $bad of $ran:"
        grep -E '\*\*\*(Failed|Timeout|Exception|Not Run|Skipped)' "$log"
        sed -n '/The following tests FAILED/,$p' "$log"
        tail -n 100 "$log"
    fi
}

# wine BUILD: the scenarios on another kernel, counted one by one; what that kernel cannot do is listed and not counted.
wine() {
    log=$logs/wine.log
    tests/wine/suite.sh "$1" >"$log" 2>&1
    ran=$(sed -n 's/^\([0-9]*\) passed, [0-9]* failed, [0-9]* skipped$/\1/p' "$log")
    bad=$(sed -n 's/^[0-9]* passed, \([0-9]*\) failed, [0-9]* skipped$/\1/p' "$log")
    passed=$((passed + ${ran:-0}))
    failed=$((failed + ${bad:-1}))
    if [ "${bad:-1}" -eq 0 ]; then
        note "ok      tests (wine): $ran"
        grep '^skipped' "$log"
    else
        note "FAILED  tests (wine): last lines of $log:"
        tail -n 100 "$log"
    fi
}

if ! packaging/install-packages.sh; then
    note "test.sh: the packages above could not be installed"
    note "$passed passed, $((failed + 1)) failed"
    exit 1
fi

# The images first: the native suites run them beside the native build.
for preset in windows-x64 windows-x86 native asan; do
    if check "build $preset" configure_and_build "$preset"; then
        suite "$preset"
    fi
done
wine build/windows-x64
check "windows package" packaging/windows/package.sh
check "debian package" packaging/debian/package.sh &&
    check "debian package, installed and purged" tests/packaging/deb.sh build/package
for lint in format shell cppcheck tidy; do
    check "lint $lint" tests/lint.sh "$lint"
done

note "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
