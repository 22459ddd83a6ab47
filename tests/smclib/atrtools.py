# SPDX-License-Identifier: MIT
"""The list of ATRs of pcsc-tools, and what smclib, ATR_analysis and pyscard read from them, in the same words."""
import concurrent.futures
import json
import re
import subprocess
import sys
import tempfile

sys.path.append("/usr/lib/python3/dist-packages")
from smartcard.ATR import ATR  # noqa: E402
from smartcard.Exceptions import SmartcardException  # noqa: E402

LIST = "/usr/share/pcsc/smartcard_list.txt"
PROGRAM = "/usr/bin/ATR_analysis"
CURRENTS = [25, 50, 100, 50]


def instantiate(pattern):
    """One ATR that the pattern matches; None when the line is no pattern of bytes."""
    text = re.sub(r"\[([0-9A-F])[^\]]*\]", r"\1", pattern.upper())
    text = " ".join(text.replace(".*", "").replace(".", "0").split())
    return text if re.fullmatch(r"[0-9A-F]{2}( [0-9A-F]{2})*", text) else None


def read_list():
    """(ATRs, counts): every entry of the list once, patterns as one ATR that they match."""
    counts = {"entries": 0, "patterns": 0, "unreadable": 0}
    atrs = {}
    with open(LIST, encoding="utf-8") as lines:
        for line in lines:
            line = line.rstrip("\n")
            if not line.strip() or line[0] in "#\t":
                continue
            atr = instantiate(line.strip())
            counts["entries"] += 1
            counts["unreadable"] += atr is None
            counts["patterns"] += atr is not None and atr != line.strip().upper()
            if atr is not None:
                atrs.setdefault(atr)
    return list(atrs), counts


