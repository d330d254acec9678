#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Modified condition/decision coverage of the portable code, by clang.

A condition of `a && b` counts when two runs differ in it alone and in what the decision gives.
`./quire coverage --mcdc` calls this; GCC has no such counters before version 14, clang has since
version 18.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(HERE, "..", "hostbuild"))

from build import GOOGLETEST, Builder, CompileError, copy_tree          # noqa: E402
from packages import BuildError                                         # noqa: E402
from programs import COPIED_BUILDS, COPIED_FOLDERS, find_programs       # noqa: E402

FOLDERS = ("vm", "smp", "kernel/sched")
FLOOR = 85
COUNTERS = ["-O0", "-g", "-fprofile-instr-generate", "-fcoverage-mapping", "-fcoverage-mcdc"]
# As for branches: what ends in a panic must never be true, a planted bug is a constant.
LEFT_ALONE = re.compile(r"\b(CHECK|CHECK_\w+|ASSERT|panic|PLANTED|\w+_ASSERT_\w+)\s*\(")
SECONDS_MAX = 900


def say(text):
    print(f"coverage: {text}", file=sys.stderr, flush=True)


def counted(path):
    return path.endswith(".c") and os.path.dirname(path) in FOLDERS


class Measure:
    def __init__(self, parsed):
        self.parsed = parsed
        self.tree = os.path.join(parsed.work, "tree")
        copy_tree(parsed.root, self.tree, COPIED_FOLDERS + COPIED_BUILDS)
        plain = os.path.join(parsed.work, "build")
        self.plain = Builder(self.tree, plain, parsed.jobs)
        self.clang = Builder(self.tree, os.path.join(parsed.work, "mcdc"), parsed.jobs,
                             cc="clang-" + parsed.clang, cxx="clang++-" + parsed.clang,
                             c_flags=COUNTERS, link_flags=["-fprofile-instr-generate"])
        self.profiles = os.path.join(parsed.work, "profiles")
        shutil.rmtree(self.profiles, ignore_errors=True)
        os.makedirs(self.profiles)
        self.programs = find_programs(self.tree)
        self.binaries = {}

    def build(self):
        say(f"compiling for {len(self.programs)} programs ...")
        shared = sorted({part for p in self.programs for part in p.parts})
        own = sorted({part for p in self.programs for part in p.own})
        tests = self.plain.precompiled()
        objects = {}
        for builder, jobs in (
                (self.clang, [(s, list(f), "") for s, f in shared if counted(s)]),
                (self.clang, [(os.path.join(HERE, "dump.c"), [], "")]),
                (self.plain, [(s, list(f), "") for s, f in shared if not counted(s)]),
                (self.plain, [(s, tests + list(f), "") for s, f in own]),
                (self.plain, [(GOOGLETEST + "/src/gtest_main.cc", tests, "")])):
            objects.update(zip([j[0] for j in jobs], builder.compile_all(jobs)))
        always = [objects[os.path.join(HERE, "dump.c")], self.plain.googletest(),
                  objects[GOOGLETEST + "/src/gtest_main.cc"]]
        say("linking ...")
        for program in self.programs:
            target = os.path.join(self.clang.work, "bin", program.name)
            parts = sorted({objects[s] for s, _f in program.own + program.parts})
            self.binaries[program.name] = target
            self.clang.link(target, parts + always)

    def run(self):
        """The names of programs that failed."""
        def one(program):
            name = program.name.replace("/", ".")
            environment = dict(os.environ, LLVM_PROFILE_FILE=os.path.join(
                self.profiles, name + "-%m.profraw"))
            try:
                done = subprocess.run([self.binaries[program.name], "--gtest_brief=1"],
                                      env=environment, stdout=subprocess.DEVNULL,
                                      stderr=subprocess.DEVNULL, timeout=SECONDS_MAX,
                                      check=False)
                return None if done.returncode == 0 else program.name
            except subprocess.TimeoutExpired:
                return program.name
        say("running all host tests ...")
        return [name for name in self.clang.pool.map(one, self.programs) if name]

    def tool(self, name, *arguments):
        done = subprocess.run([f"{name}-{self.parsed.clang}", *arguments],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              cwd=self.tree, check=False)
        if done.returncode != 0:
            raise CompileError(f"{name}-{self.parsed.clang}: {done.stderr.strip()}")
        return done.stdout

    def evaluate(self):
        """{path: [(line, [whether each condition was shown])]}, and the pages."""
        raw = sorted(os.path.join(self.profiles, n) for n in os.listdir(self.profiles))
        data = os.path.join(self.parsed.work, "all.profdata")
        self.tool("llvm-profdata", "merge", "-sparse", "-o", data, *raw)
        # One that has all files in it: counters belong to functions, not to programs.
        largest = max(self.programs, key=lambda p: len(p.parts))
        arguments = [self.binaries[largest.name], "-instr-profile=" + data]
        exported = json.loads(self.tool("llvm-cov", "export", "-format=text", *arguments))
        out = os.path.join(self.parsed.root, "coverage", "mcdc")
        shutil.rmtree(out, ignore_errors=True)
        sources = sorted({s for p in self.programs for s, _f in p.parts if counted(s)})
        self.tool("llvm-cov", "show", "-format=html", "-show-mcdc", "-show-branches=count",
                  "-output-dir=" + out, *arguments, *sources)
        return decisions(exported, self.tree)


