#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds the driver natively, serves an emulated reader with a card through a private pcscd, and lets opensc-tool talk
# to the card.
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 1

usage() {
    cat <<'END'
usage: run.sh [--keep] [--model NAME] [--card NAME]

Builds the Lectern reader driver, plugs an emulated reader into it, serves it through a private pcscd and lets
opensc-tool talk to the card. Leaves nothing running and does not touch the system's pcscd.

  --keep         then serve until Ctrl-C, for any PC/SC program
  --model NAME   the reader, see `lectern models` (Lectern)
  --card NAME    the card in its first slot, see `lectern cards` (t1)
END
}

stop() {
    printf 'run.sh: %s\n' "$*" >&2
    exit 1
}

keep=
model=Lectern
card=t1
while [ $# -gt 0 ]; do
    case "$1" in
    --keep) keep=yes ;;
    --help | -h)
        usage
        exit 0
        ;;
    --model | --card)
        if [ $# -lt 2 ]; then
            echo "run.sh: $1 needs a value" >&2
            exit 2
        fi
        if [ "$1" = --model ]; then model=$2; else card=$2; fi
        shift
        ;;
    *)
        echo "run.sh: unknown option $1, see run.sh --help" >&2
        exit 2
        ;;
    esac
    shift
done

# ---- build ----

"$here/packaging/install-packages.sh" run || stop 'the packages above are needed'
# A tree that somebody else built or owns stays as it is.
build=$here/build/native
mkdir -p "$build" 2>/dev/null
if ! [ -w "$build" ] || [ -n "$(find "$build" -maxdepth 1 ! -user "$(id -u)" 2>/dev/null)" ]; then
    build=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/lectern/$(printf '%s' "$here" | cksum | cut -d ' ' -f 1)/native
    mkdir -p "$build" || stop "neither $here/build nor $build can be written"
fi
echo "Building in $build"
exec 9>"$build/run.lock"
flock 9 # ninja does not see another one in the same tree
if ! [ -f "$build/build.ninja" ]; then
    cmake -S "$here" --preset native -B "$build" -DLECTERN_TESTS=OFF ||
        stop "cmake failed, see above; remove $build and try again"
fi
cmake --build "$build" --target ifdlectern lectern_tool || stop 'the build failed, see above'
exec 9>&-
lectern=$build/bin/lectern

"$lectern" cards | cut -d ' ' -f 1 | grep -qxF -e "$card" || stop "no card '$card', $lectern cards lists them"
"$lectern" models | cut -d ' ' -f 1 | grep -qxF -e "$model" || stop "no model '$model', $lectern models lists them"

# ---- serve ----

# shellcheck source=pcsc/private-pcscd.sh
. "$here/pcsc/private-pcscd.sh"
temporary=${TMPDIR:-/tmp}
# A private /run hides what is there; reader.conf knows no quotes around a path.
case "$temporary" in /run | /run/* | *[![:graph:]]*) temporary=/tmp ;; esac
dir=
interrupted=130

finish() {
    status=$?
    trap - EXIT
    trap "" INT TERM HUP # a second Ctrl-C must not leave half of it behind
    pcscd_stop
    if [ "$status" -ne 0 ] && [ "$status" -ne 130 ] && [ -s "$dir/pcscd.log" ]; then
        tail -n 15 "$dir/pcscd.log" >&2
    fi
    rm -rf "$dir"
    exit "$status"
}
trap finish EXIT
trap 'exit $interrupted' INT TERM HUP
dir=$(mktemp -d "$temporary/lectern.XXXXXX") || stop "no temporary directory in $temporary"

mkdir "$dir/reader.conf.d"
ln -s "$build/lib/libifdlectern.so" "$dir/libifdlectern.so"
cat >"$dir/reader.conf.d/lectern" <<END
FRIENDLYNAME "Lectern Emulated Reader"
DEVICENAME "emulated:model=$model:card=$card"
LIBPATH $dir/libifdlectern.so
END
pcscd_start "$dir" || stop "$pcscd_error"

# ---- show ----

show() {
    printf '\n$ %s\n' "$*"
    timeout --foreground 60 "$@" 2>&1 || stop "'$*' failed; pcscd's last lines follow"
}

opensc-tool --list-readers 2>/dev/null | grep -q Lectern || stop 'the driver did not start the reader; pcscd says why:'
show opensc-tool --list-readers
show opensc-tool --atr
show opensc-tool --send-apdu 00:A4:00:0C:02:3F:00 --send-apdu 00:A4:02:0C:02:2F:01 --send-apdu 00:B0:00:00:00

printf '\nWhat ran in the driver:\n'
"$lectern" report || stop 'the serving process does not answer'

if [ -n "$keep" ]; then
    cat <<END

Serving until Ctrl-C. Before any PC/SC program:
PCSCLITE_CSOCK_NAME=$PCSCLITE_CSOCK_NAME
To move the card: LECTERN_CONTROL=$LECTERN_CONTROL $lectern eject | insert CARD | unplug
END
    interrupted=0 # that is how it is meant to end
    wait "$pcscd_pid"
    pcscd_pid=
    stop 'pcscd ended'
fi
