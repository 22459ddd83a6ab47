#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks a driver INF for the rules of InfVerif /w (by its numbers) and for this package's own. Exit 1 if any is broken."""
import argparse
import pathlib
import re
import sys

from inf import Fault, Inf

CLASS, CLASS_GUID = "SmartCardReader", "{50DD5230-BA8A-11D1-BF5D-0000F805F530}"
VERSION = {"Signature", "Class", "ClassGuid", "Provider", "CatalogFile", "DriverVer", "PnpLockdown"}
SERVICE = {"ServiceType", "StartType", "ErrorControl", "ServiceBinary"}
SERVICE_OPTIONAL = {"DisplayName", "Description", "LoadOrderGroup", "AddReg"}
DIRECTIVES = {  # by the kind of section, whose kind follows from who refers to it
    "install": {"CopyFiles"},
    "hardware": {"AddReg"},
    "services": {"AddService"},
    "eventlog": {"AddReg"},
}
FIXED = {"version", "destinationdirs", "sourcedisksnames", "sourcedisksfiles", "manufacturer", "strings"}
HARDWARE_TYPES = {"security": 0x0, "exclusive": 0x10001, "devicetype": 0x10001, "devicecharacteristics": 0x10001,
                  "upperfilters": 0x10000, "lowerfilters": 0x10000}
TYPE_MASK, FLAG_MASK = 0x00070001, 0x0000001E
TYPES = {0x0: "SZ", 0x1: "BINARY", 0x10000: "MULTI_SZ", 0x20000: "EXPAND_SZ", 0x10001: "DWORD", 0x20001: "NONE"}
DRIVER_STORE, FIRST_BUILD = "13", 16299
NEVER_SHIPPED = {"smclib.sys"}  # the system's own


