#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test-sign.sh: signatures that verify, and stop verifying when a byte changes; a key that only its owner can read."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "packaging" / "windows" / "test-sign.sh"
IMAGE = pathlib.Path(os.environ["LECTERN_IMAGE"])


def run(*arguments):
    return subprocess.run(list(arguments), capture_output=True, text=True, check=False)


class SignTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.package, self.keys = (pathlib.Path(temporary.name) / name for name in ("a package", "keys"))
        (self.package / "x64").mkdir(parents=True)
        (self.package / "x64" / "lectern.inf").write_text("")
        self.image = self.package / "x64" / "lectern.sys"
        shutil.copy(IMAGE, self.image)

    def verify(self):
        return run("osslsigncode", "verify", "-CAfile", self.keys / "test.pem", "-in", self.image).returncode

    def test_signs(self):
        result = run(SCRIPT, self.package, self.keys)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(self.verify(), 0)
        self.assertEqual((self.keys / "test.key").stat().st_mode & 0o077, 0)
        self.assertTrue((self.package / "lectern-test.cer").is_file())
        self.assertEqual([path.name for path in self.package.rglob("*.signed")], [])
        for remaining in ("make x64/lectern.cat", "Secure Boot off", "paid EV certificate"):
            self.assertIn(remaining, result.stdout)

    def test_same_key_again(self):
        self.assertEqual(run(SCRIPT, self.package, self.keys).returncode, 0)
        key = (self.keys / "test.key").read_bytes()
        self.assertEqual(run(SCRIPT, self.package, self.keys).returncode, 0)
        self.assertEqual((self.keys / "test.key").read_bytes(), key)
        self.assertEqual(self.verify(), 0)

    def test_changed_image(self):
        self.assertEqual(run(SCRIPT, self.package, self.keys).returncode, 0)
        data = bytearray(self.image.read_bytes())
        data[0x420] ^= 1
        self.image.write_bytes(data)
        self.assertNotEqual(self.verify(), 0)

    def test_not_an_image(self):
        self.image.write_bytes(b"not an image")
        self.assertNotEqual(run(SCRIPT, self.package, self.keys).returncode, 0)

    def test_usage(self):
        self.assertEqual(run(SCRIPT).returncode, 2)
        self.assertEqual(run(SCRIPT, self.package / "missing").returncode, 2)


if __name__ == "__main__":
    unittest.main()
