#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Behind `./quire bench`: runs the benchmark in every system that is asked for, prints tables,
writes JSON, and makes docs/performance out of JSON. The options are those of `./quire bench
--help`; it adds --root, --kernel, --meter, and first --check, which only looks at the options.
For tests there are --qemu and --cores, those of this machine."""
import argparse
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time

import budgets
import document
import machine
import systems
import tables
from progress import Progress, duration

FORMAT = 1
CPUS_MAX = 64
LINUX_CASES_SHARE = 0.75  # of ours it has as well
DEFAULT_SMP = "1,2,8,32,64"
QUICK_SMP = "1,2,8"


def fail(text):
    print(f"quire: bench: {text}", file=sys.stderr)
    sys.exit(2)


# ---- arguments ----


class Parser(argparse.ArgumentParser):
    def error(self, message):
        fail(f"{message}; see ./quire bench --help")


def parse(arguments):
    parser = Parser(add_help=False, allow_abbrev=False)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--smp")
    parser.add_argument("--against", default="")
    parser.add_argument("--json")
    parser.add_argument("--timeout", type=int, default=3600)
    parser.add_argument("--keep")
    parser.add_argument("--show")
    parser.add_argument("--update-docs", action="store_true")
    parser.add_argument("--budgets", action="store_true")
    parser.add_argument("--update-budgets", action="store_true")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--root", required=True)
    parser.add_argument("--kernel")
    parser.add_argument("--meter")
    parser.add_argument("--qemu", default="qemu-system-x86_64")
    parser.add_argument("--cores", type=int, default=os.cpu_count() or 1)
    parser.add_argument("cases", nargs="*")
    return parser.parse_args(arguments)


def numbers(text):
    found = []
    for word in text.split(","):
        if not word.isdecimal() or not 1 <= int(word) <= CPUS_MAX:
            fail(f"--smp {text}: numbers of CPUs from 1 to {CPUS_MAX}, with commas between them")
        if int(word) not in found:
            found.append(int(word))
    return found


def peers(text):
    found = [word for word in text.split(",") if word]
    for word in found:
        if word not in ("linux", "allocators"):
            fail(f"--against {word}: linux and allocators are what there is to compare with")
    return found


def check_cases(wanted, known):
    for word in wanted:
        if not systems.chosen(known, [word]):
            fail(f"no case has the name '{word}'; bench/cases.h lists them")


# ---- the plan ----


def make_plan(smp, against):
    """[(system, cpus)]; Linux as shipped at the smallest number of CPUs only."""
    plan = []
    for cpus in sorted(smp):
        plan.append(("quire", cpus))
        if "linux" in against:
            plan.append(("linux", cpus))
            if cpus == min(smp):
                plan.append(("linux-shipped", cpus))
    if "allocators" in against:
        plan.append(("host", 0))
    return plan


def make_steps(plan, case_count, quick, cores):
    """For the progress line: names, cases, and the seconds that they took on some machine."""
    steps = []
    for system, cpus in plan:
        if system == "host":
            steps.append(("allocators of this machine", case_count, 150 if quick else 900))
            continue
        runs = 1 if cpus == 1 or cpus > cores * systems.CPUS_PER_CORE else 2
        # Both modes; in a second run ours has the second one only.
        cases = case_count * (2 if runs == 1 else 3 if system == "quire" else 4)
        each, boot = (0.1, 1) if system == "quire" else (0.6, 20)
        if system != "quire":
            cases = max(1, int(cases * LINUX_CASES_SHARE))
        seconds = runs * boot + cases * each * (1 + cpus / 8) * (1 if quick else 4)
        steps.append((f"{system}, {tables.cpu_count(cpus)}", cases, seconds))
    return steps


def measure(options, smp, against, settings, folder):
    plan = make_plan(smp, against)
    known = systems.all_cases(settings["root"])
    case_count = len(systems.chosen(known, settings["cases"]))
    steps = make_steps(plan, case_count, settings["quick"], settings["cores"])
    progress = Progress(steps)
    report = {"format": FORMAT, "benchmark": "quire",
              "made": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
              "command": shlex.join(["./quire", "bench"] + options),
              "quick": settings["quick"], "smp": sorted(smp), "against": against,
              "machine": machine.describe(),
              "versions": machine.versions(settings["root"], settings["qemu"]),
              "operations": known, "runs": []}
    for system, cpus in plan:
        progress.begin()
        out = os.path.join(folder, f"{system}-{cpus}")
        if system == "host":
            report["host"] = result = systems.run_host(settings, out, progress)
        else:
            result = systems.run(system, settings, cpus, out, progress)
            report["runs"].append(result)
        progress.end("failed" if result.get("problem") else "done")
    print(f"bench: {duration(time.monotonic() - progress.start)} in all", file=sys.stderr)
    return report


# ---- files ----


def load(path):
    try:
        with open(path, encoding="utf-8") as file:
            report = json.load(file)
    except OSError as error:
        fail(f"{path}: {error.strerror}")
    except ValueError as error:
        fail(f"{path}: not JSON: {error}")
    if not isinstance(report, dict) or report.get("format") != FORMAT:
        fail(f"{path}: not a report of ./quire bench, or of another version of it")
    return report


def as_json(report):
    """Indented, but a figure to a line: such files are long, and are compared line by line."""
    lines = []

    def place(values):
        lines.extend(json.dumps(value) for value in values)
        return [f"@@{n}@@" for n in range(len(lines) - len(values), len(lines))]

    outline = json.loads(json.dumps(report))
    for run in outline["runs"]:
        for holder in (run, run.get("parallel", {})):
            for key in ("figures", "totals", "notes"):
                holder.update({key: place(holder[key])} if key in holder else {})
    if "cases" in outline.get("host", {}):
        outline["host"]["cases"] = place(outline["host"]["cases"])
    text = json.dumps(outline, indent=1)
    return re.sub(r'"@@(\d+)@@"', lambda match: lines[int(match.group(1))], text) + "\n"


def save(path, report):
    """The file is there completely or not at all."""
    try:
        with open(path + ".new", "w", encoding="utf-8") as file:
            file.write(as_json(report))
        os.replace(path + ".new", path)
    except OSError as error:
        fail(f"{path}: {error.strerror}; the figures are lost to it, but stand above")


def check_writable(path):
    folder = os.path.dirname(path) or "."
    if not os.path.isdir(folder) or not os.access(folder, os.W_OK) or os.path.isdir(path):
        fail(f"--json {path}: cannot be written")


def linux_cases(settings):
    """The chosen cases that Linux has as well; None: it has none of them."""
    script = os.path.join(settings["root"], "bench/peers/linux/run.sh")
    try:
        names = subprocess.run([script, "--list"], stdout=subprocess.PIPE, check=True, text=True,
                               stderr=subprocess.DEVNULL).stdout.split()
    except (OSError, subprocess.SubprocessError):
        return settings["cases"]
    found = systems.chosen(names, settings["cases"])
    return (found if settings["cases"] else []) if found else None


def main(arguments):
    options = parse(arguments)
    if options.show:
        report = load(options.show)
    else:
        asked = check(options)
        if options.check:
            return 0
        if options.budgets or options.update_budgets:
            return within_budgets(options)
        report = measure_as_asked(options, *asked)
    print(tables.text(report), end="")
    if options.update_docs:
        for path in document.update(options.root, report):
            print(f"bench: written: {path}", file=sys.stderr)
    return 1 if incomplete(report) else 0


def incomplete(report):
    entries = report["runs"] + [run["parallel"] for run in report["runs"] if "parallel" in run]
    return any(entry.get("problem") or entry.get("failed") for entry in entries) or \
        bool(report.get("host", {}).get("problem"))


def check(options):
    """Numbers of CPUs and what to compare with."""
    smp = numbers(options.smp or (QUICK_SMP if options.quick else DEFAULT_SMP))
    against = peers(options.against)
    check_cases(options.cases, systems.all_cases(options.root))
    if options.json:
        check_writable(options.json)
    if options.timeout < 1:
        fail(f"--timeout {options.timeout}: at least one second")
    return smp, against


def make_settings(options):
    if not options.kernel or not options.meter:
        fail("--kernel and --meter are missing; ./quire bench builds both")
    return {"root": options.root, "kernel": os.path.abspath(options.kernel),
            "meter": os.path.abspath(options.meter), "qemu": options.qemu, "cores": options.cores,
            "quick": options.quick, "cases": options.cases, "timeout": options.timeout}


def within_budgets(options):
    """The exit status: 2 where nothing was compared."""
    settings = make_settings(options)
    known = systems.all_cases(options.root)
    with tempfile.TemporaryDirectory(prefix="quire-bench-") as folder:
        try:
            return budgets.run(settings, known, options.update_budgets, options.keep or folder,
                               Progress)
        except budgets.BadBudgets as error:
            fail(str(error))


def measure_as_asked(options, smp, against):
    settings = make_settings(options)
    settings["linux_cases"] = linux_cases(settings) if "linux" in against else []
    if settings["linux_cases"] is None:
        print("quire: bench: Linux has none of these cases", file=sys.stderr)
        against.remove("linux")
    with tempfile.TemporaryDirectory(prefix="quire-bench-") as folder:
        report = measure(arguments_of(options), smp, against, settings, options.keep or folder)
    if options.json:
        save(options.json, report)
    return report


def arguments_of(options):
    """The command line of ./quire bench that asks for this."""
    words = ["--quick"] if options.quick else []
    for name in ("smp", "against", "json"):
        if getattr(options, name):
            words += [f"--{name}", getattr(options, name)]
    return words + options.cases


def on_terminate(_signal, _frame):
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, on_terminate)
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        fail("interrupted")
    except BrokenPipeError:
        sys.exit(1)
