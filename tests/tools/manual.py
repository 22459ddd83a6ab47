#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""manual.py LECTERN PAGES: lectern(1) has every command and option of --help and no others; mandoc finds no fault."""
import pathlib
import re
import subprocess
import sys


def help_of(lectern, *words):
    return subprocess.run([lectern, *words, "--help"], check=True, capture_output=True, text=True).stdout


def commands(lectern):
    return re.findall(r"^  ([a-z]+) ", help_of(lectern), re.M)


def offered(text):
    return set(re.findall(r"(?:^  |\[)--([a-z][a-z-]*)", text, re.M)) - {"help"}


def documented(page):
    """Command -> options of its .Ss section."""
    sections = re.split(r"^\.S[sh] +(.*)$", page, flags=re.M)
    found = {}
    for name, text in zip(sections[1::2], sections[2::2]):
        items = re.findall(r"^\.It Fl -([a-z-]+)", text, re.M)
        found[name] = set(items)
    return found


def breaches(helps, page):
    sections = {name: options for name, options in documented(page).items() if not name.isupper() and name != ""}
    for name in sorted(set(helps) ^ set(sections)):
        yield f"{name}: a command in only one of --help and lectern.1"
    for name in sorted(set(helps) & set(sections)):
        for option in sorted(offered(helps[name]) - sections[name]):
            yield f"lectern {name} --{option}: not in lectern.1"
        for option in sorted(sections[name] - offered(helps[name])):
            yield f"lectern {name} --{option}: in lectern.1, not in --help"


def lint(pages):
    # STYLE is about mandoc's own collection of pages: an unknown .Xr, no date of ours.
    run = subprocess.run(["mandoc", "-Tlint", "-Wwarning", *pages], capture_output=True, text=True)
    return run.stdout.splitlines()


def self_test():
    page = ".Sh DESCRIPTION\n.Ss a\n.It Fl -one\n.It Fl -gone\n.Ss c\n.Sh FILES\n"
    wanted = {"lectern a --two: not in lectern.1", "lectern a --gone: in lectern.1, not in --help",
              "b: a command in only one of --help and lectern.1", "c: a command in only one of --help and lectern.1"}
    return sorted(wanted ^ set(breaches({"a": "usage: a [--one]\n  --two X  as --three", "b": ""}, page)))


def main():
    lectern, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    pages = sorted(folder.glob("*.[1-9]"))
    page = (folder / "lectern.1").read_text(encoding="utf-8")
    found = self_test() + list(breaches({name: help_of(lectern, name) for name in commands(lectern)}, page))
    found += lint(pages)
    print("\n".join(found) if found else f"{len(pages)} pages")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
