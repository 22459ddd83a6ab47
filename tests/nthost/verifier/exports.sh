#!/bin/sh
# SPDX-License-Identifier: MIT
# exports.sh SOURCE LIBRARY: every NT routine of the library is in the tables of exports, and every
# routine that has a highest IRQL there checks it.
set -eu
source=$1 library=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat "$source"/nthost/*/exports.inc | sed -n 's/^NT_EXPORT[_A-Z]*(\([A-Za-z_0-9]*\),.*/\1/p' | sort > "$work/listed"
uniq -d "$work/listed" > "$work/twice"
# Names with the prefixes of NT's families; the families' inside is called Ki..., Exp..., Iop... and the like.
nm --defined-only "$library" 2> /dev/null |
  awk '$2 == "T" && $3 ~ /^(Dbg|Ex|Io|Iof|Ke|Mm|Ob|Obf|Po|Probe|Ps|Rtl|Zw)[A-Z]|^USBD_/ {print $3}' | sort -u > "$work/defined"
comm -23 "$work/defined" "$work/listed" > "$work/missing"

cat "$source"/nthost/*/exports.inc |
  sed -n 's/^NT_EXPORT(\([A-Za-z_0-9]*\), *\(PASSIVE\|APC\|DISPATCH\)_LEVEL).*/\1/p' | sort > "$work/limited"
cat "$source"/nthost/*/*.c | grep -o 'NT_ENTRY([A-Za-z_0-9]*)' | sed 's/NT_ENTRY(\(.*\))/\1/' | sort -u > "$work/checked"
comm -23 "$work/limited" "$work/checked" > "$work/unchecked"

status=0
for list in twice missing unchecked; do
  if [ -s "$work/$list" ]; then
    echo "$list: $(tr '\n' ' ' < "$work/$list")"
    status=1
  fi
done
[ -s "$work/defined" ] || status=1
exit $status
