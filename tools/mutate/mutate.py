#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Changes the code in small ways, one at a time, and looks whether a test fails.

`./quire mutate --help` says how to call it; docs/testing.md what the figures mean. Each mutant is
a copy of one function (schemata.py), all of them in one build, which an environment variable tells
apart. Only test cases that enter the function are run, fast ones first, until one fails.
"""

import argparse
import concurrent.futures
import fcntl
import os
import signal
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path[:0] = [HERE, os.path.join(HERE, "..", "hostbuild")]

import report                                                       # noqa: E402
from bench import Bench, stem_of                                    # noqa: E402
from build import Builder, CompileError, copy_tree, digest          # noqa: E402
from mutants import KILLED, SURVIVED, TIMED_OUT, deal, draw, find, number, sites_of, sources  # noqa: E402
from packages import BuildError                                     # noqa: E402
from programs import COPIED_BUILDS, COPIED_FOLDERS, find_explorer, find_programs   # noqa: E402
from results import Reasons, Results, covering                      # noqa: E402

REASONS = "tests/mutation/reasons.txt"
TRY_OUT_SECONDS = 300


def say(text):
    print(f"mutate: {text}", file=sys.stderr, flush=True)


def options(arguments):
    parser = argparse.ArgumentParser(prog="./quire mutate", usage=argparse.SUPPRESS)
    parser.add_argument("files", nargs="*", metavar="FILE")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--changed", nargs="?", const="HEAD")
    parser.add_argument("--sample", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--budget", type=float, default=20)
    parser.add_argument("--tests", nargs="*")
    parser.add_argument("--root", required=True)
    parser.add_argument("--work")
    parser.add_argument("--reasons")
    parser.add_argument("--fresh", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--output")
    parsed = parser.parse_args(arguments)
    if not (parsed.files or parsed.all or parsed.changed):
        parser.error("say what to mutate: --changed, --all, or files such as vm/vm_pool.c")
    for name in ("sample", "jobs", "budget"):
        if getattr(parsed, name) is not None and getattr(parsed, name) <= 0:
            parser.error(f"--{name} wants a number above 0")
    return parsed


def work_folder(parsed):
    if parsed.work:
        return os.path.abspath(parsed.work)
    top = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(top, "quire", "mutate-" + digest(os.path.abspath(parsed.root))[:8])


def changed_lines(root, since):
    """{path: lines} that differ from a commit, new files included."""
    done = subprocess.run(["git", "-C", root, "diff", "--unified=0", "--no-color", since, "--",
                           "vm", "smp"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, check=False)
    if done.returncode != 0:
        raise ValueError(f"git diff {since}: {done.stderr.strip()}")
    lines, path = {}, None
    for line in done.stdout.splitlines():
        if line.startswith("+++ "):
            path = line[6:] if line.startswith("+++ b/") and line.endswith(".c") else None
        elif line.startswith("@@") and path:
            first, _, count = line.split("+")[1].split(" ")[0].partition(",")
            lines.setdefault(path, set()).update(
                range(int(first), int(first) + int(count or 1)))
    listed = subprocess.run(["git", "-C", root, "ls-files", "--others", "--exclude-standard",
                             "--", "vm", "smp"], stdout=subprocess.PIPE, text=True, check=False)
    for path in listed.stdout.split():
        if path.endswith(".c"):
            lines[path] = range(1, 100000)
    return lines


def choose(parsed, tree):
    lines = changed_lines(parsed.root, parsed.changed) if parsed.changed else None
    files = sources(tree, parsed.files or sorted(lines or ()))
    if lines is not None and not lines:
        return []
    found = draw(find(tree, files, lines), parsed.sample, parsed.seed)
    # Bazel's way to deal one test to many machines.
    if "TEST_TOTAL_SHARDS" in os.environ:
        found = deal(found, int(os.environ["TEST_SHARD_INDEX"]),
                     int(os.environ["TEST_TOTAL_SHARDS"]))
        if "TEST_SHARD_STATUS_FILE" in os.environ:
            with open(os.environ["TEST_SHARD_STATUS_FILE"], "w", encoding="utf-8"):
                pass
    return number(found)


class Runner:
    """Runs mutants, a few at a time, and shows how far it is."""

    def __init__(self, bench, mutants, results, budget):
        self.bench, self.results, self.budget = bench, results, budget
        self.mutants = [m for m in mutants if m.real]
        self.plans = {}
        self.start = time.monotonic()
        self.run_count = 0
        self.stop = threading.Event()
        self.killers = {}   # of each site, the last one
        self.kills = {}     # of each file, how often each program
        for path, sites in sites_of(mutants).items():
            for site in sites:
                plan = bench.plan(site.number)
                for mutant in site.mutants:
                    self.plans[mutant.number] = (site.number, plan)

    def run(self, jobs):
        waiting = []
        for mutant in self.mutants:
            known = digest(covering(self.plans[mutant.number][1], self.bench.digests),
                           str(self.budget))
            if not self.results.look_up(mutant, self.bench.digests, known):
                waiting.append((mutant, known))
        cached = len(self.mutants) - len(waiting)
        if cached:
            say(f"{cached} mutants are known from before")
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            for future in [pool.submit(self.one, m, k, len(waiting)) for m, k in waiting]:
                future.result()

    def one(self, mutant, known, of):
        if self.stop.is_set():
            return
        site, plan = self.plans[mutant.number]
        path = mutant.mutation.path
        kills = self.kills.setdefault(path, {})
        plan = self.bench.choose(plan, stem_of(path), kills, self.budget)
        # What killed the last mutant of this function is asked first.
        plan.sort(key=lambda entry: entry[0].name != self.killers.get(site))
        status = SURVIVED
        for program, cases in plan:
            if self.stop.is_set():
                return
            failed = self.bench.run(mutant, program, cases)
            if failed is not None:
                status = KILLED if failed else TIMED_OUT
                mutant.by = program.name
                self.killers[site] = program.name
                kills[program.name] = kills.get(program.name, 0) + 1
                break
        mutant.status = status
        self.results.add(mutant, self.bench.digests, known)
        self.run_count += 1
        self.progress(mutant, of)

    def progress(self, mutant, of):
        took = time.monotonic() - self.start
        left = took / self.run_count * (of - self.run_count)
        if mutant.status == SURVIVED or self.run_count % 25 == 0 or self.run_count == of:
            say(f"{self.run_count} of {of}, {left / 60:.0f} min left; "
                f"{mutant.mutation.path}:{mutant.mutation.line} {mutant.status}")


def lock(work):
    """One run at a time in a folder; the lock goes with the process."""
    os.makedirs(work, exist_ok=True)
    stream = open(os.path.join(work, "lock"), "w", encoding="utf-8")
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise ValueError(f"another run works in {work}; wait for it, or say --work DIR") from error
    return stream


def measure(parsed, work):
    tree = os.path.join(work, "tree")
    copy_tree(parsed.root, tree, COPIED_FOLDERS + COPIED_BUILDS)
    mutants = choose(parsed, tree)
    if not mutants:
        say("nothing to mutate")
        return [], tree
    if parsed.list:
        for m in mutants:
            print(f"{m.mutation.path}:{m.mutation.line}: {m.mutation.function.name}: "
                  f"{m.mutation.family}: {report.one_line(m.mutation.old)} -> "
                  f"{report.one_line(m.mutation.new)}")
        return [], tree
    programs = find_programs(tree) + find_explorer(tree)
    if parsed.tests:
        programs = [p for p in programs if p.name in parsed.tests or p.short in parsed.tests]
    if not programs:
        raise ValueError("no test program was found")
    builder = Builder(tree, os.path.join(work, "build"), parsed.jobs)
    bench = Bench(builder, programs, say)
    bench.build(mutants)
    say("running all tests without a mutant ...")
    for name in bench.try_out(parsed.jobs, TRY_OUT_SECONDS):
        say(f"{name} fails without a mutant: it is left out")
    if not bench.cases:
        raise ValueError("no test passes without a mutant")
    results = Results(os.path.join(work, "results.jsonl"), parsed.fresh)
    runner = Runner(bench, mutants, results, parsed.budget)
    say(f"running {len(runner.mutants)} mutants; the others of {len(mutants)} do not compile "
        "or are no change of the code")
    signal.signal(signal.SIGINT, lambda *_: runner.stop.set())
    signal.signal(signal.SIGTERM, lambda *_: runner.stop.set())
    runner.run(parsed.jobs)
    if runner.stop.is_set():
        say("stopped; the same command goes on from here")
    builder.close()
    return mutants, tree


def write_report(parsed, mutants, tree):
    reasons = Reasons(parsed.reasons or os.path.join(parsed.root, REASONS))
    for entry in reasons.stale(tree):
        say(f"a reason is about a line that is gone: {entry}")
    judged, texts = report.judge(mutants, reasons, tree)
    files, total = report.tabulate(judged)
    text = "\n".join(report.survivors(judged, texts) + [""] + report.table(files, total))
    waiting = sum(m.status is None for m in mutants)
    if waiting:
        text += f"\n{waiting} mutants were not run: the scores are those of the others only"
    print(text)
    if parsed.output:
        with open(parsed.output, "w", encoding="utf-8") as stream:
            stream.write(text + "\n")
    problems = report.below(files, total)
    for problem in problems:
        print(problem)
    return 1 if problems else 0


def main(arguments):
    parsed = options(arguments)
    try:
        Reasons(parsed.reasons or os.path.join(parsed.root, REASONS))
        work = work_folder(parsed)
        with lock(work):
            mutants, tree = measure(parsed, work)
            return write_report(parsed, mutants, tree) if mutants else 0
    except CompileError as error:
        say(str(error)[:4000])
    except (BuildError, ValueError, OSError) as error:
        if os.environ.get("QUIRE_DEBUG_TOOLS"):
            raise
        say(str(error))
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
