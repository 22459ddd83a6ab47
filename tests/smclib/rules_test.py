#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""rules_test.py SOURCE: docs/smclib-rules.md names only tests that exist, and every test of the library."""
import os
import re
import sys

SOURCE = sys.argv[1]
FOLDER = f"{SOURCE}/tests/smclib"
ELSEWHERE = ("abi.c", "abidebug.c", "abivalues.c", "tests/images")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def existing():
    """{(program, routine)} of all that cmocka runs."""
    tests = set()
    for name in os.listdir(FOLDER):
        if name.endswith("_test.c"):
            text = read(f"{FOLDER}/{name}")
            found = (re.findall(r'\{"[^"]+",\s*(?!NULL)(\w+)\}', text) + re.findall(r"^    TEST\((\w+)\),", text, re.M)
                     + re.findall(r"cmocka_unit_test_setup_teardown\(\s*(\w+),", text))
            tests.update((name.removesuffix(".c"), routine) for routine in found)
    return tests


def named():
    """(program, routine) for every test in the last column of every table."""
    for row in re.findall(r"^\| .* \| (.*) \|$", read(f"{SOURCE}/docs/smclib-rules.md"), re.M):
        for program, routines in re.findall(r"`([\w./]+)`(?:, `[\w.]+`)*: ([\w, -]+)", row):
            if program not in ELSEWHERE and "abidebug.c" not in program:
                yield from ((program, routine.strip()) for routine in routines.split(","))


def main():
    tests = existing()
    rules = set(named())
    scripts = {rule for rule in rules if rule[0].endswith(".py")}
    missing = {rule for rule in scripts if f"def {rule[1]}(" not in read(f"{FOLDER}/{rule[0]}")}
    missing |= rules - scripts - tests
    for program, routine in sorted(missing):
        print(f"no such test: {program}: {routine}")
    for program, routine in sorted(tests - rules):
        print(f"no rule for: {program}: {routine}")
    print(f"{len(tests)} tests, {len(missing)} named in vain, {len(tests - rules)} without a rule")
    return 0 if len(tests) > 150 and not missing and not tests - rules else 1


if __name__ == "__main__":
    sys.exit(main())
