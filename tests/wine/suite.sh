#!/bin/sh
# SPDX-License-Identifier: MIT
# suite.sh BUILD: installs the drivers of a windows-x64 build by their INF files into a fresh Wine prefix and runs
# tests/scenarios there. What Wine's kernel cannot do is listed as skipped, with the reason, and counts as nothing else.
# The last line reads "N passed, N failed, N skipped"; the exit status is 1 when anything failed.
# shellcheck disable=SC2317 # functions are called by step and trap
set -u
build=$(cd "${1:?usage: suite.sh BUILD}" && pwd) || exit 1
cd "$(dirname "$0")/../.." || exit 1
wine=/usr/lib/wine/wine64 # Debian's wine64; /usr/bin/wine is another package
program=$build/bin/lectern_scenarios.exe
work=$(mktemp -d) || exit 1
passed=0
failed=0
skipped=0
again=

# A prefix and a home of its own, no display, no browser or .NET, nothing put into menus.
unset DISPLAY WAYLAND_DISPLAY
export HOME="$work/home" WINEPREFIX="$work/prefix" WINEARCH=win64 WINESERVER=/usr/lib/wine/wineserver64
export WINEDEBUG="${WINEDEBUG:--all}" WINEDLLOVERRIDES="winemenubuilder.exe,mscoree,mshtml=d"

stop_wine() {
    timeout 10 "$WINESERVER" -k
    timeout 20 "$WINESERVER" -w
}

# The server stays between two programs, and the drivers with it.
restart_wine() {
    stop_wine
    timeout 20 "$WINESERVER" -p120
}

clean_up() {
    if [ -d "$WINEPREFIX" ]; then
        stop_wine
    fi
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 1' HUP INT TERM

in_wine() {
    timeout -k 5 40 "$wine" "$@"
}

# step NAME COMMAND...: 0 passes, 77 means what Wine cannot; the last line of the output says why.
step() {
    name=$1
    shift
    log=$work/step.log
    "$@" >"$log" 2>&1
    result=$?
    last=$(tail -n 1 "$log" | tr -d '\r')
    case $result in
    0)
        passed=$((passed + 1))
        echo "ok      $name"
        ;;
    77)
        skipped=$((skipped + 1))
        echo "skipped $name, $last"
        ;;
    *)
        failed=$((failed + 1))
        [ "$result" -lt 124 ] || last="not done within 40 s; $last"
        echo "FAILED  $name: $last"
        tail -n 20 "$log"
        restart_wine # whatever hangs there
        ;;
    esac
    [ "$result" -eq 0 ]
}

finish() {
    [ -z "$again" ] || echo "note: in a second try after Wine had hung:$again"
    echo "$passed passed, $failed failed, $skipped skipped"
    [ "$failed" -eq 0 ]
    exit
}

# Wine's own buses would hand this machine's devices to the driver under test.
make_prefix() {
    mkdir -p "$HOME" && timeout -k 5 150 "$wine" wineboot -i || return 1
    for service in winebus wineusb; do
        in_wine reg add "HKLM\\System\\CurrentControlSet\\Services\\$service" /v Start /t REG_DWORD /d 4 /f || return 1
    done
    restart_wine
}

# lectern.inf as packaging makes it, but Wine 8 knows no version in a decoration and no driver store. It wants a catalog
# where one is named, and does not look into it.
# shellcheck disable=SC2016 # $ARCH$ is in the template
make_package() {
    mkdir "$work/package" && cp "$build/lectern.sys" "$build/lectvbus.sys" "$build/smclib.sys" tests/wine/*.inf \
        "$work/package" || return 1
    sed -e 's/\$ARCH\$\.10\.0\.\.\.16299/amd64/' -e 's/^DefaultDestDir = 13/DefaultDestDir = 12/' -e 's/%13%/%12%/' \
        packaging/windows/lectern.inx >"$work/package/lectern.inf" &&
        : >"$work/package/lectern.cat"
}

# Wine looks for the files of a second reader beside its own copy of the INF.
install_reader() {
    in_wine "$program" driver "$work/package/lectern.inf" &&
        cp "$work/package/lectern.sys" "$WINEPREFIX/drive_c/windows/inf"
}

# Wine 8's PnP worker may sleep through a wake-up, and then no reader comes or goes until Wine is restarted: what did not
# end has a second try, and says so.
run_scenario() {
    in_wine "$program" scenario "$1"
    result=$?
    if [ "$result" -ge 124 ]; then
        echo "second try: $1"
        again="$again $(basename "$1")"
        restart_wine
        in_wine "$program" scenario "$1"
        result=$?
    fi
    return "$result"
}

expect_wrong() {
    printf 'plug Lectern\nopen\nstate expect powered\n' >"$work/wrong.scn"
    in_wine "$program" scenario "$work/wrong.scn" >"$work/wrong.log"
    cat "$work/wrong.log"
    grep -q '^line 3.*: state: answered absent, expected powered' "$work/wrong.log"
}

gone() {
    in_wine "$program" scenario tests/scenarios/life.scn >"$work/gone.log"
    cat "$work/gone.log"
    grep -q 'the kernel did not start: STATUS_OBJECT_NAME_NOT_FOUND' "$work/gone.log"
}

step "Wine starts" make_prefix || finish
step "package for Wine" make_package || finish
step "smclib.inf" in_wine "$program" section "$work/package/smclib.inf" || finish
step "lectern.inf" install_reader || finish
step "lectvbus.inf" in_wine "$program" device "ROOT\\LECTVBUS" "$work/package/lectvbus.inf" || finish
for scenario in tests/scenarios/*.scn; do
    step "$(basename "$scenario")" run_scenario "$scenario"
done
step "a wrong expectation is noticed" expect_wrong
step "removal of the bus" in_wine "$program" remove "ROOT\\LECTVBUS"
step "nothing answers any more" gone
finish
