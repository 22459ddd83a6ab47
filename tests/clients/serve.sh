# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# To be sourced: a private pcscd with one reader, and what its clients must say.
#
#   serve SOURCE LIBRARY CARD    reader "Reader 00 00", empty for "-"; exits after a failure
#   expect PATTERN COMMAND...    ends well within 60 s, with a line that matches, in $output
#   fail WORDS...

fail() {
    echo "$0: $*"
    exit 1
}

finish() {
    status=$?
    trap - EXIT
    pcscd_stop
    [ -z "$helper" ] || kill "$helper" 2>/dev/null
    [ "$status" -eq 0 ] || cat "$dir/pcscd.log"
    rm -rf "$dir"
    exit "$status"
}

helper= # the process of another program that the test needs
dir=$(mktemp -d /tmp/lectern.XXXXXX) || exit 1

serve() {
    # shellcheck source=pcsc/private-pcscd.sh
    . "$1/pcsc/private-pcscd.sh"
    trap finish EXIT
    trap 'exit 1' INT TERM
    mkdir "$dir/reader.conf.d"
    cat >"$dir/reader.conf.d/lectern" <<END
FRIENDLYNAME "Reader"
DEVICENAME "emulated:card=$3"
LIBPATH $2
END
    pcscd_start "$dir" || fail "$pcscd_error"
}

expect() {
    pattern=$1
    shift
    output=$(timeout 60 "$@" 2>&1) || fail "'$*' failed: $output"
    printf '%s\n' "$output" | grep -q -- "$pattern" || fail "'$*' lacks '$pattern': $output"
}
