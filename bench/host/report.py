#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Usage: report.py FOLDER RESULT.json

Makes one JSON file, and a table on stdout, out of what run.sh left in FOLDER:

    time-NAME-THREADS-ROUND.json  Google Benchmark's output, for each program, threads and round
    count-NAME.txt                what the program said under callgrind: "counted CASE OPERATIONS"
    count-NAME.out.N              callgrind's file for line N of these
    settings.json                 what was asked for, versions and the commands

NAME is quire or an allocator. The figures of a case are per operation:

    ns_min, ns_median, ns_rounds  nanoseconds over the rounds; with one thread CPU time, with more
                                  the time until the last thread was done, divided by the
                                  operations of one thread
    instructions                  the mean of instructions_rounds; with one thread only
    ratio_ns, ratio_instructions  quire divided by the best peer: below 1, quire costs less
"""
import json
import os
import platform
import re
import statistics
import sys

OURS = "quire"


class BadInput(Exception):
    """A file in the folder is missing or not what it should be."""


def read_text(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}") from error


def read_json(path):
    try:
        return json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise BadInput(f"{path}: not JSON (line {error.lineno}): {error.msg}") from error


# ---- one file ----


def times_of(path, name, threads):
    """{case: nanoseconds per operation} of one run, and the version of what ran."""
    run = read_json(path)
    try:
        context = run["context"]
        if context["allocator"] != name or int(context["threads"]) != threads:
            raise BadInput(f"{path}: it is of {context['allocator']}, {context['threads']} threads")
        ops = int(context["ops_per_iteration"])
        # With several threads the program measures by itself, which appears as real time.
        clock = "cpu_time" if threads == 1 else "real_time"
        times = {}
        for row in run["benchmarks"]:
            if row["time_unit"] != "ns":
                raise BadInput(f"{path}: {row['name']} is in {row['time_unit']}, not ns")
            times[row["name"].split("/")[0]] = row[clock] / ops
        return times, context["allocator_version"]
    except (KeyError, TypeError, ValueError) as error:
        raise BadInput(f"{path}: not what the benchmark writes: {error!r}") from error


def total_of(path):
    """Instructions in one of callgrind's files."""
    totals = re.search(r"^totals: (\d+)$", read_text(path), re.MULTILINE)
    if totals is None:
        raise BadInput(f"{path}: no line 'totals: N', so callgrind did not finish it")
    return int(totals.group(1))


def counts_of(folder, name):
    """{case: [instructions per operation, once for each pair of counted calls]}"""
    path = os.path.join(folder, f"count-{name}.txt")
    calls = re.findall(r"^counted (\S+) (\d+)$", read_text(path), re.MULTILINE)
    counts = {}
    if not calls or len(calls) % 2 != 0:
        raise BadInput(f"{path}: {len(calls)} counted calls, but they come in pairs")
    for i in range(0, len(calls), 2):
        (case, few), (other, many) = calls[i], calls[i + 1]
        if case != other or int(few) >= int(many):
            raise BadInput(f"{path}: calls {i + 1} and {i + 2} are no pair")
        totals = [total_of(os.path.join(folder, f"count-{name}.out.{i + n}")) for n in (1, 2)]
        per_op = (totals[1] - totals[0]) / (int(many) - int(few))
        counts.setdefault(case, []).append(round(per_op, 3))
    return counts


# ---- all files ----


def find_runs(folder):
    """{(name, threads): [path, ...]} in the order of rounds."""
    runs = {}
    try:
        entries = os.listdir(folder)
    except OSError as error:
        raise BadInput(f"{folder}: {error.strerror}") from error
    for entry in entries:
        match = re.fullmatch(r"time-(\w+)-(\d+)-(\d+)\.json", entry)
        if match:
            name, threads, number = match.group(1), int(match.group(2)), int(match.group(3))
            runs.setdefault((name, threads), []).append((number, os.path.join(folder, entry)))
    if not any(name == OURS for name, _ in runs):
        raise BadInput(f"{folder}: no time-{OURS}-THREADS-ROUND.json in it")
    return {key: [path for _, path in sorted(paths)] for key, paths in sorted(runs.items())}


