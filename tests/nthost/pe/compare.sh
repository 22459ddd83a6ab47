#!/bin/sh
# SPDX-License-Identifier: MIT
# compare.sh LECTERN IMAGES LACK SCENARIOS every|some: the shipped driver images answer as the native drivers do, in every
# scenario and with every reader; what cannot run is refused. some: not with every reader, nor unplugged at every moment.
set -u
lectern=$1
images=$2
lack=$3
scenarios=$4
extent=$5
failures=0
dir=$(mktemp -d /tmp/lectern.XXXXXX) || exit 1
trap 'rm -rf "$dir"' EXIT

for image in lectern smclib lectvbus; do
    if [ ! -f "$images/$image.sys" ]; then
        echo "$images/$image.sys is missing: build the preset windows-x64 first"
        exit 1
    fi
done

fail() {
    failures=$((failures + 1))
    echo "$*"
}

# verdicts NAME COMMAND OPTION...: native, with the bus's image, and with the native bus; statuses and words are the same.
# Not the virtual time: a schedule that preempts advances it with every switch, and images have other places for one.
untimed() {
    sed -e 's/"virtualMicroseconds".*//' -e 's/, [0-9.]* s$//' "$1"
}
verdicts() {
    name=$1
    command=$2
    shift 2
    timeout 300 "$lectern" "$command" "$@" >"$dir/native" 2>&1
    native=$?
    for driver in "$images" "$dir/drivers/lectern.sys"; do
        timeout 300 "$lectern" "$command" --driver "$driver" "$@" >"$dir/image" 2>&1
        status=$?
        untimed "$dir/native" >"$dir/expected"
        untimed "$dir/image" >"$dir/said"
        if [ "$status" -ne "$native" ] || ! cmp -s "$dir/expected" "$dir/said"; then
            fail "$name: $driver ends with $status and says"
            diff "$dir/expected" "$dir/said"
            echo "native ends with $native"
        fi
    done
}

mkdir "$dir/drivers"
cp "$images/lectern.sys" "$images/smclib.sys" "$dir/drivers"
select='00A4000C023F00'
read='00B0000020'
for model in Lectern ACR122U GemPCKey; do
    for card in t0 t1; do
        verdicts "$model, $card" apdu --model "$model" --card "$card" "$select" "$read" 0084000008 00CA010000
    done
done

# One card of each protocol in every 12th reader of the table.
"$lectern" models --json | sed -n 's/.*"model":[^"]*"\(.*\)".*/\1/p' | awk 'NR % 12 == 0' >"$dir/models"
while read -r model; do
    for card in t0 t1; do
        verdicts "$model, $card" apdu --model "$model" --card "$card" "$select" "$read" </dev/null
    done
done <"$dir/models"
[ "$(wc -l <"$dir/models")" -ge 10 ] || fail "only these models: $(cat "$dir/models")"

for seed in 1 2; do
    verdicts "seed $seed" scenario --seed "$seed" --json "$scenarios"/*.scn
done
[ "$(grep -c '"passed":.*true' "$dir/native")" -ge 10 ] || fail "few scenarios passed: $(cat "$dir/native")"
if [ "$extent" = every ]; then
    verdicts 'unplugged at every moment' scenario --unplug all "$scenarios"/*.scn
    verdicts 'every reader' sweep
    grep -q ' [1-9][0-9][0-9]* ok, 0 failed$' "$dir/native" || fail "the sweep: $(tail -n 3 "$dir/native")"
fi

for options in '--explore 1 --limit 100' '--faults stack --limit 5' '--schedule 30.1'; do
    # shellcheck disable=SC2086 # words
    timeout 120 "$lectern" scenario --driver "$dir/drivers/lectern.sys" $options "$scenarios/escape.scn" >"$dir/out" 2>&1 ||
        fail "the image with $options: $(tail -n 5 "$dir/out")"
done

timeout 60 "$lectern" apdu --driver "$lack/lack.sys" "$select" >"$dir/out" 2>"$dir/err"
status=$?
if [ "$status" -ne 1 ] || [ "$(grep -c '^  .*!' "$dir/err")" -ne 3 ]; then
    fail "lack.sys: exit status $status, and not its three missing imports:"
    cat "$dir/err"
fi
rm "$dir/drivers/smclib.sys"
timeout 60 "$lectern" apdu --driver "$dir/drivers/lectern.sys" "$select" >"$dir/out" 2>"$dir/err"
status=$?
if [ "$status" -ne 1 ] || ! grep -q 'smclib.sys!SmartcardInitialize' "$dir/err"; then
    fail "lectern.sys without its library: exit status $status"
    cat "$dir/err"
fi

if [ "$failures" -ne 0 ]; then
    echo "$failures failures"
    exit 1
fi
