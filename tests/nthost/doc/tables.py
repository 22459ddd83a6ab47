#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""tables.py SOURCE [--write]: docs/nthost.md lists every NT routine by family and highest IRQL, and every rule of the
verifier with its code and a test that breaks it; what its notes name exists. --write puts the routines' table right
and rows for new rules in."""
import glob
import re
import sys

LEVELS = ("PASSIVE", "APC", "DISPATCH", "HIGH")
RULE_FILES = ("nthost/verifier/rules.h", "nthost/io/rules.h")


def read(source, name):
    with open(f"{source}/{name}", encoding="utf-8") as file:
        return file.read()


def routines(source):
    """{family: {level: [names]}}; variables have the level 'data'."""
    families = {}
    for path in sorted(glob.glob(f"{source}/nthost/*/exports.inc")):
        family = path.split("/")[-2]
        levels = families.setdefault(family, {})
        text = read(source, f"nthost/{family}/exports.inc")
        for kind, name, last in re.findall(r"^NT_EXPORT(_AS|_DATA|)\((\w+),(?: \w+,)? (\w+)\)", text, re.M):
            level = "data" if kind == "_DATA" else last.removesuffix("_LEVEL")
            levels.setdefault(level, []).append(name)
    return families


def routine_table(families):
    rows = ["| Family | Up to | Routines |", "| --- | --- | --- |"]
    for family, levels in families.items():
        for level in (*LEVELS, "data"):
            if level in levels:
                rows.append(f"| {family} | {level} | {', '.join(sorted(levels[level], key=str.lower))} |")
    return "\n".join(rows)


def rules(source):
    pattern = re.compile(r"X\((\w+), 0x(\w+), (?:0x)?(\w+)\)")
    return {name: f"{code}/{sub}" for path in RULE_FILES for name, code, sub in pattern.findall(read(source, path))}


def section(text, name):
    match = re.search(rf"<!-- {name} -->\n\n(.*?)\n\n<!-- end -->", text, re.S)
    if match is None:
        sys.exit(f"docs/nthost.md has no section '{name}'")
    return match


def breaks(text, rule):
    return re.search(rf'\bVfRule{rule}\b|KE_RULE_TEST\(\w+, {rule}\)|"{rule}"|rule: {rule}\\n', text) is not None


def check_rules(source, table, wrong):
    known = rules(source)
    rows = re.findall(r"^\| (\w+) \| ([0-9A-F]+/\w+) \| (.+?) \| `([^`]+)` \|$", table, re.M)
    named = [row[0] for row in rows]
    wrong += [f"rule {name} has no row, or one that cannot be read" for name in known if name not in named]
    wrong += [f"rule {name} has two rows" for name in set(named) if named.count(name) > 1]
    for name, code, _, test in rows:
        if name not in known:
            wrong.append(f"there is no rule {name}")
        elif known[name] != code:
            wrong.append(f"rule {name} is {known[name]}, not {code}")
        elif not breaks(read(source, f"tests/nthost/{test}"), name):
            wrong.append(f"tests/nthost/{test} does not break rule {name}")
    return [name for name in known if name not in named]


def check_limits(text, families, wrong):
    names = {name for levels in families.values() for group in levels.values() for name in group}
    for row in re.findall(r"^\| ([^|]+) \|", section(text, "limits").group(1), re.M)[2:]:
        for name in row.split(", "):
            if name not in names and not any(known.startswith(name.rstrip("*")) for known in names if "*" in name):
                wrong.append(f"the limits name {name}, which is not exported")


def main():
    source = sys.argv[1]
    text = read(source, "docs/nthost.md")
    wrong = []
    families = routines(source)
    missing = check_rules(source, section(text, "rules").group(1), wrong)
    if sys.argv[2:] == ["--write"]:
        rows = "".join(f"\n| {name} | {rules(source)[name]} | | `` |" for name in missing)
        end = section(text, "rules").end(1)
        text = text[:end] + rows + text[end:]
        match = section(text, "routines")
        text = text[:match.start(1)] + routine_table(families) + text[match.end(1):]
        with open(f"{source}/docs/nthost.md", "w", encoding="utf-8") as file:
            file.write(text)
        return 0
    if section(text, "routines").group(1) != routine_table(families):
        wrong.append("the routines differ from nthost/*/exports.inc: run tests/nthost/doc/tables.py SOURCE --write")
    check_limits(text, families, wrong)
    for line in wrong:
        print(line)
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
