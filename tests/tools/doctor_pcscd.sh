#!/bin/sh
# SPDX-License-Identifier: MIT
# doctor_pcscd.sh SOURCE HANDLER LECTERN: what lectern doctor says of a real pcscd with a card, a mute one and none, and
# of none.
set -u
source=$1
handler=$2
lectern=$3
# shellcheck source=pcsc/private-pcscd.sh
. "$source/pcsc/private-pcscd.sh"

dir=$(mktemp -d /tmp/lectern.XXXXXX) || exit 1
finish() {
    status=$?
    trap - EXIT
    pcscd_stop
    if [ "$status" -ne 0 ]; then
        cat "$dir/pcscd.log" "$dir/out"
    fi
    rm -rf "$dir"
    exit "$status"
}
trap finish EXIT
trap 'exit 1' INT TERM

# says PATTERN: in the end, pcscd powers its cards up one after the other.
says() {
    tries=0
    while [ "$tries" -lt 50 ]; do
        timeout 60 "$lectern" doctor >"$dir/out" 2>&1
        grep -q -e "$1" "$dir/out" && return
        tries=$((tries + 1))
        sleep 0.2
    done
    echo "doctor_pcscd.sh: lacks '$1'"
    exit 1
}

mkdir -p "$dir/reader.conf.d"
for reader in 'Good t1' 'Mute bad-mute' 'Empty -'; do
    printf 'FRIENDLYNAME "%s"\nDEVICENAME emulated:card=%s\nLIBPATH %s\n' "${reader% *}" "${reader#* }" "$handler"
done >"$dir/reader.conf.d/lectern"
pcscd_start "$dir" || {
    echo "doctor_pcscd.sh: $pcscd_error"
    exit 1
}
says '^ok      service: pcscd answers'
says '^ok      card: Good .*: there is a card'
says '^problem card: Mute .*: its card does not answer'
says '^note    card: Empty .*: no card'
pcscd_stop
says '^problem service: '