def run(command, atrs):
    """What the command prints when it is given these ATRs; two processes share them."""
    parts = [atrs[:len(atrs) // 2], atrs[len(atrs) // 2:]]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen(command, **pipes) for _ in parts]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        texts = list(pool.map(lambda job: job[0].communicate("\n".join(job[1]) + "\n")[0], zip(processes, parts)))
    if any(process.returncode != 0 for process in processes):
        sys.exit(f"{command[0]} failed")
    return "".join(texts)


# Each reading is a dict of fields; of a field that is None the tool says nothing. "usable" is its verdict.


def read_smclib(program, atrs):
    readings = {}
    for line in run([program], atrs).splitlines():
        facts = json.loads(line)
        atr = facts.pop("atr")
        facts["usable"] = facts.pop("status") == 0
        facts["convention"] = "inverse" if facts.pop("inverse") else "direct"
        facts["specific"] = not facts.pop("negotiable")
        readings[atr] = facts if facts["usable"] else {"usable": False}
    return readings


LINES = [  # what a line of ATR_analysis says
    (r"\+ TS = .. --> (Direct|Inverse) Convention", lambda f, m: f.update(convention=m[1].lower())),
    (r"\+ TS = .. --> UNDEFINED", lambda f, m: f.update(usable=False)),
    (r"\+ T0 = .*K: (\d+)", lambda f, m: f.update(k=int(m[1]))),
    (r"TA\(1\) = .. --> Fi=(\w+), Di=(\w+)", lambda f, m: f.update(f=m[1], d=m[2])),
    (r"TB\(1\) = .. --> VPP is not", lambda f, m: f.update(p=0, ii=None)),  # it then says nothing of II
    (r"TB\(1\) = .. --> Programming Param P: (\d+) Volts, I: (\d+)",
     lambda f, m: f.update(p=10 * int(m[1]), ii=CURRENTS[int(m[2]) & 3])),
    (r"TB\(2\) = .. --> .*: (\d+)", lambda f, m: f.update(p=int(m[1]))),
    (r"TC\(1\) = .. --> Extra guard time: (\d+)", lambda f, m: f.update(n=int(m[1]))),
    (r"TC\(2\) = .. --> Work waiting time: 960 x (\d+)", lambda f, m: f.update(wi=int(m[1]))),
    (r"TA\(2\) = .. --> Protocol to be used in spec mode: T=(\d+)", lambda f, m: f.update(ta2=int(m[1]))),
    (r"TD\(\d+\) = .*Protocol T = (\d+)", lambda f, m: f["types"].append(int(m[1]))),
    (r"TA\(\d+\) = .. --> IFSC: (\d+)", lambda f, m: f.setdefault("ifsc", int(m[1]))),
    (r"TB\(\d+\) = .. --> Block Waiting Integer: (\d+) - Character Waiting Integer: (\d+)",
     lambda f, m: (f.setdefault("bwi", int(m[1])), f.setdefault("cwi", int(m[2])))),
    (r"TC\(\d+\) = .. --> Error detection code: (\w+)", lambda f, m: f.setdefault("edc", m[1])),
    (r"\+ Historical bytes: (.*)", lambda f, m: f.update(historical=m[1].replace(" ", ""))),
    (r" ERROR! ATR is (truncated|too long)", lambda f, m: f.update(usable=False)),
    (r"\+ TCK = .*WRONG", lambda f, m: f.update(usable=False)),
]
DEFAULTS = {"f": "372", "d": "1", "n": 0, "ii": 50, "p": 50, "wi": 10, "ifsc": 32, "bwi": 4, "cwi": 13, "edc": "LRC"}


def complete(facts):
    """The fields that follow from others, and what an absent byte stands for."""
    types = facts.pop("types")
    for field, value in DEFAULTS.items():
        facts.setdefault(field, value)
    facts["protocols"] = (0 in types or not types) | (1 in types) << 1
    if "RFU" in (facts["f"], facts["d"]) or facts["protocols"] == 0:
        facts["usable"] = False
    else:
        facts["f"], facts["d"] = int(facts["f"]), int(facts["d"])
    facts["edc"] = {"LRC": 0, "CRC": 1}.get(facts["edc"], facts["edc"])
    one = facts["protocols"] in (1, 2) and (facts["f"], facts["d"]) == (372, 1)
    facts["specific"] = facts.pop("ta2", None) is not None or one
    return facts


def read_block(block):
    facts = {"usable": True, "types": []}
    for line in re.sub("\033\\[\\d*m", "", block).splitlines():
        for pattern, store in LINES:
            match = re.search(pattern, line)
            if match:
                store(facts, match)
                break
    k = facts.pop("k", None)
    # The program ends without a word where the bytes end, be that too early or not.
    if k is None or k > len(facts.setdefault("historical", "")) // 2:
        facts["usable"] = False
    facts["historical"] = facts["historical"][:2 * (k or 0)]
    return complete(facts)


def read_analysis(script, atrs):
    with tempfile.TemporaryDirectory() as folder:
        with open(folder + "/smartcard_list.txt", "w", encoding="ascii") as patterns:
            patterns.write(".*\n\tany card\n\n")
        text = run(["perl", script, PROGRAM, folder], atrs)
    readings = {}
    for block in text.split("=== ")[1:]:
        atr, _, rest = block.partition("\n")
        readings[atr] = read_block(rest)
    return readings


def first_for_t1(atr, values):
    """The first byte of a kind from group 3 on that follows a TD naming T=1."""
    for i in range(2, len(values)):
        if values[i] is not None and atr.TD[i - 1] & 15 == 1:
            return values[i]
    return None


def read_pyscard_one(text):
    try:
        atr = ATR([int(byte, 16) for byte in text.split()])
    except (SmartcardException, IndexError):
        return {"usable": False}
    facts = {"usable": True, "types": [td & 15 for td in atr.TD if td is not None]}
    found = {
        "n": atr.getGuardTime(),
        "wi": atr.TC[1] if len(atr.TC) > 1 else None,
        "ta2": atr.TA[1] & 15 if len(atr.TA) > 1 and atr.TA[1] is not None else None,
        "ifsc": first_for_t1(atr, atr.TA),
    }
    wait, edc = first_for_t1(atr, atr.TB), first_for_t1(atr, atr.TC)
    if wait is not None:
        found.update(bwi=wait >> 4, cwi=wait & 15)
    if edc is not None:
        found["edc"] = "CRC" if edc & 1 else "LRC"
    facts.update((field, value) for field, value in found.items() if value is not None)
    facts["f"], facts["d"] = str(atr.getClockRateConversion()), str(atr.getBitRateFactor())
    facts["ii"], facts["p"] = atr.getProgrammingCurrent(), 10 * atr.getProgrammingVoltage()
    facts["convention"] = {0x3B: "direct", 0x3F: "inverse"}[atr.TS]
    facts["historical"] = "".join(f"{byte:02X}" for byte in atr.getHistoricalBytes())
    if atr.getHistoricalBytesCount() != atr.K or (atr.hasChecksum and not atr.checksumOK):
        facts["usable"] = False
    return complete(facts)


def read_pyscard(atrs):
    return {atr: read_pyscard_one(atr) for atr in atrs}
