#!/bin/sh
# SPDX-License-Identifier: MIT
# language.sh LECTERN: scenarios that are written wrong are refused with the line, those that fail fail.
set -u
lectern=$1
failures=0
dir=$(mktemp -d /tmp/lectern.XXXXXX) || exit 1
trap 'rm -rf "$dir"' EXIT

# run STATUS PATTERN [OPTION...]: the script on stdin ends with this status and says this.
run() {
    wanted=$1 pattern=$2
    shift 2
    cat >"$dir/it.scn"
    timeout 120 "$lectern" scenario "$@" "$dir/it.scn" >"$dir/out" 2>&1
    status=$?
    if [ "$status" -ne "$wanted" ] || ! grep -q -e "$pattern" "$dir/out"; then
        failures=$((failures + 1))
        echo "exit status $status, not $wanted, or no '$pattern':"
        cat "$dir/it.scn" "$dir/out"
    fi
}

# wrong PATTERN LINE: that line alone is refused.
wrong() {
    printf '# first\n%s\n' "$2" | run 2 "it.scn:2: .*$1"
}

wrong 'no statement .fly.; there are plug, ' 'fly'
wrong 'lectern models' 'plug'
wrong 'no model .Nothing.' 'plug Nothing'
wrong 'no card .paper.' 'plug Lectern card=paper'
wrong 'at most 8 slots' 'plug Lectern card=t0/t0/t0/t0/t0/t0/t0/t0/t0'
wrong 'slots is a number from 1 to 8' 'plug Lectern slots=9'
wrong 'none of card=' 'plug Lectern colour=red'
wrong 'a name of letters' 'plug Lectern as a/b'
wrong 'is cold, warm or down' 'power up'
wrong 'absent, present' 'state expect here'
wrong 'not bytes in hex' 'transmit 00A'
wrong 'send which bytes' 'transmit'
wrong 'no \.\. in them' 'transmit .. 00'
wrong 'at most once' 'transmit 00 expect ... ...'
wrong 'number after \*' 'transmit 00*0'
wrong 'one byte in hex' 'transmit 0000*3'
wrong 'too long' 'transmit 00*65538 00'
wrong '.expect. what' 'open expect'
wrong 'no status .STATUS_GREAT.' 'open expect STATUS_GREAT'
wrong 'another STATUS_' 'open expect STATUS_SUCCESS or'
wrong 'is not understood here' 'close now'
wrong 'cannot be started' 'start unplug'
wrong 'takes no READER' 'a: delay 5'
wrong 'stands at its .wait.' 'start power cold expect 3B ...'
wrong 'is not READER' 'a/9: open'
wrong 'A statement follows' 'a:'
wrong 'no closing quote' 'registry VendorName "Example'
wrong '.repeat. without .end.' 'repeat 2'
wrong '.end. without .repeat.' 'end'
wrong 'a number up to' 'delay soon'
wrong 'control code' 'ioctl NOTHING'
wrong 'not a number of bytes' 'ioctl ESCAPE out=x'
wrong 'VENDOR_NAME' 'attribute COLOUR'

run 1 'it.scn:1: open: no reader yet' <<'END'
open
END
run 1 'it.scn:2: state: the slot is not open' <<'END'
plug Lectern
state
END
run 1 'it.scn:2: open: STATUS_SUCCESS, expected STATUS_NO_MEDIA' <<'END'
plug Lectern
open expect STATUS_NO_MEDIA
END
run 1 'it.scn:3: state: answered absent, expected present' <<'END'
plug Lectern
open
state expect present
END
run 1 'it.scn:3: power: answered 3B .*, expected 3F \.\.\.' <<'END'
plug Lectern card=t1
open
power cold expect 3F ...
END
run 1 'it.scn:4: wait: still under way after 100 ms' <<'END'
plug Lectern
open
track present
wait within 100
END
run 1 'it.scn:5: pending: the request has ended' <<'END'
plug Lectern
open
track present as one
insert t1
pending one for 1000
END
run 1 'it.scn:2: plug: .reader. is still plugged' <<'END'
plug Lectern
plug Lectern
END
run 1 'it.scn:3: open: .*STATUS_SUCCESS, expected STATUS_ACCESS_DENIED' --seed 5 <<'END'
plug Lectern slots=2
open
/1: open expect STATUS_ACCESS_DENIED
END
run 0 '^ok .* 7 statements' --seed 0x12 <<'END'
repeat 2 # blocks, twice
  plug Lectern card=t0
  unplug
end
END
run 0 '"statements":.*1' --json <<'END'
delay 1
END
run 2 'unplug is a number' --unplug none <<'END'
delay 1
END
run 2 'seed is a number' --seed x <<'END'
delay 1
END
run 0 '^ok .* [0-9]* + [0-9]* schedules at .*, all$' --explore 1 <<'END'
plug Lectern card=t1
unplug
END
run 0 '[0-9]* + [0-9]* schedules at .* not all$' --explore 1 --limit 5 <<'END'
plug Lectern card=t1
unplug
END
run 0 '"finished":.*true' --explore 0 --json <<'END'
delay 1
END
run 0 '^ok .*allocation.*:fail:nth=3: 1 runs, .* 0 fail' --faults nth:3 <<'END'
plug Lectern
END
run 0 '^ok .*:cancel=0:site=1: ' --faults stack <<'END'
plug Lectern
END
run 0 ':chance=1000/7: 1 runs' --faults chance:1000 --seed 7 <<'END'
plug Lectern
END
run 0 '^ok ' --schedule 12.1,40.1 <<'END'
plug Lectern
END
run 1 'which is of another run' --schedule 4000000.1 <<'END'
plug Lectern
END
run 1 'which is of another run' --schedule 12.999 <<'END'
plug Lectern
END
run 2 'explore is a number' --explore many <<'END'
delay 1
END
run 2 'exclude each other' --explore 1 --seed 1 <<'END'
delay 1
END
run 2 'POINT.OPTION' --schedule 1 <<'END'
delay 1
END
run 2 'faults is all, stack' --faults some <<'END'
delay 1
END
printf 'delay 1\0\n' | run 2 'zero byte'

if [ "$failures" -ne 0 ]; then
    echo "$failures failures"
    exit 1
fi
