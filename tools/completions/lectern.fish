# SPDX-License-Identifier: MIT
# fish completion for lectern; the program itself says what its commands and options are.

function __lectern_command
    set -l words (commandline -opc)
    test (count $words) -gt 1; and echo $words[2]
end

function __lectern_words
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l command (__lectern_command)
    switch $words[-1]
        case --card
            $words[1] cards 2>/dev/null | string replace -r ' +' \t
            return
        case --model
            $words[1] models 2>/dev/null | string replace -r ' +' \t
            return
        case --protocol
            printf '%s\n' t0 t1
            return
        case --models --control --driver --inf --output
            __fish_complete_path $current
            return
    end
    if test "$command" = insert; and not string match -q -- '-*' $current
        $words[1] cards 2>/dev/null | string replace -r ' +' \t
    else if contains -- "$command" scenario run; and not string match -q -- '-*' $current
        __fish_complete_path $current
    else
        $words[1] $command --help 2>/dev/null | string replace -rf '^  ([-a-z]+) +(.*)' '$1'\t'$2'
        echo --help
    end
end

complete -c lectern -f -a '(__lectern_words)'
