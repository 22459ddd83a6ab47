#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The INF breaks no rule; every rule notices a copy that breaks it."""
import os
import pathlib
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "packaging" / "windows"))
import package  # noqa: E402
from check_inf import check  # noqa: E402

VERSION = os.environ["LECTERN_VERSION"] + ".0"
TEMPLATE = (ROOT / "packaging" / "windows" / "lectern.inx").read_text(encoding="ascii")

# Rule, what the INF says, what the spoilt copy says.
SPOILT = (
    ("1001", '"$Windows NT$"', '"$Amiga$"'),
    ("1002", "[Strings]", "[Strings"),
    ("1002", '"Lectern driver package"', '"Lectern driver package'),
    ("1002", "; SPDX", "SPDX = 1\n; SPDX"),
    ("1003", "Lectern driver", "Lectürn driver"),
    ("1011", "Models,NTamd64", "Models,NTx86,NTamd64"),
    ("1013", "%Provider% = Models", "; none"),
    ("1017", "AddService = lectern", "AddService = usbccid"),
    ("1199", "10.0...16299", "10.0...14393"),
    ("1203", "CopyFiles = Lectern.Files", "CopyFiles = Lectern.Missing"),
    ("1203", "Lectern.Service,Lectern.EventLog", "Lectern.Service,Lectern.Missing"),
    ("1204", 'Provider = "Lectern"', 'Provider = "Microsoft Corporation"'),
    ("1206", "AddReg = Lectern.Events", "AddReg = Lectern.Hardware"),
    ("1209", "[Strings]", "[Lectern.Files]\nlectern.sys\n[Strings]"),
    ("1211", "lectern,0x00000002", "lectern,0x00000000"),
    ("1213", "lectern.sys = 1", "lectern.sys = 1\nlectern.cat = 1"),
    ("1214", "lectern.cat", "lectern.zip"),
    ("1217", ",0.1.0.0", ",0.1"),
    ("1218", "11/25/2026", "2026-11-25"),
    ("1218", "11/25/2026", "25/11/2026"),
    ("1222", "HKR,,EscapeCommandEnable", "HKR,Sub,EscapeCommandEnable"),
    ("1223", "HKR,,EscapeCommandEnable", "HKR,,Security"),
    ("1229", "lectern.sys = 1", "lectern.sys = 2"),
    ("1230", "lectern.sys = 1", "lecturn.sys = 1"),
    ("1233", "CatalogFile", ";CatalogFile"),
    ("1235", "%TokenB%    = Lectern", "%TokenC%    = Lectern"),
    ("1235", '"%%SystemRoot%%\\System32', '"%SystemRoot%\\System32'),
    ("1241", "%13%\\lectern.sys\nLoad", "%12%\\lectern.sys\nLoad"),
    ("1250", "Lectern.EventLog\n", "Lectern.EventLog,Everything\n"),
    ("1254", "%13%\\lectern.sys\nLoad", "%13%\\other.sys\nLoad"),
    ("1254", "%13%\\lectern.sys\nLoad", "C:\\lectern.sys\nLoad"),
    ("1262", "TypesSupported,0x00010001", "TypesSupported,0x0F010001"),
    ("1263", "0x00010001,7", "0x00010001,seven"),
    ("1271", "USB\\Class_0B&SubClass_00&Prot_02", "USB Class_0B"),
    ("1271", "%TokenA%    = Lectern, USB\\Class_0B&SubClass_00&Prot_01", "%TokenA%    = Lectern"),
    ("1274", "NTamd64.10.0...16299\n", "NT$ARCH$.10.0...16299\n"),
    ("1275", "DefaultDestDir = 13", "Lectern.Files = 13"),
    ("1280", "= SmartCardReader\nClassGuid", "= USB\nClassGuid"),
    ("1280", "{50DD5230", "{60DD5230"),
    ("1285", "[Strings]", "[ClassInstall32]\n[Strings]"),
    ("1287", "Models,NTamd64", "Models,NTia64"),
    ("1287", "Models,NTamd64", "Models,NTx86"),
    ("1289", "lectern,0x00000002,Lectern.Service", "lectern,associated,Lectern.Service"),
    ("1289", "ErrorControl ", ";ErrorControl "),
    ("1289", "StartType      = 3", "StartType      = 0"),
    ("1300", "0x00010003", "0x00010005"),
    ("1320", "HKR,,EscapeCommandEnable", "HKLM,,EscapeCommandEnable"),
    ("1322", "DefaultDestDir = 13", "DefaultDestDir = 12"),
    ("1324", "PnpLockdown", ";PnpLockdown"),
    ("1324", "PnpLockdown = 1", "PnpLockdown = 0"),
    ("1329", "HKR,,EscapeCommandEnable,0x00010003,0", 'HKR,,UpperFilters,0x00010000,"x"'),
    ("2004", "CopyFiles = Lectern.Files", "CopyFiles = Lectern.Files\nDelFiles = Lectern.Files"),
    ("2004", "CopyFiles = Lectern.Files", "CopyFiles = Lectern.Files\nRegisterDlls = Lectern.Files"),
    ("2004", "DisplayName ", "Color "),
    ("2004", "PnpLockdown = 1", "PnpLockdown = 1\nDriverPackageType = PlugAndPlay"),
    ("2083", "[Strings]", "[Lectern.Spare]\n[Strings]"),
    ("own", "lectern.sys = 1", "lectern.sys = 1\nsmclib.sys = 1"),
    ("own", ",0.1.0.0", ",9.9.9.9"),
)


class InfTest(unittest.TestCase):
    def test_shipped(self):
        for decoration in package.ARCHITECTURES.values():
            inf = package.windows_text(package.stamp(TEMPLATE, decoration))
            self.assertEqual(check(inf, decoration, VERSION), [])

    def test_spoilt(self):
        good = package.stamp(TEMPLATE, "amd64")
        for rule, old, new in SPOILT:
            with self.subTest(rule=rule, new=new):
                self.assertEqual(good.count(old), 1 if old != "10.0...16299" else 2)
                found = check(good.replace(old, new).encode("utf-8"), "amd64", VERSION)
                self.assertTrue([line for line in found if line.startswith(rule + ":")], found)


if __name__ == "__main__":
    unittest.main()
