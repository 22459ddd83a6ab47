#!/bin/sh
# SPDX-License-Identifier: MIT
# test-sign.sh FOLDER [KEYS]: signs every .sys, and every .cat there is, below FOLDER (the unpacked package) with a
# self-made certificate. KEYS holds the key (default: ./lectern-test-keys); it is made when there is none.
set -eu

if [ $# -lt 1 ] || [ $# -gt 2 ] || ! [ -d "$1" ]; then
    sed -n '3,4s/^# //p' "$0" >&2
    exit 2
fi
for tool in openssl osslsigncode; do
    if ! command -v "$tool" >/dev/null; then
        echo "test-sign.sh: $tool is needed (Debian: apt-get install $tool)" >&2
        exit 1
    fi
done
package=$1
keys=${2:-lectern-test-keys}
key=$keys/test.key
certificate=$keys/test.pem

if ! [ -f "$key" ]; then
    mkdir -p "$keys"
    (
        umask 077
        openssl req -x509 -newkey rsa:3072 -sha256 -days 1095 -nodes -subj '/CN=Lectern test signing' \
            -addext 'basicConstraints=critical,CA:FALSE' -addext 'keyUsage=critical,digitalSignature' \
            -addext 'extendedKeyUsage=codeSigning' -keyout "$key" -out "$certificate" 2>/dev/null
    )
    echo "Made a key and its certificate in $keys. Who has the key can make drivers for every PC that trusts it."
fi
openssl x509 -in "$certificate" -outform DER -out "$package/lectern-test.cer"

# sign FILE: in place, and read back.
sign() {
    osslsigncode sign -certs "$certificate" -key "$key" -h sha256 -n Lectern -in "$1" -out "$1.signed" >/dev/null
    mv "$1.signed" "$1"
    osslsigncode verify -CAfile "$certificate" -in "$1" >/dev/null
    echo "signed  $1"
}

# The images first: what a catalog holds of them must be what is installed.
find "$package" -type f -name '*.sys' | LC_ALL=C sort | while read -r file; do sign "$file"; done
find "$package" -type f -name '*.cat' | LC_ALL=C sort | while read -r file; do sign "$file"; done

cat <<END

The certificate for the test PC: $package/lectern-test.cer
Still to be done, and not possible here:
END
for folder in x64 x86; do
    if [ -f "$package/$folder/lectern.inf" ] && ! [ -f "$package/$folder/lectern.cat" ]; then
        echo "- on Windows: make $folder/lectern.cat (Inf2Cat or MakeCat), then sign it: run this again, or SignTool"
    fi
done
cat <<'END'
- on the test PC: Secure Boot off, test signing on, the certificate trusted
- for PCs of other people: a paid EV certificate and Microsoft's attestation or WHQL signature
windows.md says how, step by step.
END
