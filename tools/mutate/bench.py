# SPDX-License-Identifier: BSD-2-Clause
"""The programs with mutants in them: built, tried without a mutant, run with one."""

import os
import re
import resource
import signal
import subprocess
import time

import schemata
from build import CompileError, digest, read, write_if_new
from mutants import NO_CODE, SAME, TWIN, sites_of
from programs import EXPLORER
from same_code import same

HERE = os.path.dirname(os.path.abspath(__file__))
# Compilations of one file: each leaves out the mutants in which the one before found errors.
ATTEMPTS_MAX = 8
SLOW_CASE_MS = 400
# The processor time that a run may take: so often what it took without a mutant, and some.
TIME_FACTOR, TIME_EXTRA_S = 6, 2
# Of the clock, for those that sleep for ever.
CLOCK_FACTOR, CLOCK_EXTRA_S = 4, 6
# Of each scenario.
SCHEDULES = "1000"
# Where Bazel or somebody else runs this, what is meant for it is not meant for the tests.
ENVIRONMENT = {name: value for name, value in os.environ.items()
               if not name.startswith(("TEST_", "GTEST_", "QUIRE_"))}
ENVIRONMENT.update(QUIRE_MODEL_OPS="20000")


class Case:
    """A test case, as it ran without any mutant."""

    def __init__(self, program, name, milliseconds, entered):
        self.program, self.name = program, name
        self.milliseconds = milliseconds
        self.entered = entered          # numbers of sites


