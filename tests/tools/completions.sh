#!/bin/bash
# SPDX-License-Identifier: MIT
# completions.sh LECTERN FOLDER: what bash, zsh and fish offer after some words. Each shell that is missing is a failure.
set -u
lectern=$1
folder=$2
failures=0
dir=$(mktemp -d /tmp/lectern.XXXXXX) || exit 1
trap 'rm -rf "$dir"' EXIT
ln -s "$lectern" "$dir/lectern"
touch "$dir/life.scn"
export PATH=$dir:$PATH HOME=$dir
cd "$dir" || exit 1

offer_bash() {
    # shellcheck disable=SC2016 # the inner shell expands it
    bash --norc -c '
        . "$1"
        shift
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        _lectern
        printf "%s\n" "${COMPREPLY[@]}"' bash "$folder/lectern.bash" "$@"
}

offer_zsh() {
    # shellcheck disable=SC2016 # zsh expands it, and does for compadd what its editor would: match the beginning
    zsh -f -c '
        compadd() {
            local -a offered
            if [[ $1 == -a ]]; then offered=("${(@P)2}"); else offered=("$@"); fi
            print -l -- ${(M)offered:#${words[CURRENT]}*}
        }
        _files() { print -l -- ${words[CURRENT]}*(N) }
        source=$1
        shift
        complete() { local words=("$@") CURRENT=$#; . $source }
        complete "$@"' zsh "$folder/_lectern" "$@"
}

offer_fish() {
    # shellcheck disable=SC2016 # fish expands it
    fish --no-config -c 'source $argv[1]; complete --do-complete "$argv[2]"' "$folder/lectern.fish" "$*" | cut -f 1
}

# offers YES NO WORD...: in each shell the last word may become YES and not NO.
offers() {
    yes=$1 no=$2
    shift 2
    for shell in bash zsh fish; do
        "offer_$shell" "$@" >"$dir/$shell.out" 2>&1
        if ! grep -qxF -e "$yes" "$dir/$shell.out" || grep -qxF -e "$no" "$dir/$shell.out"; then
            failures=$((failures + 1))
            echo "$shell: '$*': lacks $yes or has $no:"
            cat "$dir/$shell.out"
        fi
    done
}

offers scenario apdu lectern s
offers apdu --json lectern ''
offers --help apdu lectern --h
offers --card --seed lectern apdu --
offers --card --model lectern apdu --c
offers --hardware-id --slot lectern run --
offers t1-crc dual lectern apdu --card t1
offers t0 --json lectern insert t
offers ACR122U Lectern lectern list --model ACR1
offers t1 --json lectern apdu --protocol ''
offers life.scn --json lectern scenario l
offers life.scn --card lectern apdu --models l

if [ "$failures" -ne 0 ]; then
    echo "$failures failures"
    exit 1
fi
