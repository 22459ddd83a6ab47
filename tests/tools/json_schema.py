#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""json_schema.py LECTERN SCHEMA: what commands print with --json is as docs/lectern.schema.json says; every command that
has --json is in it."""
import json
import re
import subprocess
import sys
import tempfile

import jsonschema

SCENARIO = "plug Lectern card=t1\nopen\npower cold\nunplug\n"
WRONG = "plug Lectern card=t1\nopen\npower cold expect 00\n"


def lectern(program, *words):
    return subprocess.run([program, *words], capture_output=True, text=True, timeout=120).stdout


def runs(folder):
    good, bad = f"{folder}/good.scn", f"{folder}/bad.scn"
    for name, text in ((good, SCENARIO), (bad, WRONG)):
        with open(name, "w", encoding="ascii") as file:
            file.write(text)
    yield from (["apdu", "--card", "t0", "00A4000C023F00"], ["apdu", "--card", "bad-mute", "00A4000C023F00"],
                ["list", "--card", "t1"], ["cards"], ["models"], ["atr", "3B80800101"],
                ["atr", "3B65000020", "63CB6800"],
                ["scenario", good, bad], ["scenario", "--unplug", "all", good],
                ["scenario", "--faults", "nth:3", "--limit", "2", good],
                ["scenario", "--explore", "1", "--limit", "3", good],
                ["sweep", "--model", "Lectern"], ["doctor", "--root", folder])


def check(schema, command, text):
    """The first breach, None: there is none."""
    part = {"$ref": f"#/$defs/{command}", "$defs": schema["$defs"]}
    error = jsonschema.exceptions.best_match(jsonschema.Draft202012Validator(part).iter_errors(json.loads(text)))
    return error and f"lectern {command} --json: {error.json_path}: {error.message}"


def self_test(schema):
    if check(schema, "cards", '[{"card": 1}]') is None or check(schema, "doctor", '{"ok": true}') is None:
        yield "what is wrong passes"


def main():
    program = sys.argv[1]
    with open(sys.argv[2], encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    found = list(self_test(schema))
    for name in re.findall(r"^  ([a-z]+) ", lectern(program, "--help"), re.M):
        if "--json" in lectern(program, name, "--help") and name not in schema["$defs"]:
            found.append(f"lectern {name} --json is not in the schema")
    with tempfile.TemporaryDirectory() as folder:
        for command, *words in runs(folder):
            found.append(check(schema, command, lectern(program, command, "--json", *words)))
    found = [line for line in found if line]
    print("\n".join(found) if found else "as the schema says")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