class Bench:
    """Test programs that hold mutants."""

    def __init__(self, builder, programs, say):
        self.builder = builder
        self.programs = programs
        self.say = say
        self.cases = []
        self.binaries = {}
        self.digests = {}

    # ---- build ------------------------------------------------------------------------------

    def build(self, mutants):
        """Afterwards those that are none have their status."""
        builder = self.builder
        pch = builder.precompiled()
        shared = {part for p in self.programs for part in p.parts}
        files = sites_of(mutants)
        plain = [(path, list(flags), "") for path, flags in sorted(shared) if path not in files]
        runtime = [(os.path.join(HERE, "runtime.c"), ["-I" + HERE + "/../.."], "")]
        tests = {(part, p.kind) for p in self.programs for part in p.own}
        own = [(path, list(flags) + (pch if kind != EXPLORER else []), "")
               for (path, flags), kind in sorted(tests)]
        own.append((os.path.join(HERE, "gtest_main.cc"), pch + ["-I" + HERE + "/../.."], ""))
        jobs = plain + runtime + own
        self.say(f"compiling {len(jobs)} files ...")
        objects = dict(zip([j[0] for j in jobs], builder.compile_all(jobs)))
        objects["gtest"] = builder.googletest()
        self.say(f"compiling {len(mutants)} mutants in {len(files)} files ...")
        woven = builder.pool.map(lambda entry: (entry[0], self.weave(*entry)), files.items())
        objects.update(dict(woven))
        self.say(f"linking {len(self.programs)} programs ...")
        list(builder.pool.map(lambda p: self.link(p, objects), self.programs))

    def weave(self, path, sites):
        """The object of a file with its mutants; those without code get their status."""
        text = read(os.path.join(self.builder.tree, path)).decode()
        woven = os.path.join(self.builder.work, "woven", path.replace("/", "_"))
        for _ in range(ATTEMPTS_MAX):
            left = [s for s in sites if s.mutants]
            write_if_new(woven, schemata.weave(path, text, left))
            try:
                target = self.builder.compile(
                    woven, ["-ffunction-sections", "-fmax-errors=0", "-Wno-error",
                            "-iquote", os.path.dirname(path) or "."])
                break
            except CompileError as error:
                bad = schemata.guilty(str(error))
                if not bad:
                    raise
                for site in left:
                    for mutant in site.mutants:
                        if mutant.number in bad:
                            mutant.status = NO_CODE
                    site.mutants = [m for m in site.mutants if m.number not in bad]
        else:
            raise CompileError(f"{path}: mutants that do not compile are never all found")
        equal, twins = same(target)
        for site in left:
            for mutant in site.mutants:
                if mutant.number in equal:
                    mutant.status = SAME
                elif mutant.number in twins:
                    mutant.status = TWIN
        return target

    def link(self, program, objects):
        parts = [objects[path] for path, _flags in program.own + program.parts]
        parts.append(objects[os.path.join(HERE, "runtime.c")])
        if program.kind != EXPLORER:
            parts += [objects[os.path.join(HERE, "gtest_main.cc")], objects["gtest"]]
        target = os.path.join(self.builder.work, "bin", program.name)
        self.builder.link(target, sorted(set(parts)))
        self.binaries[program.name] = target
        self.digests[program.name] = digest(
            *(read(os.path.join(self.builder.tree, path))
              for path, _flags in program.own + program.parts if path.startswith("tests/")))

    # ---- without a mutant -------------------------------------------------------------------

    def try_out(self, jobs, seconds_max):
        """Runs all tests once. False for a program that fails without a mutant: it is left out."""
        bad = []
        work = list(self.builder.pool.map(lambda p: self.trace(p, seconds_max), self.programs))
        for program, (fine, cases) in zip(self.programs, work):
            if fine:
                self.cases += cases
            else:
                bad.append(program.name)
        self.programs = [p for p in self.programs if p.name not in bad]
        return bad

    def trace(self, program, seconds_max):
        if program.kind == EXPLORER:
            traced = [self.trace_one(program, self.command(program, [name]), seconds_max, name)
                      for name in self.scenarios(program)]
        else:
            traced = [self.trace_one(program, [self.binaries[program.name]], seconds_max, "")]
        return all(fine for fine, _cases in traced), [c for _fine, cs in traced for c in cs]

    def scenarios(self, program):
        """What the explorer's list begins with; a litmus program runs no code of the tree."""
        done = subprocess.run([self.binaries[program.name], "--list"], stdout=subprocess.PIPE,
                              text=True, check=False)
        lines = done.stdout.partition("\nstrategies:")[0].splitlines()
        return [line.split()[0] for line in lines if line and ", litmus" not in line]

    def trace_one(self, program, command, seconds_max, case):
        """One run without a mutant; a case is the name of what does not write one itself."""
        file = os.path.join(self.builder.work,
                            "trace." + program.name.replace("/", ".") + case)
        if os.path.exists(file):
            os.unlink(file)
        environment = dict(ENVIRONMENT, QUIRE_MUTANT_TRACE=file, QUIRE_MUTANT_CASE=case)
        began = time.monotonic()
        status = run_limited(command, environment, self.builder.work, seconds_max,
                             seconds_max * 4)
        if status != 0 or not os.path.exists(file):
            return False, []
        cases = []
        if case:
            took = int((time.monotonic() - began) * 1000)
            entered = read(file).decode().split()
            return True, [Case(program, case, took, frozenset(map(int, entered)))]
        for line in read(file).decode().splitlines():
            name, took, passed, *entered = line.split()
            if passed != "1":
                return False, []
            cases.append(Case(program, name, int(took), frozenset(map(int, entered))))
        return True, cases

    def command(self, program, names):
        if program.kind == EXPLORER:
            return [self.binaries[program.name], *names, "--schedules", SCHEDULES, "--jobs", "1"]
        return [self.binaries[program.name], "--gtest_fail_fast", "--gtest_brief=1"]

    # ---- with one ---------------------------------------------------------------------------

    def plan(self, site):
        """[(program, [cases])] that enter the site; a slow case stands for itself."""
        covering = [c for c in self.cases if site in c.entered]
        by_program, slow = {}, []
        for case in covering:
            if case.milliseconds > SLOW_CASE_MS:
                slow.append((case.program, [case]))
            else:
                by_program.setdefault(case.program.name, (case.program, []))[1].append(case)

        return list(by_program.values()) + slow

    @staticmethod
    def choose(plan, stem, kills, budget_s):
        """Those of a plan that fit into the budget, in the order of their promise: the file's own
        tests, then who killed mutants of this file most often, then fast ones."""
        def promise(entry):
            program, cases = entry
            took = sum(c.milliseconds + 1 for c in cases)
            return (not program.short.startswith(stem), -kills.get(program.name, 0), took)
        chosen, spent = [], 0
        for entry in sorted(plan, key=promise):
            spent += sum(c.milliseconds for c in entry[1]) + 20
            if not chosen or spent <= budget_s * 1000:
                chosen.append(entry)
        return chosen

    def run(self, mutant, program, cases):
        """None when all pass; "" after the time limit; otherwise what failed."""
        seconds = sum(c.milliseconds for c in cases) / 1000
        limit = int(seconds * TIME_FACTOR + TIME_EXTRA_S)
        names = [c.name for c in cases]
        environment = dict(ENVIRONMENT, QUIRE_MUTANT=str(mutant.number),
                           GTEST_FILTER=":".join(names))
        status = run_limited(self.command(program, names), environment, self.builder.work, limit,
                             limit * CLOCK_FACTOR + CLOCK_EXTRA_S)
        if status == 0:
            return None
        return "" if status == "time" else program.name


def _limits(seconds):
    def apply():
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
        os.setsid()
    return apply


def run_limited(command, environment, folder, seconds, clock):
    """The status of a command; "time" when it was stopped for using too much of it."""
    process = subprocess.Popen(command, env=environment, cwd=folder, stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               preexec_fn=_limits(max(1, int(seconds))))
    late = False
    try:
        status = process.wait(clock)
    except subprocess.TimeoutExpired:
        late = True
        status = -signal.SIGKILL
    # A death test's child may be left, with a CPU that spins.
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass
    process.wait()
    if late or status in (-signal.SIGXCPU, -signal.SIGKILL):
        return "time"
    return status


def stem_of(path):
    """What the tests of a file are called: vm/vm_map_tree.c -> vm_map."""
    name = os.path.basename(path)[:-2]
    return re.sub(r"_(tree|delete|protect|submap|transition|wire|debug|audit|segment|contig)$",
                  "", name)


def now():
    return time.monotonic()
