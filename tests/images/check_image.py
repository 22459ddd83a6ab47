#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks a .sys image: machine, protections, size, resources, imports, exports. One line per finding, exit 1 if any."""
import argparse
import pathlib
import re
import struct
import sys
import types

import pefile

MACHINES = {"x86_64": (0x8664, 0x20B, "x64"), "i686": (0x14C, 0x10B, "x86")}
NATIVE_SUBSYSTEM = 1
DYNAMIC_BASE, NX_COMPAT, WDM_DRIVER = 0x40, 0x100, 0x2000
SECTION_EXECUTE, SECTION_WRITE = 0x20000000, 0x80000000
RELOCATIONS, EXCEPTIONS = 5, 3
MESSAGE_TABLE = 11
COOKIE = {"x86_64": struct.pack("<Q", 0x00002B992DDFA232), "i686": struct.pack("<I", 0xBB40E64E)}
KIB = 1024
MOST_BYTES = {"lectern.sys": 96 * KIB, "smclib.sys": 48 * KIB, "lectvbus.sys": 128 * KIB}
MODULES = {  # what each image may be bound to
    "lectern.sys": {"ntoskrnl.exe", "hal.dll", "usbd.sys", "smclib.sys"},
    "smclib.sys": {"ntoskrnl.exe", "hal.dll"},
    "lectvbus.sys": {"ntoskrnl.exe", "hal.dll", "usbd.sys"},
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


def ddis(path, architecture):
    """What ddi.txt permits on one architecture: pairs of module and name."""
    allowed = set()
    for line in pathlib.Path(path).read_text().splitlines():
        words = line.split("#")[0].split()
        if words and words[2:] in ([], [architecture]):
            allowed.add((words[0], words[1]))
    return allowed


def header_findings(pe, machine):
    want_machine, want_magic, _ = MACHINES[machine]
    if pe.FILE_HEADER.Machine != want_machine or pe.OPTIONAL_HEADER.Magic != want_magic:
        yield f"machine {pe.FILE_HEADER.Machine:#x}, magic {pe.OPTIONAL_HEADER.Magic:#x}"
    if pe.OPTIONAL_HEADER.Subsystem != NATIVE_SUBSYSTEM:
        yield f"subsystem {pe.OPTIONAL_HEADER.Subsystem}, not native"
    for bit, label in ((DYNAMIC_BASE, "dynamic base"), (NX_COMPAT, "NX"), (WDM_DRIVER, "WDM driver")):
        if not pe.OPTIONAL_HEADER.DllCharacteristics & bit:
            yield f"no {label}"
    entry = pe.get_section_by_rva(pe.OPTIONAL_HEADER.AddressOfEntryPoint)
    if entry is None or not entry.Characteristics & SECTION_EXECUTE:
        yield "no entry point"
    needed = {RELOCATIONS: "relocations"} | ({EXCEPTIONS: "unwind tables"} if machine == "x86_64" else {})
    for index, label in needed.items():
        if pe.OPTIONAL_HEADER.DATA_DIRECTORY[index].Size == 0:
            yield f"no {label}"
    # lld-link 14 cannot write a checksum; signing writes it.
    if pe.OPTIONAL_HEADER.CheckSum != 0 and not pe.verify_checksum():
        yield f"wrong checksum {pe.OPTIONAL_HEADER.CheckSum:#x}"


def section_findings(pe, machine):
    both = SECTION_EXECUTE | SECTION_WRITE
    for section in pe.sections:
        name = section.Name.rstrip(bytes(1)).decode()
        if section.Characteristics & both == both:
            yield f"section {name} is writable and executable"
        if name.startswith(".debug"):
            yield f"not stripped: section {name}"
    if pe.FILE_HEADER.NumberOfSymbols:
        yield f"not stripped: {pe.FILE_HEADER.NumberOfSymbols} symbols"
    data = b"".join(s.get_data() for s in pe.sections if s.Characteristics & SECTION_WRITE)
    if COOKIE[machine] not in data:
        yield "no stack cookie"


def import_findings(pe, name, allowed):
    for entry in getattr(pe, "DIRECTORY_ENTRY_IMPORT", []):
        module = entry.dll.decode().lower()
        if module not in MODULES[name]:
            yield f"imports from {module}"
        for symbol in entry.imports:
            if symbol.name is None:
                yield f"imports {module} by ordinal"
            elif (module, symbol.name.decode()) not in allowed:
                yield f"imports {module}!{symbol.name.decode()}, which is not in the list"


def export_findings(pe, exports):
    symbols = getattr(pe, "DIRECTORY_ENTRY_EXPORT", None)
    have = {s.name.decode() for s in symbols.symbols} if symbols else set()
    private = {"DllInitialize", "DllUnload"}
    if have - private != exports:
        yield "exports differ from smclib.def: " + ", ".join(sorted((have - private) ^ exports))
    if not private <= have:
        yield "does not export " + ", ".join(sorted(private - have))
    if len(exports) != 21:
        yield f"smclib.def lists {len(exports)} exports, not 21"


def resource_findings(pe, name, version):
    tables = [t for info in getattr(pe, "FileInfo", []) for f in info for t in getattr(f, "StringTable", [])]
    strings = tables[0].entries if tables else {}
    wanted = {b"OriginalFilename": name.encode(), b"FileVersion": version.encode()}
    for key, value in wanted.items():
        if strings.get(key) != value:
            yield f"version resource: {key.decode()} is {strings.get(key)}, not {value}"
    fixed = getattr(pe, "VS_FIXEDFILEINFO", None)
    if fixed:
        numbers = (fixed[0].FileVersionMS >> 16, fixed[0].FileVersionMS & 0xFFFF,
                   fixed[0].FileVersionLS >> 16, fixed[0].FileVersionLS & 0xFFFF)
        if ".".join(map(str, numbers)) != version:
            yield f"version resource: the numbers are {numbers}"
    kinds = {entry.id for entry in pe.DIRECTORY_ENTRY_RESOURCE.entries} if strings else set()
    if name == "lectern.sys" and MESSAGE_TABLE not in kinds:
        yield "no event messages"


def findings(pe, size, arguments):
    name = pathlib.Path(arguments.image).name
    exports = def_exports(arguments.definition)
    allowed = ddis(arguments.ddis, MACHINES[arguments.machine][2]) | {("smclib.sys", e) for e in exports}
    if size > MOST_BYTES[name]:
        yield f"{size} bytes, more than {MOST_BYTES[name]}"
    yield from header_findings(pe, arguments.machine)
    yield from section_findings(pe, arguments.machine)
    yield from import_findings(pe, name, allowed)
    yield from resource_findings(pe, name, arguments.version)
    if name == "smclib.sys":
        yield from export_findings(pe, exports)


def self_test(arguments):
    """A spoilt copy of a good image must be found out."""
    def optional(field, value):
        return lambda pe: setattr(pe.OPTIONAL_HEADER, field, value)

    def first_import(name):
        return lambda pe: pe.DIRECTORY_ENTRY_IMPORT[0].imports.insert(0, types.SimpleNamespace(name=name))

    spoil = {
        "not native": optional("Subsystem", 3),
        "no NX": optional("DllCharacteristics", DYNAMIC_BASE | WDM_DRIVER),
        "no dynamic base": optional("DllCharacteristics", NX_COMPAT | WDM_DRIVER),
        "no WDM driver": optional("DllCharacteristics", NX_COMPAT | DYNAMIC_BASE),
        "no entry point": optional("AddressOfEntryPoint", 0),
        "wrong checksum": optional("CheckSum", 1),
        "machine": lambda pe: setattr(pe.FILE_HEADER, "Machine", 0xAA64),
        "writable and executable": lambda pe: setattr(
            pe.sections[0], "Characteristics", SECTION_EXECUTE | SECTION_WRITE),
        "no relocations": lambda pe: setattr(pe.OPTIONAL_HEADER.DATA_DIRECTORY[RELOCATIONS], "Size", 0),
        "not stripped": lambda pe: setattr(pe.FILE_HEADER, "NumberOfSymbols", 1),
        "no stack cookie": lambda pe: setattr(pe, "sections", pe.sections[:1]),
        "imports from other.sys": lambda pe: setattr(pe.DIRECTORY_ENTRY_IMPORT[0], "dll", b"other.sys"),
        "by ordinal": first_import(None),
        "ExAllocatePool2, which": first_import(b"ExAllocatePool2"),
        "OriginalFilename": lambda pe: setattr(pe, "FileInfo", []),
        "no event messages": lambda pe: setattr(pe.DIRECTORY_ENTRY_RESOURCE, "entries", []),
    }
    size = pathlib.Path(arguments.image).stat().st_size
    for expected, change in spoil.items():
        pe = pefile.PE(arguments.image)
        change(pe)
        if not any(expected in finding for finding in findings(pe, size, arguments)):
            yield f"the checker does not notice: {expected}"
    if not any("more than" in finding for finding in findings(pefile.PE(arguments.image), 97 * KIB, arguments)):
        yield "the checker does not notice: size"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--machine", required=True, choices=MACHINES)
    parser.add_argument("--def", dest="definition", required=True)
    parser.add_argument("--ddis", required=True, help="list of what may be imported")
    parser.add_argument("--version", required=True, help="of the version resource")
    parser.add_argument("--self-test", action="store_true")
    parser.add_argument("image")
    arguments = parser.parse_args()
    if arguments.self_test:
        found = list(self_test(arguments))
    else:
        found = list(findings(pefile.PE(arguments.image), pathlib.Path(arguments.image).stat().st_size, arguments))
    for finding in found:
        print(f"{pathlib.Path(arguments.image).name}: {finding}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
