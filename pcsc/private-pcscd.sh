# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2034 # who sources this reads pcscd_error
# A pcscd of our own beside the system's, to be sourced: in a private mount namespace a directory of ours lies over
# /run, whose pcscd/pcscd.comm is compiled into pcscd, and an empty one over the directory of USB drivers, so that it
# leaves real readers alone. The socket is reachable from outside through our directory.
#
#   pcscd_start DIR    DIR: absolute, short, ours alone; DIR/reader.conf.d/ holds the reader.conf files
#   pcscd_stop
#
# pcscd_start sets and exports PCSCLITE_CSOCK_NAME and LECTERN_CONTROL, writes DIR/pcscd.log, and after a failure
# leaves one line in pcscd_error.

pcscd_pid=
pcscd_error=

# Prints the unshare options that work here, or fails.
pcscd_namespace() {
    for options in -m -Urm; do
        if unshare $options mount --bind "$1/run" /run 2>/dev/null; then
            printf '%s\n' "$options"
            return 0
        fi
    done
    return 1
}

pcscd_launch() {
    dir=$1
    if options=$(pcscd_namespace "$dir"); then
        PCSCLITE_CSOCK_NAME=$dir/run/pcscd/pcscd.comm
        # shellcheck disable=SC2016 # the inner shell expands it
        unshare "$options" sh -c '
            mount --bind "$1/run" /run &&
                mount --bind "$1/drivers" "$2" &&
                exec pcscd --foreground --config "$1/reader.conf.d"' \
            sh "$dir" "$pcscd_drivers" >"$dir/pcscd.log" 2>&1 &
    elif [ "$(id -u)" -ne 0 ]; then
        pcscd_error='mount namespaces are denied to this user here; run it as root, or allow unprivileged user namespaces'
        return 1
    elif [ -e /run/pcscd/pcscd.comm ]; then
        pcscd_error='mount namespaces are denied here and /run/pcscd/pcscd.comm is taken; stop the pcscd that holds it'
        return 1
    else
        # A container: nothing is served at the usual place, so that place may be ours.
        PCSCLITE_CSOCK_NAME=/run/pcscd/pcscd.comm
        pcscd --foreground --config "$dir/reader.conf.d" >"$dir/pcscd.log" 2>&1 &
    fi
    pcscd_pid=$!
    export PCSCLITE_CSOCK_NAME
}

pcscd_start() {
    pcscd_drivers=/usr/lib/pcsc/drivers
    PATH=$PATH:/usr/sbin:/sbin
    if ! command -v pcscd >/dev/null || ! [ -d "$pcscd_drivers" ]; then
        pcscd_error='pcscd is not installed: apt-get install pcscd'
        return 1
    fi
    LECTERN_CONTROL=$1/control
    export LECTERN_CONTROL
    if [ "${#LECTERN_CONTROL}" -gt 90 ]; then
        pcscd_error="$1 is too long a path for sockets; set TMPDIR to a shorter one"
        return 1
    fi
    mkdir -p "$1/run/pcscd" "$1/drivers" || return 1
    pcscd_launch "$1" || return 1
    tries=0
    while ! [ -S "$PCSCLITE_CSOCK_NAME" ]; do
        tries=$((tries + 1))
        if ! kill -0 "$pcscd_pid" 2>/dev/null || [ "$tries" -gt 150 ]; then
            pcscd_stop
            pcscd_error="pcscd did not start: $(tail -n 1 "$1/pcscd.log")"
            return 1
        fi
        sleep 0.1
    done
}

pcscd_stop() {
    if [ -z "$pcscd_pid" ]; then
        return 0
    fi
    kill "$pcscd_pid" 2>/dev/null
    tries=0
    while kill -0 "$pcscd_pid" 2>/dev/null; do
        tries=$((tries + 1))
        if [ "$tries" -gt 100 ]; then
            kill -9 "$pcscd_pid" 2>/dev/null
            break
        fi
        sleep 0.1
    done
    wait "$pcscd_pid" 2>/dev/null
    pcscd_status=$?
    pcscd_pid=
    return "$pcscd_status"
}
