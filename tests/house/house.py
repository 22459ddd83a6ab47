#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Who may include whom, who may wait, licence lines, file sizes. One line per breach, exit 1 if any."""
import pathlib
import re
import sys
import tempfile

# Folder -> the folders of ours it may include from, besides itself.
MAY_INCLUDE = {
    "include": set(),
    "smclib": {"include"},
    "reader": {"include"},
    "reader/ccid": set(),
    "emulator": set(),
    "emulator/libusb": {"emulator", "rig"},
    "vbus": {"emulator"},
    "nthost": set(),
    "usbbus": {"nthost"},
    "rig": {"nthost/user", "vbus", "usbbus", "emulator"},
    "pcsc": {"rig", "nthost/user", "vbus", "emulator"},
    "tools": {"rig", "nthost/user", "vbus", "emulator", "include"},
}
FREESTANDING = {"stddef.h", "stdint.h", "stdbool.h", "limits.h", "string.h", "stdarg.h"}
HOST_MACRO = re.compile(r"^\s*#\s*(if|ifdef|ifndef|elif)\b.*\b(__linux__|__ELF__|__unix__|NT_MS_ABI)\b")
# Sleeping, clocks and blocking primitives of the C library: ke/ and os/ below it only; and remote/, whose waiting side is
# no kernel but waits for one in another process.
MAY_WAIT = ("nthost/ke/", "nthost/os/", "nthost/user/remote/")
WAITS = re.compile(r"\b(nanosleep|usleep|clock_gettime|clock_nanosleep|gettimeofday|pthread_cond_\w*wait|sem_wait|poll)\s*\(")
WDM_PARTS = {"smclib", "reader", "vbus"}
MOST_LINES = 400


def part_of(path):
    """The longest known folder that holds the file."""
    best = None
    for part in MAY_INCLUDE:
        if path == part or path.startswith(part + "/"):
            best = part if best is None or len(part) > len(best) else best
    return best


def resolve(root, source, included):
    for base in (source.parent, root, root / "include"):
        if (base / included).is_file():
            return (base / included).resolve().relative_to(root.resolve()).as_posix()
    return None


def allowed(part, target):
    home = [part] if part == "reader/ccid" else [part.split("/")[0]]
    return any(target.startswith(folder + "/") for folder in home + sorted(MAY_INCLUDE[part]))


def include_breaches(root, name, text):
    part = part_of(name)
    for match in re.finditer(r'^\s*#\s*include\s*(["<])([^">]+)[">]', text, re.M):
        target = resolve(root, root / name, match[2])
        if target is None:
            if part == "emulator" and match[2] not in FREESTANDING:
                yield f"{name}: emulator/ includes <{match[2]}>, which is not freestanding"
        elif not allowed(part, target):
            yield f"{name}: {part}/ may not include {target}"


def file_breaches(root, name):
    text = (root / name).read_text(encoding="utf-8")
    if "SPDX-License-Identifier: MIT" not in "\n".join(text.splitlines()[:3]):
        yield f"{name}: no SPDX line"
    if name.endswith((".c", ".h")):
        lines = text.count("\n")
        if lines > MOST_LINES:
            yield f"{name}: {lines} lines, more than {MOST_LINES}"
        if part_of(name) is not None:
            yield from include_breaches(root, name, text)
        if part_of(name) in WDM_PARTS and any(HOST_MACRO.match(line) for line in text.splitlines()):
            yield f"{name}: the driver must not know its host"
        if name.startswith("nthost/") and not name.startswith(MAY_WAIT):
            for match in WAITS.finditer(text):
                yield f"{name}: {match[1]}: only ke/ waits"


def breaches(root):
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if name.startswith(("build/", ".git/")) or not path.is_file():
            continue
        if path.suffix in {".c", ".h", ".py", ".sh", ".cmake"} or path.name == "CMakeLists.txt":
            yield from file_breaches(root, name)


def self_test():
    spdx = "// SPDX-License-Identifier: MIT\n"
    bad = {
        "reader/a.c": (spdx + '#include "emulator/emulator.h"\n', "may not include"),
        "reader/ccid/b.c": (spdx + '#include "reader/a.h"\n', "may not include"),
        "emulator/c.c": (spdx + "#include <stdio.h>\n", "not freestanding"),
        "smclib/d.c": (spdx + "#ifdef __linux__\n#endif\n", "must not know its host"),
        "nthost/io/e.c": (spdx + "void f(void) { nanosleep(0, 0); }\n", "only ke/ waits"),
        "vbus/f.c": ("int x;\n", "no SPDX"),
        "rig/g.c": (spdx + "\n" * MOST_LINES, "more than"),
    }
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name, (text, _) in {**bad, "emulator/emulator.h": (spdx, ""), "reader/a.h": (spdx, "")}.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        found = list(breaches(root))
    for name, (_, reason) in bad.items():
        if not any(line.startswith(name) and reason in line for line in found):
            yield f"not noticed: {name} ({reason})"


def main():
    found = list(self_test() if sys.argv[1] == "--self-test" else breaches(pathlib.Path(sys.argv[1])))
    print("\n".join(found) if found else "house rules kept")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
