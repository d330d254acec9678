# SPDX-License-Identifier: BSD-2-Clause
"""What is known from runs before, and the reasons why a mutant may survive."""

import json
import os
import threading

from build import digest
from mutants import SURVIVED


class Results:
    """A file with a line for each mutant that was run.

    A kill counts for as long as the file with the mutant and the test that killed it are the
    same; a survival, as long as the file and all tests that were run are.
    """

    def __init__(self, path, fresh=False):
        self.path = path
        self.known = {}
        self.lock = threading.Lock()
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if fresh or not os.path.exists(path):
            return
        with open(path, encoding="utf-8") as stream:
            for line in stream:
                try:
                    one = json.loads(line)
                    self.known[one["mutant"]] = one
                except (ValueError, KeyError):
                    continue    # the line that an interrupted run was writing

    def look_up(self, mutant, test_digests, covering_digest):
        """Whether the mutant's status is known; then it has it."""
        one = self.known.get(mutant.identity)
        if one is None:
            return False
        if one["status"] == SURVIVED:
            if one["tests"] != covering_digest:
                return False
        elif test_digests.get(one["by"]) != one["tests"]:
            return False
        mutant.status, mutant.by = one["status"], one["by"]
        return True

    def add(self, mutant, test_digests, covering_digest):
        tests = covering_digest if mutant.status == SURVIVED else test_digests[mutant.by]
        one = {"mutant": mutant.identity, "status": mutant.status, "by": mutant.by,
               "tests": tests}
        with self.lock:
            self.known[mutant.identity] = one
            with open(self.path, "a", encoding="utf-8") as stream:
                stream.write(json.dumps(one) + "\n")


def covering(plan, test_digests):
    """A digest of all that a survivor was run with."""
    return digest(*(f"{program.name} {test_digests[program.name]} {len(cases)}"
                    for program, cases in plan))


class Reasons:
    """A file of paragraphs such as

        vm/vm_pool.c  pool_refill
        line: while (pool->count < POOL_TARGET) {
        change: < -> <=
        equivalent: one page more or less in reserve; no caller can ask for the number

    The fourth line begins with `equivalent` (no test can tell: it does not count) or `accepted`
    (a test could, and it is not worth it: it counts as a survivor, explained). The line is
    without white space at its ends; its number does not matter. `line: *` and `change: *` stand
    for any.
    """

    def __init__(self, path):
        self.entries = []
        if not os.path.exists(path):
            return
        with open(path, encoding="utf-8") as stream:
            text = "\n".join(l.rstrip() for l in stream if not l.startswith("#"))
        for n, block in enumerate(b for b in text.split("\n\n") if b.strip()):
            self.entries.append(self.parse(path, n, block.strip("\n").split("\n")))

    @staticmethod
    def parse(path, n, lines):
        def bad(why):
            raise ValueError(f"{path}: paragraph {n + 1} ({lines[0]}): {why}")
        if len(lines) < 4 or len(lines[0].split()) != 2:
            bad("it has the lines FILE FUNCTION, line:, change:, and equivalent: or accepted:")
        if not lines[1].startswith("line: ") or not lines[2].startswith("change: "):
            bad("the second line is line:, the third change:")
        kind, _, reason = " ".join(l.strip() for l in lines[3:]).partition(": ")
        if kind not in ("equivalent", "accepted") or not reason:
            bad("the fourth line is 'equivalent: REASON' or 'accepted: REASON'")
        file, function = lines[0].split()
        return (file, function, lines[1][6:].strip(), lines[2][8:].strip(), kind, reason)

    def stale(self, root):
        """Entries whose file has no such line any more, as text."""
        found = []
        for file, function, line, _change, _kind, _reason in self.entries:
            path = os.path.join(root, file)
            lines = []
            if os.path.exists(path):
                with open(path, encoding="utf-8") as stream:
                    lines = [text.strip() for text in stream]
            if line != "*" and line not in lines:
                found.append(f"{file} {function}: {line}")
        return found

    def of(self, mutation, line_text):
        """(kind, reason), or None."""
        change = f"{one_line(mutation.old)} -> {one_line(mutation.new)}"
        for file, function, line, wanted, kind, reason in self.entries:
            if file == mutation.path and function in (mutation.function.name, "*") and \
                    line in (line_text.strip(), "*") and wanted in (change, "*"):
                return kind, reason
        return None


def one_line(text):
    text = " ".join(text.split())
    return "(nothing)" if text in ("", ";") else text
