#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""libccid, Lectern and vpcd through the same unmodified pcscd, on the same emulated reader, in alternating order.

Each level of exchange has one pcscd for each of them, all there at once; a round asks each in turn, forwards and
backwards. Ratios are of the medians within one round, so that what else the machine does hits both sides alike.
"""
import argparse
import collections
import csv
import datetime
import json
import os
import pathlib
import platform
import statistics
import sys

sys.dont_write_bytecode = True  # this is the source tree
from contender import Contender, LIBCCID, VPCD

Level = collections.namedtuple("Level", "name model card setup apdus usb interface")
SELECT = ["00A4000C025000"]  # the DF with a file of any length
READ_16, READ_256, READ_2048 = "00B0840010", "00B0840000", "00B08400000800"
LEVELS = [  # what each is: name, model, card, the APDUs measured
    ("character T=0", "Oz776S", "t0", [READ_16, READ_256]),
    ("character T=1", "Oz776S", "t1", [READ_16, READ_256]),
    ("TPDU T=0", "GemPCTwin", "t0", [READ_16, READ_256]),
    ("TPDU T=1", "GemPCTwin", "t1", [READ_16, READ_256]),
    ("short APDU", "CherryST1044U", "t1", [READ_16, READ_256]),
    ("extended APDU", "BludriveIIv2", "t1-extended", [READ_16, READ_256, READ_2048]),
]
KINDS = ["libccid", "handler", "virtual", "images", "vpcd"]
COUNTERS = ["commands", "responses", "bytesOut", "bytesIn"]
BYTES = {READ_16: 16, READ_256: 256, READ_2048: 2048}


def find_levels(source, wanted):
    with open(source / "data/readers.tsv", newline="", encoding="utf-8") as table:
        rows = {row["reader"]: row for row in reversed(list(csv.DictReader(table, delimiter="\t")))}
    for name, model, card, apdus in LEVELS:
        row = rows[model]
        usb = f"{int(row['vid'], 16):04x}/{int(row['pid'], 16):04x}"
        if not wanted or name in wanted:
            yield Level(name, model, card, SELECT, apdus, usb, row["interface"])


def percentile(samples, share):
    return sorted(samples)[min(len(samples) - 1, int(len(samples) * share))]


def measure_wire(contender, request):
    before = contender.wire()
    count = len(contender.ask(request))
    after = contender.wire()
    return before and {name: (after[name] - before[name]) / count for name in COUNTERS}


class Series:
    """One number of one contender, round by round."""

    def __init__(self):
        self.rounds = []

    def summary(self, base):
        samples = [sample for part in self.rounds for sample in part]
        ratios = [statistics.median(own) / statistics.median(other)
                  for own, other in zip(self.rounds, base.rounds if base else [])]
        return {"p50": statistics.median(samples), "p99": percentile(samples, 0.99), "samples": len(samples),
                "ratio": statistics.median(ratios) if ratios else None,
                "ratios": [percentile(ratios, 0.1), percentile(ratios, 0.9)] if ratios else None}


def run_level(level, contenders, options):
    what = [f"apdu {options.apdus} {apdu}" for apdu in level.apdus] + [f"connect {options.connects}"]
    series = {(kind, request): Series() for kind in contenders for request in what}
    cpu = collections.Counter()
    for number in range(-1, options.rounds):  # the first only warms
        for kind in list(contenders)[::1 if number % 2 else -1]:
            for request in what:
                before = contenders[kind].cpu()
                samples = contenders[kind].ask(request)
                if number >= 0:
                    series[kind, request].rounds.append(samples)
                    cpu[kind, request] += contenders[kind].cpu() - before
    result = {}
    for kind, contender in contenders.items():
        numbers = {}
        for request, apdu in zip(what, level.apdus + [None]):
            one = series[kind, request].summary(series.get(("libccid", request)))
            one["cpu"] = cpu[kind, request] / one["samples"]
            one["wire"] = measure_wire(contender, request)
            numbers[f"read {BYTES[apdu]}" if apdu else "connect"] = one
        result[kind] = {"memory": contender.memory(), **numbers}
    return result


def with_contenders(level, kinds, options):
    contenders = {}
    try:
        for kind in kinds:
            contenders[kind] = Contender(kind, options.source, options.build, options.images, level)
        return run_level(level, contenders, options)
    finally:
        for contender in contenders.values():
            contender.stop()


def cell(value, form):
    return "-" if value is None else format(value, form)


def print_table(level, result):
    print(f"\n{level.name}: {level.model}, card {level.card}")
    print(f"  {'':18}{'':9}{'p50 us':>9}{'p99 us':>9}{'/libccid':>9}{'10..90 %':>13}{'CPU us':>8}"
          f"{'messages':>9}{'bytes':>8}{'RSS MiB':>9}")
    for request in list(next(iter(result.values())))[1:]:
        for kind, numbers in result.items():
            one, wire = numbers[request], numbers[request]["wire"]
            spread = "-" if one["ratios"] is None else "{:.2f}..{:.2f}".format(*one["ratios"])
            print(f"  {request:18}{kind:9}{one['p50']:9.1f}{one['p99']:9.1f}{cell(one['ratio'], '.2f'):>9}{spread:>13}"
                  f"{one['cpu']:8.1f}{cell(wire and wire['commands'] + wire['responses'], '.1f'):>9}"
                  f"{cell(wire and wire['bytesOut'] + wire['bytesIn'], '.0f'):>8}{numbers['memory']['Rss'] / 1024:9.1f}")
    sys.stdout.flush()


def machine():
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo", encoding="utf-8")
                  if line.startswith("model name")), platform.machine())
    return {"processor": model, "processors": os.cpu_count(), "kernel": platform.release(),
            "load": os.getloadavg()[0], "date": datetime.date.today().isoformat()}


def parse():
    source = pathlib.Path(__file__).resolve().parents[2]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=source / "build/native")
    parser.add_argument("--images", type=pathlib.Path, default=source / "build/windows-x64", help="lectern.sys is there")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--apdus", type=int, default=100, help="of each length in each round")
    parser.add_argument("--connects", type=int, default=5, help="in each round")
    parser.add_argument("--json", type=pathlib.Path, help="write all numbers there")
    parser.add_argument("--level", action="append", default=[], choices=[row[0] for row in LEVELS])
    parser.add_argument("--kind", action="append", default=[], choices=KINDS)
    options = parser.parse_args()
    options.source, options.build = source, options.build.resolve()
    options.images = options.images.resolve()
    return options


def missing(kind, options):
    needed = {"libccid": LIBCCID, "vpcd": VPCD, "images": options.images / "lectern.sys"}.get(kind)
    return needed if needed and not needed.exists() else None


def main():
    options = parse()
    kinds = []
    for kind in options.kind or KINDS:
        lacks = missing(kind, options)
        if lacks:
            print(f"compare.py: no {lacks}, {kind} is left out", file=sys.stderr)
        else:
            kinds.append(kind)
    report = {"machine": machine(), "rounds": options.rounds, "levels": []}
    for level in find_levels(options.source, options.level):
        result = with_contenders(level, kinds, options)
        print_table(level, result)
        report["levels"].append({"level": level.name, "model": level.model, "card": level.card, "contenders": result})
    report["machine"]["loadAfter"] = os.getloadavg()[0]
    print(f"\n{report['machine']}")
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    try:
        main()
    except RuntimeError as error:
        sys.exit(f"compare.py: {error}")
