#!/bin/sh
# SPDX-License-Identifier: MIT
# install-packages.sh [run]: installs those packages of packages.txt that are missing; with "run" only what ./run.sh
# needs. Says nothing when nothing is missing.
set -eu
list=$(dirname "$0")/packages.txt

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    echo "install-packages.sh: this is not Debian; install what $list names by other means" >&2
    exit 1
fi

case "${1:-}" in
run) wanted=$(sed -n 's/^\([a-z0-9][^ #]*\) *# run:.*/\1/p' "$list") ;;
'') wanted=$(sed -n 's/^\([a-z0-9][^ #]*\).*/\1/p' "$list") ;;
*)
    echo "usage: $0 [run]" >&2
    exit 2
    ;;
esac

# shellcheck disable=SC2086 # one word per package
installed=$(dpkg-query -W -f='${Package} ${db:Status-Status}\n' $wanted 2>/dev/null | sed -n 's/ installed$//p')
missing=
for package in $wanted; do
    if ! printf '%s\n' "$installed" | grep -qxF "$package"; then
        missing="$missing $package"
    fi
done
if [ -z "$missing" ]; then
    exit 0
fi

echo "Installing:$missing"
if [ "$(id -u)" -eq 0 ]; then
    as_root=
elif command -v sudo >/dev/null; then
    as_root=sudo
else
    echo "install-packages.sh: as root, please: apt-get install$missing" >&2
    exit 1
fi
# shellcheck disable=SC2086 # words on purpose
{
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get update &&
        $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing
} || {
    echo "install-packages.sh: apt-get failed, see above; then try again" >&2
    exit 1
}