def decisions(exported, tree):
    files = {}
    for file in exported["data"][0]["files"]:
        path = os.path.relpath(os.path.join(tree, file["filename"]), tree)
        if not counted(path):
            continue
        with open(os.path.join(tree, path), encoding="utf-8") as stream:
            lines = stream.read().splitlines()
        found = {}
        for record in file.get("mcdc_records", []):
            first, _column, last = record[:3]
            text = " ".join(lines[first - 1:last])
            conditions = record[-1]
            if LEFT_ALONE.search(text) or not isinstance(conditions, list):
                continue
            # The same place may stand there once for each form of a function.
            key = tuple(record[:4])
            old = found.get(key, [False] * len(conditions))
            found[key] = [a or b for a, b in zip(old, conditions)]
        files[path] = sorted((key[0], shown) for key, shown in found.items())
    return files


def tabulate(files):
    """[(folder, decisions, conditions, shown)]."""
    rows = []
    for folder in FOLDERS:
        some = [d for path, ds in files.items() if os.path.dirname(path) == folder for d in ds]
        rows.append((folder, len(some), sum(len(s) for _l, s in some),
                     sum(sum(s) for _l, s in some)))
    return rows


def show(files, with_missing):
    """The table; returns the folders below the floor."""
    if with_missing:
        for path, some in sorted(files.items()):
            for line, shown in some:
                missing = [str(n + 1) for n, yes in enumerate(shown) if not yes]
                if missing:
                    print(f"{path}:{line}: condition {', '.join(missing)} of {len(shown)}")
    low = []
    print(f"{'folder':18} {'decisions':>10} {'conditions':>11} {'MC/DC':>9}   floor")
    for folder, number, conditions, shown in tabulate(files):
        percent = 100 * shown / conditions if conditions else 100
        verdict = f"{FLOOR} %"
        if percent < FLOOR:
            low.append(folder)
            verdict += ": not reached"
        print(f"{folder + '/':18} {number:10} {conditions:11} {percent:7.1f} %   {verdict}")
    return low


def main(arguments):
    parser = argparse.ArgumentParser(prog="./quire coverage --mcdc", usage=argparse.SUPPRESS)
    parser.add_argument("--root", required=True)
    parser.add_argument("--work")
    parser.add_argument("--clang", default="19")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--missing", action="store_true")
    parsed = parser.parse_args(arguments)
    parsed.root = os.path.abspath(parsed.root)
    if parsed.work is None:
        top = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
        parsed.work = os.path.join(top, "quire", "mcdc")
    try:
        measure = Measure(parsed)
        measure.build()
        failed = measure.run()
        files = measure.evaluate()
    except (CompileError, BuildError, OSError) as error:
        say(str(error)[:4000])
        return 2
    low = show(files, parsed.missing)
    print("Each condition: coverage/mcdc/index.html")
    for name in failed:
        say(f"{name} failed; what it ran is counted all the same")
    return 1 if failed or low else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
