#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""compat_test.py SOURCE: compat/driver.c compiles with our headers in every way drivers are built.

Two compilers for each processor, C and C++, each of the header's switches; a warning fails. The native compilers go
through the shim. What a switch must do is asked of the preprocessor.
"""
import concurrent.futures
import itertools
import os
import subprocess
import sys

SOURCE = sys.argv[1]
DRIVER = f"{SOURCE}/tests/smclib/compat/driver.c"
DDK = "/usr/share/mingw-w64/include"
WARNINGS = ["-Wall", "-Wextra", "-Werror", "-Wno-multichar", "-Wno-unknown-pragmas", "-Wno-ignored-attributes"]
MINGW = ["-isystem", f"{DDK}/ddk", "-isystem", DDK, "-ffreestanding"]
SHIM = ["-fshort-wchar", "-mms-bitfields", "-include", f"{SOURCE}/nthost/ddk/prefix.h", "-isystem",
        f"{SOURCE}/nthost/ddk", "-isystem", f"{DDK}/ddk", "-isystem", DDK]
# mingw's headers define these two twice where C++ minds.
CPP = ["-x", "c++", "-std=gnu++11", "-D__INTRINSIC_DEFINED_InterlockedBitTestAndSet",
       "-D__INTRINSIC_DEFINED_InterlockedBitTestAndReset"]
COMPILERS = {
    "x64 gcc": ["x86_64-w64-mingw32-gcc", *MINGW],
    "x86 gcc": ["i686-w64-mingw32-gcc", *MINGW],
    "x64 clang": ["clang-14", "--target=x86_64-w64-mingw32", *MINGW],
    "x86 clang": ["clang-14", "--target=i686-w64-mingw32", *MINGW],
    "x64 C++": ["clang-14", "--target=x86_64-w64-mingw32", *MINGW, *CPP],
    "x86 C++": ["clang-14", "--target=i686-w64-mingw32", *MINGW, *CPP],
    "native gcc": ["gcc", "-std=gnu11", *SHIM],
    "native clang": ["clang-14", "-std=gnu11", *SHIM],
}
KINDS = {
    "free": [],
    "DBG=0": ["-DDBG=0"],
    "DBG=1": ["-DDBG=1", "-DEXPECT_DEBUG"],
    "DEBUG=1": ["-DDEBUG=1", "-DEXPECT_DEBUG"],
}
SWITCHES = {
    "plain": [],
    "_ISO_TABLES_": ["-D_ISO_TABLES_"],
    "POOL_TAGGING": ["-DPOOL_TAGGING"],
    "DEBUG_INTERFACE": ["-DDEBUG_INTERFACE"],
    "all": ["-D_ISO_TABLES_", "-DPOOL_TAGGING", "-DDEBUG_INTERFACE", "-DUNICODE"],
}


def compile_one(compiler, *flags):
    command = [*compiler, *WARNINGS, "-D_WIN32_WINNT=0x0601", f"-I{SOURCE}/include", *flags, DRIVER]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def every_way():
    failed = 0
    ways = list(itertools.product(COMPILERS, KINDS, SWITCHES))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(lambda way: compile_one(COMPILERS[way[0]], "-fsyntax-only", *KINDS[way[1]],
                                                   *SWITCHES[way[2]]), ways)
    for (compiler, kind, switch), result in zip(ways, results):
        if result.returncode != 0:
            failed += 1
            print(f"{compiler}, {kind}, {switch}:\n{result.stderr[:1500]}")
    print(f"{len(ways) - failed} of {len(ways)} ways compile")
    return failed


def expands(wanted, *flags):
    """Does the preprocessed driver hold this text exactly as often as told?"""
    text = compile_one(COMPILERS["x64 gcc"], "-E", "-P", *flags).stdout
    wrong = [f"{count} x {part!r}, found {text.count(part)} ({' '.join(flags)})"
             for part, count in wanted.items() if text.count(part) != count]
    print("\n".join(wrong), end="\n" if wrong else "")
    return len(wrong)


def main():
    failed = every_way()
    failed += expands({"DbgPrint (": 0, "CLOCK_RATE_CONVERSION ClockRateConversion[]": 0})
    failed += expands({"ExAllocatePoolWithTag(NonPagedPool, sizeof(READER_EXTENSION), 'bLcS')": 1}, "-DPOOL_TAGGING")
    failed += expands({"static CLOCK_RATE_CONVERSION ClockRateConversion[]": 1,
                       "static BIT_RATE_ADJUSTMENT BitRateAdjustment[]": 1}, "-D_ISO_TABLES_")
    failed += expands({'"COMPAT"': 2}, "-DDBG=1", "-DEXPECT_DEBUG")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
