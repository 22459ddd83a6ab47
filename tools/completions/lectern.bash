# bash completion for lectern                              -*- shell-script -*-
# SPDX-License-Identifier: MIT
# The program itself says what its commands and options are.

_lectern_words() {
    case $2 in
    --card) "$1" cards 2>/dev/null | cut -d ' ' -f 1 ;;
    --model) "$1" models 2>/dev/null | cut -d ' ' -f 1 ;;
    --protocol) printf '%s\n' t0 t1 ;;
    *) "$1" ${3:+"$3"} --help 2>/dev/null | sed -n 's/^  \([-a-z]*\) .*/\1/p' ;;
    esac
}

_lectern() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command='' words
    if ((COMP_CWORD > 1)); then
        command=${COMP_WORDS[1]}
    fi
    COMPREPLY=()
    case $previous in
    --card | --model | --protocol) ;;
    --models | --control | --driver | --inf | --output)
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        return
        ;;
    *)
        case $command:$current in
        insert:[!-]* | insert:) previous=--card ;;
        scenario:[!-]* | scenario: | run:[!-]* | run:)
            mapfile -t COMPREPLY < <(compgen -f -- "$current")
            return
            ;;
        esac
        ;;
    esac
    words=$(_lectern_words "${COMP_WORDS[0]}" "$previous" "$command")
    if [[ $previous != --card && $previous != --model && $previous != --protocol ]]; then
        words+=' --help'
    fi
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}

complete -o filenames -F _lectern lectern
