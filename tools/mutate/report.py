# SPDX-License-Identifier: BSD-2-Clause
"""The table, the survivors and the verdict."""

import fnmatch
import os

from mutants import KILLED, NO_CODE, SAME, SURVIVED, TIMED_OUT, TWIN
from results import one_line

FLOOR = 90
# Where a mistake costs the most: (what it is called, its files, the floor).
GROUPS = [("magazines", ("vm/mag_*.c", "vm/vm_magazine*.c"), 95),
          ("shootdown", ("smp/shootdown*.c", "smp/tlb*.c"), 95),
          ("map", ("vm/vm_map*.c",), 95)]
# Below so many mutants a score says nothing.
ENOUGH = 20


class Count:
    """Of a file, or of all."""

    def __init__(self):
        self.mutants = self.killed = self.timed_out = self.survived = 0
        self.equivalent = self.explained = 0

    def add(self, mutant, verdict):
        if mutant.status in (NO_CODE, TWIN):
            return
        self.mutants += 1
        if mutant.status == SAME or (verdict and verdict[0] == "equivalent"):
            self.equivalent += 1
        elif mutant.status == KILLED:
            self.killed += 1
        elif mutant.status == TIMED_OUT:
            self.timed_out += 1
        elif mutant.status == SURVIVED:
            self.survived += 1
            self.explained += verdict is not None
        else:
            self.mutants -= 1       # not run

    def score(self):
        """Percent; None without a mutant."""
        run = self.killed + self.timed_out + self.survived
        return None if run == 0 else 100 * (self.killed + self.timed_out) / run


def judge(mutants, reasons, root):
    """[(mutant, None or (kind, reason))]."""
    texts, judged = {}, []
    for mutant in mutants:
        path = mutant.mutation.path
        if path not in texts:
            with open(os.path.join(root, path), encoding="utf-8") as stream:
                texts[path] = stream.read().splitlines()
        verdict = None
        if mutant.status == SURVIVED:
            verdict = reasons.of(mutant.mutation, texts[path][mutant.mutation.line - 1])
        judged.append((mutant, verdict))
    return judged, texts


def tabulate(judged):
    """({path: Count}, Count of all)."""
    files, total = {}, Count()
    for mutant, verdict in judged:
        for count in (files.setdefault(mutant.mutation.path, Count()), total):
            count.add(mutant, verdict)
    return files, total


def row(name, count):
    score = count.score()
    shown = "     -" if score is None else f"{score:5.1f}%"
    return (f"{name:34} {count.mutants:7} {count.killed:7} {count.timed_out:9} "
            f"{count.survived:8} {count.equivalent:10} {shown}")


def table(files, total):
    lines = [f"{'file':34} {'mutants':>7} {'killed':>7} {'timed out':>9} {'survived':>8} "
             f"{'equivalent':>10}  score"]
    lines += [row(path, count) for path, count in sorted(files.items()) if count.mutants]
    for name, _patterns, _floor in GROUPS:
        group = group_of(name, files)
        if group.mutants:
            lines.append(row(f"({name})", group))
    lines.append(row("all", total))
    return lines


def group_of(name, files):
    patterns = next(p for n, p, _f in GROUPS if n == name)
    sum_ = Count()
    for path, count in files.items():
        if any(fnmatch.fnmatch(path, pattern) for pattern in patterns):
            for field in vars(sum_):
                setattr(sum_, field, getattr(sum_, field) + getattr(count, field))
    return sum_


def survivors(judged, texts):
    """Each with its place, the lines before and after, and the reason."""
    lines = []
    for mutant, verdict in judged:
        if mutant.status != SURVIVED:
            continue
        mutation = mutant.mutation
        before = texts[mutation.path][mutation.line - 1]
        lines.append(f"{mutation.path}:{mutation.line}: {mutation.function.name}: "
                     f"{mutation.family}: {one_line(mutation.old)} -> {one_line(mutation.new)}")
        lines.append(f"    - {before.strip()}")
        lines.append(f"    + {changed(mutation, texts)}")
        if verdict:
            lines.append(f"    {verdict[0]}: {verdict[1]}")
    return lines


def changed(mutation, texts):
    """The line as the mutant has it."""
    text = "\n".join(texts[mutation.path])
    start = text.rfind("\n", 0, mutation.start) + 1
    end = text.find("\n", mutation.end)
    return one_line(text[start:mutation.start] + " " + mutation.new + " " +
                    text[mutation.end:end if end >= 0 else len(text)])


def below(files, total):
    """The floors that are not reached, as sentences."""
    problems = []
    checks = [("all", total, FLOOR)]
    checks += [(name, group_of(name, files), floor) for name, _p, floor in GROUPS]
    for name, count, floor in checks:
        score = count.score()
        if score is not None and count.mutants >= ENOUGH and score < floor:
            problems.append(f"{name}: {score:.1f} % is below {floor} %")
    return problems
