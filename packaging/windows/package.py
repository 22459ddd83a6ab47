#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the Windows package: one zip of the x64 and x86 builds. The same inputs give the same bytes."""
import argparse
import pathlib
import re
import sys
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
ARCHITECTURES = {"x64": "amd64", "x86": "x86"}  # folder of the package -> decoration in the INF
LIBRARY = "smclib-for-systems-without-one"
EARLIEST = (1980, 1, 1, 0, 0, 0)  # of a zip entry

CATALOG_DEFINITION = """[CatalogHeader]
Name=lectern.cat
ResultDir=.
PublicVersion=0x00000001
CatalogVersion=2
HashAlgorithms=SHA256
EncodingType=0x00010001
CATATTR1=0x10010001:OSAttr:2:10.0
{hardware}

[CatalogFiles]
<HASH>lectern.inf=lectern.inf
<HASH>lectern.sys=lectern.sys
"""


def stamp(template, decoration):
    return template.replace("$ARCH$", decoration)


def hardware_ids(inf):
    """The IDs of the model lines, as a catalog names them."""
    return [match.lower() for match in re.findall(r"^%\w+%\s*=\s*\w+\s*,\s*(USB\\\S+)", inf, re.M)]


def catalog_definition(inf):
    """What MakeCat makes lectern.cat from, where there is no Inf2Cat."""
    lines = [f"CATATTR{number}=0x10010001:HWID{number - 1}:{identifier}"
             for number, identifier in enumerate(hardware_ids(inf), start=2)]
    return CATALOG_DEFINITION.format(hardware="\n".join(lines))


def version_of(build):
    match = re.search(r"^CMAKE_PROJECT_VERSION:\w+=(.+)$", (build / "CMakeCache.txt").read_text(), re.M)
    return match[1] if match else None


def windows_text(text):
    return text.replace("\n", "\r\n").encode("ascii")


def contents(builds, version):
    """Path in the package -> bytes."""
    inf = (HERE / "lectern.inx").read_text(encoding="ascii")
    files = {
        "README.txt": windows_text((HERE / "README.txt").read_text().replace("@VERSION@", version)),
        "LICENSE.txt": windows_text((ROOT / "LICENSE").read_text()),
        "windows.md": (ROOT / "docs" / "windows.md").read_bytes(),
        "test-sign.sh": (HERE / "test-sign.sh").read_bytes(),
        f"{LIBRARY}/README.txt": windows_text((HERE / "README-smclib.txt").read_text()),
    }
    for folder, decoration in ARCHITECTURES.items():
        stamped = stamp(inf, decoration)
        files[f"{folder}/lectern.inf"] = windows_text(stamped)
        files[f"{folder}/lectern.cdf"] = windows_text(catalog_definition(stamped))
        files[f"{folder}/lectern.sys"] = (builds[folder] / "lectern.sys").read_bytes()
        files[f"{LIBRARY}/{folder}/smclib.sys"] = (builds[folder] / "smclib.sys").read_bytes()
    return files


def write_zip(path, top, files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        for name, data in sorted(files.items()):
            entry = zipfile.ZipInfo(f"{top}/{name}", EARLIEST)
            entry.create_system = 3  # Unix, for the mode of the script
            entry.external_attr = (0o100755 if name.endswith(".sh") else 0o100644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            package.writestr(entry, data)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for folder in ARCHITECTURES:
        parser.add_argument(f"--{folder}", required=True, type=pathlib.Path, help=f"build folder of {folder}")
    parser.add_argument("--output", required=True, type=pathlib.Path, help="folder for the zip")
    arguments = parser.parse_args()
    builds = {folder: getattr(arguments, folder) for folder in ARCHITECTURES}
    versions = {version_of(build) for build in builds.values()}
    if len(versions) != 1 or None in versions:
        sys.exit(f"package.py: the builds are of different versions: {versions}")
    version = versions.pop()
    if f",{version}.0\n" not in (HERE / "lectern.inx").read_text():
        sys.exit(f"package.py: DriverVer in lectern.inx is not {version}.0")
    top = f"lectern-{version}-windows"
    arguments.output.mkdir(parents=True, exist_ok=True)
    write_zip(arguments.output / f"{top}.zip", top, contents(builds, version))
    print(arguments.output / f"{top}.zip")


if __name__ == "__main__":
    main()
