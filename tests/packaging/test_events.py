#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The event messages: the numbers the driver logs, each with a text."""
import pathlib
import re
import struct
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
WINDMC = "x86_64-w64-mingw32-windmc"
UNICODE = 1  # flag of a message


def messages(table):
    """A message table resource: number -> text."""
    texts = {}
    (blocks,) = struct.unpack_from("<I", table)
    for block in range(blocks):
        low, high, at = struct.unpack_from("<III", table, 4 + 12 * block)
        for number in range(low, high + 1):
            length, flags = struct.unpack_from("<HH", table, at)
            assert flags == UNICODE
            texts[number] = table[at + 4:at + length].decode("utf-16-le").rstrip("\0")
            at += length
    return texts


class EventsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([WINDMC, "-U", "-h", folder, "-r", folder, ROOT / "packaging/windows/events.mc"], check=True)
            cls.header = (pathlib.Path(folder) / "events.h").read_text()
            cls.texts = messages((pathlib.Path(folder) / "MSG00409.bin").read_bytes())
        cls.driver = dict(re.findall(r"#define (LECTERN_\w+)\s+\(\(LONG\)(0x\w+)\)",
                                     (ROOT / "reader/events.h").read_text()))

    def test_numbers_are_the_drivers(self):
        ours = re.findall(r"#define (LECTERN_\w+)\s+\(NTSTATUS\)\s*(0x\w+)", self.header)
        self.assertTrue(ours)
        self.assertEqual({name: int(number, 16) for name, number in ours},
                         {name: int(number, 16) for name, number in self.driver.items()})

    def test_every_number_has_a_text(self):
        self.assertEqual(set(self.texts), {int(number, 16) for number in self.driver.values()})
        for text in self.texts.values():
            self.assertRegex(text, r"^%1: .+\.\r?\n$")
            self.assertNotIn("%2", text)  # the driver inserts nothing

    def test_the_driver_logs_each(self):
        logged = "".join(path.read_text() for path in (ROOT / "reader").rglob("*.c"))
        for name in self.driver:
            self.assertIn(name, logged)


if __name__ == "__main__":
    unittest.main()
