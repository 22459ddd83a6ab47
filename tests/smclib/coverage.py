#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""coverage.py [--build DIR]: branch coverage of smclib/ by its own tests.

Every branch that the tests never take must be on a line that uncovered.tsv gives a reason for; a row whose line is
covered, or gone, is stale, unless its reason begins with "race": the tests meet those by chance. Exit status 1 on either, and below 95 %.
"""
import argparse
import collections
import glob
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
THRESHOLD = 95


def run(*command, **keywords):
    result = subprocess.run(command, capture_output=True, text=True, check=False, **keywords)
    if result.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{result.stdout[-3000:]}{result.stderr[-3000:]}")
    return result.stdout


def build_and_test(build):
    run("cmake", "-S", ROOT, "-B", build, "-G", "Ninja", "-DCMAKE_C_COMPILER=gcc", "-DCMAKE_BUILD_TYPE=RelWithDebInfo",
        "-DLECTERN_SMCLIB_OPTIONS=-O0;--coverage", "-DCMAKE_EXE_LINKER_FLAGS=--coverage")
    for old in glob.glob(f"{build}/**/*.gcda", recursive=True):
        os.remove(old)
    listing = json.loads(run("ctest", "--test-dir", build, "--show-only=json-v1"))
    tests = [test["name"] for test in listing["tests"]
             if test["name"].startswith("smclib_") and test["name"].endswith("_test")]
    run("cmake", "--build", build, "--target", *tests)
    for test in tests:
        run(f"{build}/bin/{test}")
    return tests


def read_branches(build):
    """{(file, line): [count, ...]} over all that was compiled from smclib/."""
    branches = collections.defaultdict(list)
    notes = glob.glob(f"{build}/smclib/**/*.gcda", recursive=True)
    output = run("gcov", "--json-format", "--stdout", "--branch-probabilities", *notes, cwd=build)
    for document in output.splitlines():
        for source in json.loads(document)["files"]:
            if not source["file"].startswith(f"{ROOT}/smclib/"):
                continue
            for line in source["lines"]:
                counts = [branch["count"] for branch in line["branches"]]
                place = (os.path.basename(source["file"]), line["line_number"])
                old = branches[place]  # an inline routine is in several objects
                branches[place] = [a + b for a, b in zip(old, counts)] if len(old) == len(counts) else counts or old
    return branches


def read_reasons():
    reasons = {}
    with open(f"{HERE}/uncovered.tsv", encoding="utf-8") as lines:
        for line in lines:
            if not line.startswith("#"):
                name, text, reason = line.rstrip("\n").split("\t")
                assert reason
                reasons[name, text] = reason
    return reasons


def source_line(name, number):
    with open(f"{ROOT}/smclib/{name}", encoding="utf-8") as lines:
        return lines.read().splitlines()[number - 1].strip()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=f"{ROOT}/build/coverage", help="build folder (build/coverage)")
    build = os.path.abspath(parser.parse_args().build)
    tests = build_and_test(build)
    reasons = read_reasons()
    total = taken = explained = unexplained = 0
    used = set()
    for (name, number), counts in sorted(read_branches(build).items()):
        missed = sum(count == 0 for count in counts)
        total += len(counts)
        taken += len(counts) - missed
        if missed == 0:
            continue
        row = (name, source_line(name, number))
        if row in reasons:
            used.add(row)
            explained += missed
        else:
            unexplained += missed
            print(f"not covered: smclib/{name}:{number}: {missed} of {len(counts)}: {row[1]}")
    stale = {row for row in reasons.keys() - used if not reasons[row].startswith("race")}
    for name, text in sorted(stale):
        print(f"stale reason: {name}: {text}")
    share = 100 * taken / total
    print(f"{len(tests)} test programs: {taken} of {total} branches ({share:.1f} %), {explained} explained, "
          f"{unexplained} not")
    return 1 if unexplained or stale or share < THRESHOLD else 0


if __name__ == "__main__":
    sys.exit(main())
