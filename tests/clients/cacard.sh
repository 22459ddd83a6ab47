#!/bin/sh
# SPDX-License-Identifier: MIT
# cacard.sh SOURCE LIBRARY: OpenSC lists the objects of libcacard's CAC and signs with it; OpenSSL verifies.
set -u
# shellcheck source=tests/clients/serve.sh
. "$1/tests/clients/serve.sh"

database=$dir/nss
mkdir "$database"
echo 123456 >"$database/pin"
dd if=/dev/urandom of="$database/noise" bs=64 count=1 2>/dev/null
LECTERN_CACARD=sql:$database
export LECTERN_CACARD
certutil -N -d "$LECTERN_CACARD" -f "$database/pin" || exit 1
serial=1
for name in id sign; do
    certutil -S -d "$LECTERN_CACARD" -f "$database/pin" -z "$database/noise" -n $name -s "CN=$name" -x -t TC,TC,TC \
        -g 2048 -m $serial >/dev/null 2>&1 || fail "certutil makes no certificate '$name'"
    serial=$((serial + 1))
done

serve "$1" "$2" cacard@id+sign
expect 'Common Access Card' opensc-tool --name
expect 'label: *CAC Email Signature Certificate' pkcs11-tool --login --pin 123456 --list-objects
echo 'to be signed' >"$dir/data"
expect 'SHA256-RSA-PKCS' pkcs11-tool --login --pin 123456 --sign --mechanism SHA256-RSA-PKCS --id 0002 \
    --input-file "$dir/data" --output-file "$dir/signature"
expect '' pkcs11-tool --read-object --type pubkey --id 0002 --output-file "$dir/key"
expect 'Verified OK' openssl dgst -sha256 -verify "$dir/key" -keyform DER -signature "$dir/signature" "$dir/data"

output=$(timeout 60 pkcs11-tool --login --pin 654321 --sign --mechanism SHA256-RSA-PKCS --id 0002 \
    --input-file "$dir/data" 2>&1) && fail "signs with a wrong PIN: $output"
printf '%s\n' "$output" | grep -q 'C_Login failed' || fail "a wrong PIN: $output"
grep -q 123456 "$dir/pcscd.log" && fail 'the PIN is in the log'
pcscd_stop || fail "pcscd ended with status $?"
