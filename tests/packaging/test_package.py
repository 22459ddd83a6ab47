#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The zip: what is in it and what is not, and that it is the same each time. The images are stand-ins."""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "packaging" / "windows" / "package.py"
sys.path.insert(0, str(PACKAGE.parent))
import package  # noqa: E402

VERSION = os.environ["LECTERN_VERSION"]
TOP = f"lectern-{VERSION}-windows"


def make_build(folder, version, mark):
    folder.mkdir(parents=True)
    (folder / "CMakeCache.txt").write_text(f"CMAKE_PROJECT_NAME:STATIC=lectern\nCMAKE_PROJECT_VERSION:STATIC={version}\n")
    (folder / "lectern.sys").write_bytes(b"reader " + mark)
    (folder / "smclib.sys").write_bytes(b"library " + mark)


def run(folder, versions=(VERSION, VERSION)):
    for name, version in zip(package.ARCHITECTURES, versions):
        make_build(folder / name, version, name.encode())
    return subprocess.run([sys.executable, PACKAGE, "--x64", folder / "x64", "--x86", folder / "x86", "--output",
                           folder / "out"], capture_output=True, text=True, check=False)


class PackageTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)

    def zip(self, name="one"):
        result = run(self.folder / name)
        self.assertEqual(result.returncode, 0, result.stderr)
        return pathlib.Path(result.stdout.strip())

    def test_contents(self):
        with zipfile.ZipFile(self.zip()) as content:
            files = {name.removeprefix(TOP + "/"): content.read(name) for name in content.namelist()}
        library = package.LIBRARY
        self.assertEqual(set(files), {
            "README.txt", "LICENSE.txt", "windows.md", "test-sign.sh", f"{library}/README.txt"}
            | {f"{folder}/lectern.{kind}" for folder in ("x64", "x86") for kind in ("inf", "sys", "cdf")}
            | {f"{library}/{folder}/smclib.sys" for folder in ("x64", "x86")})
        for folder, decoration in package.ARCHITECTURES.items():
            self.assertEqual(files[f"{folder}/lectern.sys"], b"reader " + folder.encode())
            self.assertEqual(files[f"{library}/{folder}/smclib.sys"], b"library " + folder.encode())
            self.assertIn(f"NT{decoration}.10.0".encode(), files[f"{folder}/lectern.inf"])
            # Whatever the INF could name beside lectern.sys is not even in its folder.
            self.assertNotIn(b"smclib", files[f"{folder}/lectern.inf"])
        for name in ("README.txt", "x64/lectern.inf", "x64/lectern.cdf"):
            self.assertEqual(files[name].count(b"\n"), files[name].count(b"\r\n"), name)
            self.assertNotIn(b"@VERSION@", files[name])

    def test_catalog_definition(self):
        with zipfile.ZipFile(self.zip()) as content:
            lines = content.read(f"{TOP}/x64/lectern.cdf").decode().split("\r\n")
        self.assertIn("Name=lectern.cat", lines)
        for name in ("lectern.inf", "lectern.sys"):
            self.assertIn(f"<HASH>{name}={name}", lines)
        ids = [line.split(":", 2)[2] for line in lines if ":HWID" in line]
        self.assertEqual(ids, [f"usb\\class_0b&subclass_00&prot_0{n}" for n in range(3)])
        numbers = [line.split("=")[0] for line in lines if line.startswith("CATATTR")]
        self.assertEqual(numbers, [f"CATATTR{n}" for n in range(1, 5)])

    def test_same_bytes(self):
        first = self.zip("one").read_bytes()
        later = self.folder / "two"
        second = self.zip("two")
        os.utime(later / "x64" / "lectern.sys", (1, 1))
        self.assertEqual(first, second.read_bytes())

    def test_builds_of_two_versions(self):
        result = run(self.folder / "mixed", (VERSION, "9.9.9"))
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("different versions", result.stderr)

    def test_inf_of_another_version(self):
        result = run(self.folder / "newer", ("9.9.9", "9.9.9"))
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("DriverVer", result.stderr)


if __name__ == "__main__":
    unittest.main()
