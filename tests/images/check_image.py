#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks a .sys image: machine, subsystem, protections, imports, exports. One line per finding, exit 1 if any."""
import argparse
import pathlib
import re
import sys

import pefile

MACHINES = {"x86_64": (0x8664, 0x20B), "i686": (0x14C, 0x10B)}
NATIVE_SUBSYSTEM = 1
DYNAMIC_BASE, NX_COMPAT = 0x40, 0x100
SECTION_EXECUTE, SECTION_WRITE = 0x20000000, 0x80000000
KERNEL = {"ntoskrnl.exe", "hal.dll"}
MODULES = {  # what each image may be bound to
    "lectern.sys": KERNEL | {"usbd.sys", "smclib.sys"},
    "smclib.sys": KERNEL,
    "lectvbus.sys": KERNEL | {"usbd.sys"},
}


def def_exports(path):
    """Names of a .def file's EXPORTS, without i386 decoration and without PRIVATE ones."""
    names, listing = set(), False
    for line in pathlib.Path(path).read_text().splitlines():
        line = line.split(";")[0].strip()
        if line.upper() == "EXPORTS":
            listing = True
        elif listing and line and "PRIVATE" not in line.split():
            names.add(re.sub(r"@\d+$", "", line.split()[0].split("=")[0]))
    return names


def findings(pe, name, machine, exports):
    want_machine, want_magic = MACHINES[machine]
    if pe.FILE_HEADER.Machine != want_machine or pe.OPTIONAL_HEADER.Magic != want_magic:
        yield f"machine {pe.FILE_HEADER.Machine:#x}, magic {pe.OPTIONAL_HEADER.Magic:#x}"
    if pe.OPTIONAL_HEADER.Subsystem != NATIVE_SUBSYSTEM:
        yield f"subsystem {pe.OPTIONAL_HEADER.Subsystem}, not native"
    for bit, label in ((DYNAMIC_BASE, "dynamic base"), (NX_COMPAT, "NX")):
        if not pe.OPTIONAL_HEADER.DllCharacteristics & bit:
            yield f"no {label}"
    if pe.OPTIONAL_HEADER.AddressOfEntryPoint == 0:
        yield "no entry point"
    for section in pe.sections:
        both = SECTION_EXECUTE | SECTION_WRITE
        if section.Characteristics & both == both:
            yield f"section {section.Name.rstrip(bytes(1)).decode()} is writable and executable"
    imported = getattr(pe, "DIRECTORY_ENTRY_IMPORT", [])
    modules = {entry.dll.decode().lower() for entry in imported}
    if modules - MODULES[name]:
        yield "imports from " + ", ".join(sorted(modules - MODULES[name]))
    if name == "lectern.sys":
        bound = {i.name.decode() for e in imported if e.dll.lower() == b"smclib.sys" for i in e.imports}
        if not bound:
            yield "does not use smclib.sys"
        if bound - exports:
            yield "imports what smclib.sys does not export: " + ", ".join(sorted(bound - exports))
    if name == "smclib.sys":
        symbols = getattr(pe, "DIRECTORY_ENTRY_EXPORT", None)
        have = {s.name.decode() for s in symbols.symbols} if symbols else set()
        private = {"DllInitialize", "DllUnload"}
        if have - private != exports:
            yield "exports differ from smclib.def: " + ", ".join(sorted((have - private) ^ exports))
        if len(exports) != 21:
            yield f"smclib.def lists {len(exports)} exports, not 21"


def self_test(path, machine, exports):
    """A spoilt copy of a good image must be found out."""
    spoil = {
        "subsystem": lambda pe: setattr(pe.OPTIONAL_HEADER, "Subsystem", 3),
        "no NX": lambda pe: setattr(pe.OPTIONAL_HEADER, "DllCharacteristics", DYNAMIC_BASE),
        "machine": lambda pe: setattr(pe.FILE_HEADER, "Machine", 0xAA64),
        "writable and executable": lambda pe: setattr(
            pe.sections[0], "Characteristics", SECTION_EXECUTE | SECTION_WRITE),
    }
    for expected, change in spoil.items():
        pe = pefile.PE(path)
        change(pe)
        if not any(expected in finding for finding in findings(pe, "lectern.sys", machine, exports)):
            yield f"the checker does not notice: {expected}"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--machine", required=True, choices=MACHINES)
    parser.add_argument("--def", dest="definition", required=True)
    parser.add_argument("--self-test", action="store_true")
    parser.add_argument("image")
    arguments = parser.parse_args()
    exports = def_exports(arguments.definition)
    name = pathlib.Path(arguments.image).name
    if arguments.self_test:
        found = list(self_test(arguments.image, arguments.machine, exports))
    else:
        found = list(findings(pefile.PE(arguments.image), name, arguments.machine, exports))
    for finding in found:
        print(f"{name}: {finding}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
