# SPDX-License-Identifier: BSD-2-Clause
"""Reads what a benchmark run leaves: the kernel's serial log and the meter's file.

Serial lines begin with 'bench: ' (bench/kernel/runner.c):

    bench: start cpus=8 build=release seed=1
    bench: case=1 name=page.pair mode=alone cpus=1 ops=1000 samples=11 ticks_min=...
    bench: note case=42 mode=alone ipi_commands=7 operations=1000
    bench: skipped case=36 name=kmem.64 mode=all: memory is short ...
    bench: FAIL case=..., bench: error ...
    bench: done cases=40 ...

The line "clock: TSC at 2596.155 MHz ..." of the boot says how long a tick is.

The meter's (bench/meter/samples.c) begin with 'meter: '; keys that this file does not know are
kept.
"""
import re

SIDES = ("own", "sys")
METRICS = ("insns", "locked", "transfers", "icr", "loads", "stores")
ALL_CPUS = 0x80

_BENCH = re.compile(r"^(?:\[[^\]]*\] *)?bench: (.*)$")
_CLOCK = re.compile(r"^(?:\[[^\]]*\] *)?clock: TSC at ([0-9.]+) MHz")
_WORD = re.compile(r"([a-z_0-9]+)=(\S+)")


class BadLog(Exception):
    """A file is not what it should be; the text says which line."""


def words(text):
    """{key: int or str} of the key=value words in a line."""
    found = {}
    for key, value in _WORD.findall(text):
        value = value.rstrip(":,")
        found[key] = int(value) if re.fullmatch(r"-?\d+", value) else value
    return found


def parse_serial(text):
    """{start, cases, notes, skipped, failed, done, tsc_mhz}; done is None if the end is missing."""
    log = {"start": {}, "cases": [], "notes": [], "skipped": [], "failed": [], "done": None,
           "tsc_mhz": None}
    for number, line in enumerate(text.splitlines(), 1):
        clock = _CLOCK.match(line.strip())
        if clock:
            log["tsc_mhz"] = float(clock.group(1))
        match = _BENCH.match(line.strip())
        if not match:
            continue
        rest = match.group(1)
        kind = re.match(r"[A-Za-z]*", rest).group()
        if kind == "case":
            log["cases"].append(_case(words(rest), number))
        elif kind == "note":
            log["notes"].append({**words(rest), "text": rest[len("note "):]})
        elif kind == "skipped":
            log["skipped"].append(rest[len("skipped "):])
        elif kind in ("FAIL", "error"):
            log["failed"].append(rest)
        elif kind in ("start", "done"):
            log[kind] = words(rest)
    return log


def _case(case, number):
    missing = [key for key in ("case", "name", "mode", "cpus", "ops", "samples") if key not in case]
    if missing:
        raise BadLog(f"serial log, line {number}: a case without {', '.join(missing)}")
    if case["mode"] not in ("alone", "all"):
        raise BadLog(f"serial log, line {number}: mode '{case['mode']}' is neither alone nor all")
    if not isinstance(case["ops"], int) or case["ops"] < 1:
        raise BadLog(f"serial log, line {number}: {case['ops']} operations in a sample")
    return case


def parse_meter(text):
    """{header, totals: {cpu: ...}, slots: {(marker, cpu): ...}}"""
    meter = {"header": {}, "totals": {}, "slots": {}}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.startswith("meter: "):
            raise BadLog(f"the meter's file, line {number}: does not begin with 'meter: '")
        found = words(line)
        if "case" in found:
            meter["slots"][found["case"], found["cpu"]] = found
        elif line.startswith("meter: total "):
            meter["totals"][found["cpu"]] = found
        else:
            meter["header"] = found
    if meter["header"].get("version") != 1:
        raise BadLog("the meter's file: its first line does not say version=1")
    return meter
