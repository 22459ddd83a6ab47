#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Builds the shipped images again, from a copy of the tree in another folder, and compares them byte by byte."""
import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile

# What a build of the images reads.
PARTS = ("CMakeLists.txt", "cmake", "include", "smclib", "reader", "vbus", "emulator", "rig", "examples", "packaging",
         "tests")
IMAGES = ("lectern", "smclib")


def build(tree, folder, arguments):
    toolchain = tree / "cmake" / pathlib.Path(arguments.toolchain).name
    subprocess.run([arguments.cmake, "-S", tree, "-B", folder, "-G", "Ninja", "--toolchain", toolchain,
                    f"-DCMAKE_BUILD_TYPE={arguments.build_type}"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([arguments.cmake, "--build", folder, "-j", "2", "--target"] + [f"{i}_sys" for i in IMAGES],
                   check=True, stdout=subprocess.DEVNULL)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for option in ("cmake", "source", "build", "toolchain", "build-type"):
        parser.add_argument(f"--{option}", required=True)
    arguments = parser.parse_args()
    different = []
    with tempfile.TemporaryDirectory() as temporary:
        tree, folder = pathlib.Path(temporary) / "another tree", pathlib.Path(temporary) / "out"
        tree.mkdir()
        for part in PARTS:
            source = pathlib.Path(arguments.source) / part
            (shutil.copytree if source.is_dir() else shutil.copy)(source, tree / part)
        build(tree, folder, arguments)
        for image in (f"{name}.sys" for name in IMAGES):
            if (folder / image).read_bytes() != (pathlib.Path(arguments.build) / image).read_bytes():
                different.append(image)
    print("not reproduced: " + ", ".join(different) if different else "reproduced: " + ", ".join(IMAGES))
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
