#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""install_test.py SOURCE BUILD: a vendor's way from `cmake --install` to a driver, by find_package and by pkg-config.

BUILD is a native build, whose headers are tried alone, and once more with a distribution's folders; for x64 and x86
the library is built, installed to a prefix of its own, and examples/minimal is built against that prefix twice. Both
images must import the library's routines.
"""
import os
import subprocess
import sys
import tempfile

import pefile

SOURCE, BUILD = (os.path.abspath(path) for path in sys.argv[1:3])
EXAMPLE = f"{SOURCE}/examples/minimal"
DDK = "/usr/share/mingw-w64/include/ddk"
ROUTINES = {"SmartcardInitialize", "SmartcardExit", "SmartcardDeviceControl", "SmartcardUpdateCardCapabilities",
            "SmartcardT0Request", "SmartcardT0Reply", "SmartcardT1Request", "SmartcardT1Reply",
            "SmartcardAcquireRemoveLockWithTag", "SmartcardReleaseRemoveLockWithTag",
            "SmartcardReleaseRemoveLockAndWait"}
COMPILE = ["-O2", "-ffreestanding", "-fno-stack-protector", "-mno-stack-arg-probe", "-Wno-multichar", "-isystem", DDK]
LINK = ["-shared", "-nostdlib", "-Wl,--subsystem,native:6.1", "-Wl,--exclude-all-symbols"]


def run(*command, **keywords):
    result = subprocess.run(command, capture_output=True, text=True, check=False, **keywords)
    if result.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{result.stdout}{result.stderr}")
    return result.stdout


def install(build, prefix):
    run("cmake", "--install", build, "--component", "development", "--prefix", prefix)
    for header in ("smclib.h", "smcnt.h", "winsmcrd.h"):
        assert os.path.exists(f"{prefix}/include/lectern/{header}"), header


def pkg_config(prefix, *options):
    # The build's own prefix was another: what is said must follow the folder.
    environment = dict(os.environ, PKG_CONFIG_PATH=f"{prefix}/lib/pkgconfig:{prefix}/lib/x86_64-linux-gnu/pkgconfig",
                       PKG_CONFIG_ALLOW_SYSTEM_CFLAGS="1")
    return run("pkg-config", *options, "lectern", env=environment).split()


def check_image(path):
    imports = {entry.dll.lower(): {symbol.name.decode() for symbol in entry.imports}
               for entry in pefile.PE(path).DIRECTORY_ENTRY_IMPORT}
    assert imports[b"smclib.sys"] == ROUTINES, imports[b"smclib.sys"] ^ ROUTINES
    assert imports.keys() <= {b"smclib.sys", b"ntoskrnl.exe", b"hal.dll"}, imports.keys()


def compile_minimal(prefix):
    run("x86_64-w64-mingw32-gcc", *COMPILE, "-fsyntax-only", *pkg_config(prefix, "--cflags"), f"{EXAMPLE}/minimal.c")


def multiarch(folder):
    """As a distribution's package: the library folder is one level deeper."""
    build, prefix = f"{folder}/multiarch-build", f"{folder}/multiarch"
    run("cmake", "-S", SOURCE, "-B", build, "-G", "Ninja", "-DCMAKE_INSTALL_LIBDIR=lib/x86_64-linux-gnu")
    install(build, prefix)
    assert os.path.exists(f"{prefix}/lib/x86_64-linux-gnu/pkgconfig/lectern.pc")
    compile_minimal(prefix)


def headers_alone(folder):
    prefix = f"{folder}/native"
    install(BUILD, prefix)
    compile_minimal(prefix)
    assert pkg_config(prefix, "--libs") == []
    package = f"{folder}/package"
    os.makedirs(package)
    with open(f"{package}/CMakeLists.txt", "w", encoding="ascii") as lists:
        lists.write("cmake_minimum_required(VERSION 3.25)\nproject(p NONE)\nfind_package(Lectern 0.1 REQUIRED)\n"
                    "get_target_property(path Lectern::headers INTERFACE_INCLUDE_DIRECTORIES)\n"
                    "if(TARGET Lectern::smclib OR NOT EXISTS ${path}/smclib.h)\nmessage(FATAL_ERROR)\nendif()\n")
    run("cmake", "-S", package, "-B", f"{package}/build", "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={prefix}")


def by_cmake(folder, prefix, gcc):
    build = f"{folder}/cmake"
    run("cmake", "-S", EXAMPLE, "-B", build, "-G", "Ninja", "-DCMAKE_SYSTEM_NAME=Windows", f"-DCMAKE_C_COMPILER={gcc}",
        "-DCMAKE_TRY_COMPILE_TARGET_TYPE=STATIC_LIBRARY", f"-DLectern_DIR={prefix}/lib/cmake/Lectern")
    run("cmake", "--build", build)
    check_image(f"{build}/minimal.sys")


def by_pkg_config(folder, prefix, gcc):
    image = f"{folder}/minimal.sys"
    entry = "_DriverEntry@8" if gcc.startswith("i686") else "DriverEntry"
    run(gcc, *COMPILE, *pkg_config(prefix, "--cflags"), *LINK, f"-Wl,--entry,{entry}", "-o", image,
        *(f"{EXAMPLE}/{name}.c" for name in ("minimal", "callbacks", "hardware")), *pkg_config(prefix, "--libs"), "-lntoskrnl", "-lhal", "-lgcc")
    check_image(image)


def windows(folder, processor, gcc):
    folder = f"{folder}/{processor}"
    build, prefix = f"{folder}/build", f"{folder}/prefix"
    run("cmake", "-S", SOURCE, "-B", build, "-G", "Ninja", "--toolchain", f"{SOURCE}/cmake/mingw-{processor}.cmake")
    run("cmake", "--build", build, "--target", "smclib_sys", "smclib_import")
    install(build, prefix)
    by_cmake(folder, prefix, gcc)
    by_pkg_config(folder, prefix, gcc)


def main():
    with tempfile.TemporaryDirectory() as folder:
        headers_alone(folder)
        multiarch(folder)
        windows(folder, "x64", "x86_64-w64-mingw32-gcc")
        windows(folder, "x86", "i686-w64-mingw32-gcc")
    print("headers, x64 and x86: installed and used both ways")


if __name__ == "__main__":
    main()