def add_times(cases, versions, runs):
    for (name, threads), paths in runs.items():
        for path in paths:
            times, versions[name] = times_of(path, name, threads)
            for case, ns in times.items():
                result = cases.setdefault((threads, case), {}).setdefault(name, {})
                result.setdefault("ns_rounds", []).append(round(ns, 3))
    for results in cases.values():
        for result in results.values():
            result["ns_min"] = min(result["ns_rounds"])
            result["ns_median"] = round(statistics.median(result["ns_rounds"]), 3)


def add_counts(cases, folder, names):
    for name in names:
        for case, counts in counts_of(folder, name).items():
            result = cases.setdefault((1, case), {}).setdefault(name, {})
            result["instructions_rounds"] = counts
            result["instructions"] = round(statistics.mean(counts), 3)


def best_peer(results, field):
    """(name, figure) of the peer that costs least, or None."""
    peers = [(result[field], name) for name, result in results.items()
             if name != OURS and field in result]
    return min(peers)[::-1] if peers else None


def case_of(threads, name, results):
    case = {"name": name, "threads": threads, "clock": "cpu" if threads == 1 else "wall",
            "results": results}
    # The loop alone is there to be subtracted, not to be compared.
    if name.startswith("empty."):
        return case
    for field, short in (("ns_min", "ns"), ("instructions", "instructions")):
        best = best_peer(results, field)
        ours = results.get(OURS, {}).get(field)
        if best and best[1] > 0 and ours is not None:
            case[f"best_peer_{short}"] = {"name": best[0], short: best[1]}
            case[f"ratio_{short}"] = round(ours / best[1], 3)
    return case


def assemble(folder, machine):
    runs = find_runs(folder)
    names = sorted({name for name, _ in runs}, key=lambda name: (name != OURS, name))
    cases, versions = {}, {}
    add_times(cases, versions, runs)
    add_counts(cases, folder, names)
    settings = read_json(os.path.join(folder, "settings.json"))
    settings.setdefault("versions", {}).update(allocators=versions)
    return {"benchmark": "host", "machine": machine, **settings,
            "cases": [case_of(threads, name, results)
                      for (threads, name), results in cases.items()]}


# ---- this machine ----


def first_line(path, pattern):
    try:
        match = re.search(pattern, read_text(path), re.MULTILINE)
    except BadInput:
        return "unknown"
    return match.group(1).strip() if match else "unknown"


def describe_machine():
    return {"cpu": first_line("/proc/cpuinfo", r"^model name\s*:(.*)$"),
            "cpus": os.cpu_count(),
            "memory_kib": first_line("/proc/meminfo", r"^MemTotal:\s*(\d+)"),
            "kernel": platform.release(),
            "system": first_line("/etc/os-release", r'^PRETTY_NAME="?([^"\n]*)'),
            "load_average": os.getloadavg()[0]}


# ---- the table ----


def row_of(case):
    def pair(field, short):
        ours = case["results"].get(OURS, {}).get(field)
        best = case.get(f"best_peer_{short}")
        if ours is None:
            return ["", "", ""]
        if best is None:
            return [f"{ours:.1f}", "", ""]
        return [f"{ours:.1f}", f"{best[short]:.1f} {best['name']}", f"{case['ratio_' + short]:.2f}"]

    return [case["name"], str(case["threads"])] + pair("ns_min", "ns") + \
        pair("instructions", "instructions")


def table(report):
    rows = [["case", "threads", "ns", "best peer", "ratio", "instructions", "best peer", "ratio"]]
    rows += [row_of(case) for case in report["cases"]]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()
                     for row in rows)


def write_whole(path, text):
    """The file is there completely or not at all."""
    try:
        with open(path + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(path + ".new", path)
    except OSError as error:
        raise BadInput(f"{path}: cannot be written: {error.strerror}") from error


def main(arguments):
    if len(arguments) != 2:
        print(__doc__.split("\n", 1)[0], file=sys.stderr)
        return 2
    try:
        report = assemble(arguments[0], describe_machine())
        write_whole(arguments[1], json.dumps(report, indent=1) + "\n")
    except BadInput as error:
        print(f"report.py: {error}", file=sys.stderr)
        return 1
    print(table(report))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