class Checker:
    def __init__(self, inf, architecture, version):
        self.inf, self.architecture, self.version = inf, architecture, version
        self.used, self.found = {}, []

    def say(self, code, text):
        self.found.append(f"{code}: {text}")

    def refer(self, name, kind):
        """The section another one names; each has one kind of use."""
        section = self.inf[name]
        if section is None:
            self.say(1203, f"there is no section [{name}]")
            return None
        if self.used.setdefault(name.lower(), kind) != kind:
            self.say(1206, f"[{name}] is used as {self.used[name.lower()]} and as {kind}")
        return section

    def directives(self, section, kind):
        for line in section.lines:
            if (line.key or "").lower() not in {name.lower() for name in DIRECTIVES[kind]}:
                self.say(2004, f"line {line.number}: {line.key or ','.join(line.values)} in [{section.name}]")
            else:
                yield line

    # ---- [Version] ----

    def check_version(self):
        section = self.inf["Version"]
        if section is None:
            self.say(1001, "no [Version]")
            return
        for key in sorted(VERSION):
            if section.get(key) in (None, []):
                self.say(1324 if key == "PnpLockdown" else 1233, f"[Version] has no {key}")
                return
        for line in section.lines:
            if line.key not in VERSION:
                self.say(2004, f"line {line.number}: {line.key} in [Version]")
        one = {key: self.inf.expand(section.get(key)[0]) for key in VERSION}
        wanted = {"Signature": (1001, "$Windows NT$"), "Class": (1280, CLASS), "ClassGuid": (1280, CLASS_GUID),
                  "PnpLockdown": (1324, "1")}
        for key, (code, value) in wanted.items():
            if one[key].lower() != value.lower():
                self.say(code, f"{key} is {one[key]}, not {value}")
        if "microsoft" in one["Provider"].lower():
            self.say(1204, "the provider is not Microsoft")
        if not re.fullmatch(r"[\w-]+\.cat", one["CatalogFile"]):
            self.say(1214, f"CatalogFile {one['CatalogFile']}")
        self.check_driver_version(section.get("DriverVer"))

    def check_driver_version(self, values):
        date = re.fullmatch(r"(\d\d)/(\d\d)/(\d{4})", values[0])
        if not date or not 1 <= int(date[1]) <= 12 or not 1 <= int(date[2]) <= 31:
            self.say(1218, f"DriverVer's date {values[0]}")
        numbers = values[1] if len(values) > 1 else ""
        if not re.fullmatch(r"\d+(\.\d+){3}", numbers) or any(int(n) > 65535 for n in numbers.split(".")):
            self.say(1217, f"DriverVer's version '{numbers}'")
        elif numbers != self.version:
            self.say("own", f"DriverVer is {numbers}, the project {self.version}")

    # ---- models ----

    def check_models(self):
        manufacturers = self.inf["Manufacturer"]
        if manufacturers is None or not manufacturers.lines:
            self.say(1013, "no [Manufacturer]")
            return
        for line in manufacturers.lines:
            if len(line.values) != 2:
                self.say(1011, f"line {line.number}: one model section and one decoration are expected")
                continue
            name, decoration = line.values
            match = re.fullmatch(r"NT(amd64|x86)\.10\.0\.\.\.(\d+)", decoration)
            if not match:
                self.say(1287, f"line {line.number}: decoration {decoration}")
            elif match[1] != self.architecture:
                self.say(1287, f"line {line.number}: {match[1]} in the INF for {self.architecture}")
            elif int(match[2]) < FIRST_BUILD:
                self.say(1199, f"line {line.number}: build {match[2]} has no DIRID 13")
            section = self.refer(f"{name}.{decoration}", "models")
            if section is not None:
                self.check_devices(section)

    def check_devices(self, section):
        if not section.lines:
            self.say(1271, f"[{section.name}] is empty")
        for line in section.lines:
            if not line.key or len(line.values) < 2:
                self.say(1271, f"line {line.number}: not 'description = install section, id'")
                continue
            for identifier in line.values[1:]:
                if not re.fullmatch(r"USB\\[\w&]+", identifier):
                    self.say(1271, f"line {line.number}: id {identifier}")
            self.check_install(line.values[0])

    def check_install(self, name):
        if f"install {name}" in self.used:
            return
        self.used[f"install {name}"] = "done"
        section = self.refer(f"{name}.NT", "install")
        if section is None:
            return
        copied = set()
        for line in self.directives(section, "install"):
            for target in line.values:
                copied |= self.check_copy(target)
        hardware = self.inf[f"{name}.NT.HW"]
        if hardware is not None:
            self.used[f"{name}.NT.HW".lower()] = "hardware"
            self.check_registry_lists(hardware, "hardware")
        services = self.refer(f"{name}.NT.Services", "services")
        if services is not None:
            self.check_services(services, copied)

    # ---- files ----

    def check_copy(self, target):
        if target.startswith("@"):
            names = [target[1:]]
        else:
            section = self.refer(target, "files")
            names = [line.values[0] for line in section.lines] if section else []
        files, disks = self.inf["SourceDisksFiles"], self.inf["SourceDisksNames"]
        for name in names:
            disk = files.get(name) if files else None
            if disk is None:
                self.say(1230, f"{name} is not in [SourceDisksFiles]")
            elif disks is None or disks.get(disk[0]) is None:
                self.say(1229, f"{name}: there is no disk {disk[0]}")
        return {name.lower() for name in names}

    def check_files(self):
        files = self.inf["SourceDisksFiles"]
        listed = {line.key.lower() for line in files.lines if line.key} if files else set()
        for name in sorted(listed & NEVER_SHIPPED):
            self.say("own", f"{name} is the system's and must not be installed")
        if any(name.endswith(".cat") for name in listed):
            self.say(1213, "a catalog is in [SourceDisksFiles]")
        folders = self.inf["DestinationDirs"]
        if folders is None or folders.get("DefaultDestDir") is None:
            self.say(1275, "no DefaultDestDir")
        for line in folders.lines if folders else []:
            if line.values[:1] != [DRIVER_STORE]:
                self.say(1322, f"line {line.number}: destination {line.values}, not {DRIVER_STORE}")

    # ---- services ----

    def check_services(self, section, copied):
        associated = 0
        for line in self.directives(section, "services"):
            values = line.values
            if len(values) < 3 or not re.fullmatch(r"0x[0-9a-fA-F]+|\d+", values[1]):
                self.say(1289, f"line {line.number}: AddService needs a name, flags and a section")
                continue
            if values[0].lower() in {"usbccid", "wudfrd", "scfilter", "smclib"}:
                self.say(1017, f"line {line.number}: the service {values[0]} is the system's")
            associated += bool(int(values[1], 0) & 2)
            service = self.refer(values[2], "service")
            if service is not None:
                self.check_service(service, copied)
            if len(values) > 3 and (log := self.refer(values[3], "eventlog")) is not None:
                self.check_registry_lists(log, "eventlog")
            if len(values) > 4 and values[4] and values[4] not in {"System", "Application", "Security"}:
                self.say(1250, f"line {line.number}: event log {values[4]}")
        if associated != 1:
            self.say(1211, f"[{section.name}]: {associated} associated services")

    def check_service(self, section, copied):
        for line in section.lines:
            if line.key not in SERVICE | SERVICE_OPTIONAL:
                self.say(2004, f"line {line.number}: {line.key} in [{section.name}]")
        for key in sorted(SERVICE):
            if section.get(key) is None:
                self.say(1289, f"[{section.name}] has no {key}")
        for key, value in (("ServiceType", "1"), ("StartType", "3")):
            if section.get(key) not in (None, [value]):
                self.say(1289, f"{key} is {section.get(key)}, not {value}")
        binary = (section.get("ServiceBinary") or [""])[0]
        match = re.fullmatch(r"%(\d+)%\\([\w.-]+)", binary)
        if not match or match[1] != DRIVER_STORE or match[2].lower() not in copied:
            self.say(1254, f"ServiceBinary {binary} is not a file this INF copies to {DRIVER_STORE}")

    # ---- registry ----

    def check_registry_lists(self, section, kind):
        for line in self.directives(section, kind):
            for name in line.values:
                values = self.refer(name, f"registry of {kind}")
                for entry in values.lines if values else []:
                    self.check_value(entry, kind)

    def check_value(self, line, kind):
        root, subkey, name, flags, *data = line.values + [""] * (4 - len(line.values))
        if root.upper() != "HKR":
            self.say(1320, f"line {line.number}: {root}, not HKR")
        if subkey:
            self.say(1222, f"line {line.number}: subkey {subkey}")
        number = int(flags, 0) if re.fullmatch(r"0x[0-9a-fA-F]+|\d+", flags) else None if flags else 0
        if number is None or number & ~(TYPE_MASK | FLAG_MASK) or number & TYPE_MASK not in TYPES:
            self.say(1262, f"line {line.number}: flags {flags}")
            return
        if number & 0x4:
            self.say(1300, f"line {line.number}: deletes a value")
        if number & TYPE_MASK == 0x10001 and not (len(data) == 1 and re.fullmatch(r"0x[0-9a-fA-F]+|\d+", data[0])):
            self.say(1263, f"line {line.number}: {data} is no DWORD")
        wanted = HARDWARE_TYPES.get(name.lower()) if kind == "hardware" else None
        if wanted is not None and number & TYPE_MASK != wanted:
            self.say(1223, f"line {line.number}: {name} is {TYPES[number & TYPE_MASK]}, not {TYPES[wanted]}")
        if wanted == 0x10000:
            self.say(1329, f"line {line.number}: filters belong into a .Filters section")

    # ---- the whole ----

    def check_tokens(self):
        strings = self.inf["Strings"]
        known = {line.key.lower() for line in strings.lines if line.key} if strings else set()
        for section in self.inf.sections.values():
            for line in section.lines if section is not strings else []:
                for text in [line.key or ""] + line.values:
                    rest = re.sub(r"%%", "", text)
                    for token in re.findall(r"%([^%]*)%", rest):
                        if token.isdigit():
                            if token != DRIVER_STORE:
                                self.say(1241, f"line {line.number}: folder %{token}%")
                        elif token.lower() not in known:
                            self.say(1235, f"line {line.number}: %{token}% is not in [Strings]")
                    if re.sub(r"%[^%]*%", "", rest).count("%"):
                        self.say(1235, f"line {line.number}: a single %")
                    if "$ARCH$" in text:
                        self.say(1274, f"line {line.number}: $ARCH$ is not replaced")

    def check_sections(self):
        for section in self.inf.repeated:
            self.say(1209, f"line {section.number}: [{section.name}] again")
        for name, section in self.inf.sections.items():
            if name.startswith("classinstall32"):
                self.say(1285, "[ClassInstall32] in a class of the system")
            elif name not in FIXED and name not in self.used:
                self.say(2083, f"[{section.name}] is not used")

    def run(self):
        self.check_version()
        self.check_files()
        self.check_models()
        self.check_tokens()
        self.check_sections()
        return self.found


def check(data, architecture, version):
    """Findings of an INF's bytes."""
    try:
        text = data.decode("ascii")
    except UnicodeDecodeError as error:
        return [f"1003: {error}"]
    try:
        return Checker(Inf(text), architecture, version).run()
    except Fault as fault:
        return [f"1002: {fault}"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--architecture", required=True, choices=("amd64", "x86"))
    parser.add_argument("--version", required=True)
    parser.add_argument("inf", type=pathlib.Path)
    arguments = parser.parse_args()
    found = check(arguments.inf.read_bytes(), arguments.architecture, arguments.version)
    for finding in found:
        print(f"{arguments.inf.name}: {finding}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
