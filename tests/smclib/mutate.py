#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""mutate.py [--build DIR] [--count N | --all] [--file NAME]: does the library's test suite notice small faults?

Breaks one place of smclib/ at a time (a comparison, a bound, a constant, a missing call, a wrong answer), links every
test program of tests/smclib with the broken object, and runs them until one fails. What survives is tried once more
with ASan and UBSan, which see an access out of bounds that changes no answer. Mutants that do not compile do not
count. Prints the score and the survivors; exit status 1 below 90 %. The choice of mutants is the same every time.
"""
import argparse
import concurrent.futures
import hashlib
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TESTS = ["t0", "raw", "atr", "card", "pts", "t1", "t1recover", "t1recorded", "removelock", "request", "macro", "emulator", "control", "power", "attributes", "log",
         "allocation", "tracking", "pollreader", "t1noise"]  # fast ones first
TIME_LIMIT = 40  # seconds; a mutant that hangs is noticed
THRESHOLD = 90
SKIPPED = ("abi.c", "abidebug.c", "abivalues.c")  # only compile-time assertions: every mutant fails to compile

SWAPS = [(r" < ", " <= "), (r" <= ", " < "), (r" > ", " >= "), (r" >= ", " > "), (r" == ", " != "), (r" != ", " == "),
         (r" && ", " || "), (r" \|\| ", " && "), (r" \+ ", " - "), (r" - ", " + "), (r" & ", " | "), (r" \| ", " & "),
         (r"\^= 1", "^= 0"), (r"\+\+", "--"), (r" << ", " >> "), (r" >> ", " << "),
         (r"\bTRUE\b", "FALSE"), (r"\bFALSE\b", "TRUE"), (r" \+= ", " -= "), (r" -= ", " += ")]
CALL = re.compile(r"^ +(?:\(VOID\) )?[A-Z]\w+\(.*\);$")
ASSIGNMENT = re.compile(r"^ +[\w>.\[\]*()-]+ [|&+-]?= [^;]*;$")
NUMBER = re.compile(r"(?<![\w.\"'])(0x[0-9A-Fa-f]+|\d+)(?:U|UL|ULL)?(?![\w.\"']|\] =)")  # no array sizes
STATUS = re.compile(r"\bSTATUS_(?!SUCCESS\b|PENDING\b)\w+")


def line_mutants(line):
    """(what, new line) for every small change to one line of code."""
    code = line.split("//")[0].rstrip()
    if not code or code.lstrip().startswith(("#", "static const char", "_", "*", "C_ASSERT")):
        return
    for pattern, new in SWAPS:
        for match in re.finditer(pattern, code):
            yield f"{match[0].strip()} -> {new.strip()}", code[:match.start()] + new + code[match.end():]
    for match in NUMBER.finditer(code):
        value = int(match[1], 0)
        yield f"{match[1]} -> {value + 1}", code[:match.start(1)] + str(value + 1) + code[match.end(1):]
    for match in STATUS.finditer(code):
        yield f"{match[0]} -> STATUS_UNEXPECTED_IO_ERROR", code.replace(match[0], "STATUS_UNEXPECTED_IO_ERROR", 1)
    if CALL.match(code):
        yield "call removed", re.sub(r"^( +).*", r"\1;", code)
    elif ASSIGNMENT.match(code):
        yield "assignment removed", re.sub(r"^( +).*", r"\1;", code)
    if re.match(r"^ +return .*\bstatus\b.*;$", code):
        yield "status forgotten", re.sub(r"return .*;", "return STATUS_SUCCESS;", code)


def all_mutants(only):
    mutants = []
    for name in sorted(os.listdir(f"{ROOT}/smclib")):
        if not name.endswith(".c") or name in SKIPPED or (only and name != only):
            continue
        with open(f"{ROOT}/smclib/{name}", encoding="utf-8") as source:
            lines = source.read().splitlines()
        for number, line in enumerate(lines):
            mutants += [(name, number, what, new) for what, new in line_mutants(line)]
    # In an order that has nothing to do with the place, and never changes.
    return sorted(mutants, key=lambda m: hashlib.sha256(repr((m[0], lines_key(m))).encode()).digest())


def lines_key(mutant):
    return mutant[2], mutant[3].strip(), mutant[1]


class Builder:
    def __init__(self, build, compiler, sanitizers):
        self.build = build
        targets = [f"smclib_{test}_test" for test in TESTS]
        subprocess.run(["cmake", "-S", ROOT, "-B", build, "-G", "Ninja", f"-DCMAKE_C_COMPILER={compiler}",
                        "-DCMAKE_BUILD_TYPE=RelWithDebInfo", f"-DLECTERN_SANITIZE={sanitizers}"], check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["cmake", "--build", build, "--target", *targets], check=True, stdout=subprocess.DEVNULL)
        commands = subprocess.run(["ninja", "-C", build, "-t", "compdb"], check=True, capture_output=True, text=True)
        self.compile = {os.path.basename(entry["file"]): entry for entry in json.loads(commands.stdout)
                        if entry["file"].startswith(f"{ROOT}/smclib/")}
        self.link = {}
        for test in TESTS:
            steps = subprocess.run(["ninja", "-C", build, "-t", "commands", f"smclib_{test}_test"], check=True,
                                   capture_output=True, text=True).stdout.splitlines()
            self.link[test] = [word for word in shlex.split(steps[-1]) if word not in (":", "&&")]

    def compile_mutant(self, name, text, folder):
        """The object of a broken source; None when it does not compile."""
        entry = self.compile[name]
        source, target = f"{folder}/{name}", f"{folder}/mutant.o"
        with open(source, "w", encoding="utf-8") as file:
            file.write(text)
        words = shlex.split(entry["command"])
        words[words.index("-o") + 1] = target
        words[-1] = source
        # What a mutant leaves unused or always true is not the compiler's to judge.
        run = subprocess.run([*words, "-w", f"-I{ROOT}/smclib"], cwd=self.build, capture_output=True, check=False)
        return target if run.returncode == 0 else None

    def link_test(self, test, target, folder):
        words = list(self.link[test])
        place = words.index("-o")
        words[place + 1] = f"{folder}/test"
        # Before the library, whose own object is then not taken.
        run = subprocess.run(words[:place] + [target] + words[place:], cwd=self.build, capture_output=True, check=False)
        return run.returncode == 0


def passes(program):
    with subprocess.Popen([program], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          start_new_session=True) as process:
        try:
            return process.wait(timeout=TIME_LIMIT) == 0
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return False


def judge_with_all(builders, mutant):
    """The sanitizers cost time, so they see only what survives without them."""
    result = judge(builders[0], mutant)
    for builder in builders[1:]:
        if result == "survived":
            seen = judge(builder, mutant)
            result = f"{seen} with sanitizers" if seen.startswith("killed") else result
    return result


def judge(builder, mutant):
    """"killed by TEST", "survived" or "not built"."""
    name, number, _, new = mutant
    with open(f"{ROOT}/smclib/{name}", encoding="utf-8") as source:
        lines = source.read().splitlines()
    lines[number] = new
    with tempfile.TemporaryDirectory() as folder:
        target = builder.compile_mutant(name, "\n".join(lines) + "\n", folder)
        if target is None:
            return "not built"
        for test in TESTS:
            if not builder.link_test(test, target, folder):
                return "not built"
            if not passes(f"{folder}/test"):
                return f"killed by {test}"
    return "survived"


def untouched():
    with open(f"{ROOT}/smclib/atr.c", encoding="utf-8") as source:
        return "atr.c", 0, "", source.readline().rstrip("\n")


def report(builders, mutants, wanted):
    killed, survivors = 0, []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        chosen = iter(mutants)
        waiting = {}
        while True:
            while len(waiting) < os.cpu_count() and killed + len(survivors) + len(waiting) < wanted:
                mutant = next(chosen, None)
                if mutant is None:
                    break
                waiting[pool.submit(judge_with_all, builders, mutant)] = mutant
            if not waiting:
                break
            done, _ = concurrent.futures.wait(waiting, return_when=concurrent.futures.FIRST_COMPLETED)
            for future in done:
                name, number, what, new = waiting.pop(future)
                result = future.result()
                killed += result.startswith("killed")
                if result == "survived":
                    survivors.append((name, number, what, new))
                if result != "not built":
                    print(f"{result:36} {name}:{number + 1}: {what}: {new.strip()}", flush=True)
    return killed, sorted(survivors)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=f"{ROOT}/build/mutate", help="build folder (build/mutate)")
    parser.add_argument("--count", type=int, default=200, help="mutants to judge (200)")
    parser.add_argument("--all", action="store_true", help="judge every mutant")
    parser.add_argument("--file", help="only mutants of this source")
    arguments = parser.parse_args()
    mutants = all_mutants(arguments.file)
    builders = [Builder(arguments.build, "gcc", ""), Builder(f"{arguments.build}-asan", "clang-14", "address,undefined")]
    if judge_with_all(builders, untouched()) != "survived":
        sys.exit("the tests fail without any mutant")
    killed, survivors = report(builders, mutants, len(mutants) if arguments.all else arguments.count)
    total = killed + len(survivors)
    print(f"\n{killed} of {total} mutants killed ({100 * killed / max(total, 1):.1f} %), {len(mutants)} possible; survivors:")
    for name, number, what, new in survivors:
        print(f"  smclib/{name}:{number + 1}: {what}: {new.strip()}")
    return 0 if total > 0 and 100 * killed >= THRESHOLD * total else 1


if __name__ == "__main__":
    sys.exit(main())
