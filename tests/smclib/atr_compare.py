#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""atr_compare.py ATRLIST LECTERN: every ATR of pcsc-tools' list, read by smclib, ATR_analysis and pyscard.

A difference that no row of atr_differences.tsv explains fails, and so does a row that explains nothing. ATRLIST is
the program of atrlist.c, LECTERN the command, which must read the same from the examples.
"""
import collections
import functools
import json
import operator
import os
import subprocess
import sys

import atrtools

HERE = os.path.dirname(os.path.abspath(__file__))


class Shape:
    """Where an ATR ends, by its own announcements."""

    def __init__(self, text):
        self.bytes = [int(byte, 16) for byte in text.split()]
        self.groups = [{}]
        self.types = []
        self.end = None  # without TCK; None: the bytes end before
        position, presence = 2, self.bytes[1] if len(self.bytes) > 1 else 0
        while True:
            for bit, name in ((1, "TA"), (2, "TB"), (4, "TC"), (8, "TD")):
                if presence >> 4 & bit:
                    if position >= len(self.bytes):
                        return
                    self.groups[-1][name] = self.bytes[position]
                    position += 1
            if "TD" not in self.groups[-1]:
                break
            presence = self.groups[-1]["TD"]
            self.types.append(presence & 15)
            self.groups.append({})
        if position + (self.bytes[1] & 15) <= len(self.bytes):
            self.end = position + (self.bytes[1] & 15)

    def wants_tck(self):
        return any(kind != 0 for kind in self.types)


def voltage(shape):
    return shape.groups[0].get("TB", 0) & 31


# class -> does it account for this difference, to the value?
CLASSES = {
    "reserved-wi": lambda s, ours, theirs: s.groups[1].get("TC") == 0 and (ours, theirs) == (10, 0),
    "reserved-ifsc": lambda s, ours, theirs: (ours, theirs) in ((32, 255), (32, 0)),
    "voltage-formula": lambda s, ours, theirs:
        "TB" in s.groups[0] and ours == 10 * min(voltage(s), 25) and theirs == 50 * (1 + voltage(s)),
    "reserved-ii": lambda s, ours, theirs: s.groups[0].get("TB", 0) >> 5 & 3 == 3 and (ours, theirs) == (50, "RFU"),
    "trailing": lambda s, ours, theirs: ours and s.end is not None and len(s.bytes) > s.end + s.wants_tck(),
    "di-7": lambda s, ours, theirs: ours and s.groups[0].get("TA", 0) & 15 == 7,
    "tck-inside": lambda s, ours, theirs:
        not ours and s.wants_tck() and s.end is not None and len(s.bytes) > s.end + 1
        and functools.reduce(operator.xor, s.bytes[1:s.end + 1]) != 0,
    "no-tck": lambda s, ours, theirs: not ours and s.wants_tck() and len(s.bytes) == s.end,
}


def read_rows():
    rows = {}
    with open(HERE + "/atr_differences.tsv", encoding="utf-8") as lines:
        for line in lines:
            if not line.startswith("#"):
                tool, field, name, example, why = line.rstrip("\n").split("\t")
                assert name in CLASSES and why, line
                rows[tool, field, name] = example
    return rows


def differences(ours, theirs):
    """(field, ours, theirs) of one ATR; the values only where both accept it."""
    if ours["usable"] != theirs["usable"]:
        yield "usable", ours["usable"], theirs["usable"]
    elif ours["usable"]:
        for field in ours:
            if theirs[field] is not None and ours[field] != theirs[field]:
                yield field, ours[field], theirs[field]


def explain(tool, readings, ours, rows):
    """Counts by row; prints what no row explains."""
    explained = collections.defaultdict(set)
    unexplained = 0
    for atr, theirs in readings.items():
        for field, mine, other in differences(ours[atr], theirs):
            names = [name for name, fits in CLASSES.items()
                     if (tool, field, name) in rows and fits(Shape(atr), mine, other)]
            if names:
                explained[tool, field, names[0]].add(atr)
            else:
                unexplained += 1
                print(f"unexplained: {atr}: {field} is {mine} to smclib, {other} to {tool}")
    return explained, unexplained


def check_rows(rows, explained):
    stale = 0
    for row, example in rows.items():
        print(f"{len(explained[row]):5} {' '.join(row)}")
        if example not in explained[row]:
            stale += 1
            print(f"stale: {' '.join(row)} does not explain {example}")
    return stale


def check_command(lectern, examples, ours):
    """lectern atr --json shows the same values."""
    wrong = 0
    for atr in examples:
        result = subprocess.run([lectern, "atr", "--json", atr], capture_output=True, text=True, check=False)
        if not ours[atr]["usable"]:
            wrong += result.returncode == 0
            continue
        shown = json.loads(result.stdout)
        values = {field: shown[field] for field in shown.keys() & ours[atr].keys()}
        values["protocols"] = sum({"T=0": 1, "T=1": 2}[name] for name in shown["protocols"])
        values["historical"] = shown["historical"].replace(" ", "")
        values["specific"] = shown["mode"] == "specific"
        for field, value in ours[atr].items():
            if field != "usable" and values.get(field) != value:
                wrong += 1
                print(f"lectern atr {atr}: {field} is {values.get(field)}, not {value}")
    return wrong


def main():
    atrs, counts = atrtools.read_list()
    print(f"{counts['entries']} entries, {len(atrs)} different ATRs; of {counts['patterns']} patterns one ATR each, "
          f"unreadable {counts['unreadable']}")
    ours = atrtools.read_smclib(sys.argv[1], atrs)
    rows = read_rows()
    explained = collections.defaultdict(set)
    unexplained = 0
    for tool, readings in (("ATR_analysis", atrtools.read_analysis(HERE + "/atr_analysis.pl", atrs)),
                           ("pyscard", atrtools.read_pyscard(atrs))):
        assert readings.keys() == ours.keys()
        found, missed = explain(tool, readings, ours, rows)
        explained.update(found)
        unexplained += missed
    stale = check_rows(rows, explained)
    wrong = check_command(sys.argv[2], sorted(set(rows.values())), ours)
    refused = sum(not reading["usable"] for reading in ours.values())
    print(f"smclib refuses {refused} of {len(atrs)}; {unexplained} unexplained, {stale} stale, {wrong} wrong in lectern")
    return 0 if len(atrs) > 4000 and counts["unreadable"] == 0 and unexplained + stale + wrong == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
