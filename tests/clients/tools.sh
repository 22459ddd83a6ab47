#!/bin/sh
# SPDX-License-Identifier: MIT
# tools.sh SOURCE LIBRARY LECTERN: what people start by hand, unmodified: pcsc_scan, scriptor, pkcs11-tool on a
# card without keys, gpg with scdaemon, pyscard's monitors.
set -u
lectern=$3
# shellcheck source=tests/clients/serve.sh
. "$1/tests/clients/serve.sh"
serve "$1" "$2" t1

# pcsc_scan never ends by itself when it follows events; -r lists, -t ends it after so many seconds.
expect 'Reader 00 00' pcsc_scan -r
output=$(timeout 60 pcsc_scan -n -t 3 2>&1)
printf '%s\n' "$output" | grep -q '3B 85 81 31 FE 45 80 73 FC 21 00 A0' || fail "pcsc_scan: $output"
printf '%s\n' "$output" | grep -q 'Card inserted' || fail "pcsc_scan: $output"

cat >"$dir/script" <<'END'
reset
00 A4 00 0C 02 3F 00
00 A4 02 0C 02 2F 01
00 B0 00 00 08
00 FE 00 00
END
expect '< 43 01 00 47 03 FC 21 40 90 00' scriptor -r 'Reader 00 00' "$dir/script"
printf '%s\n' "$output" | grep -q '< 6D 00' || fail "scriptor: $output"

output=$(timeout 60 pkcs11-tool --list-slots 2>&1)
printf '%s\n' "$output" | grep -q 'Reader 00 00' || fail "pkcs11-tool: $output"

# Not an OpenPGP card: scdaemon says so, after it has asked the card.
mkdir -m 700 "$dir/gnupg"
printf 'disable-ccid\npcsc-shared\nverbose\ndebug-all\nlog-file %s/scdaemon.log\n' "$dir" >"$dir/gnupg/scdaemon.conf"
GNUPGHOME=$dir/gnupg
export GNUPGHOME
timeout 60 gpg --batch --card-status >"$dir/gpg.log" 2>&1 && fail 'gpg finds an OpenPGP card'
timeout 20 gpgconf --kill all
grep -q 'OpenPGP card not available' "$dir/gpg.log" || fail "gpg: $(cat "$dir/gpg.log")"
grep -q 'ATR=3B 85 81 31 FE 45' "$dir/scdaemon.log" || fail 'scdaemon does not see the card'
grep -q 'response: sw=9000' "$dir/scdaemon.log" || fail 'scdaemon does not reach the card'

expect 'all seen' /usr/bin/python3 "$1/tests/clients/monitor.py" "$lectern"
pcscd_stop || fail "pcscd ended with status $?"
