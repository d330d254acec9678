# SPDX-License-Identifier: BSD-2-Clause
"""Which mutants a run has: found, drawn by a seed, dealt to shards, numbered."""

import os
import random

from build import digest
from operators import find_mutations
from schemata import Site

FOLDERS = ("vm", "smp")

# What became of a mutant. The first three are no mutants after all.
NO_CODE, SAME, TWIN = "does not compile", "same code", "twin"
KILLED, TIMED_OUT, SURVIVED = "killed", "timed out", "survived"


class Mutant:
    """number is of this run; identity is the same in every run while its file is."""

    def __init__(self, number, mutation, file_digest):
        self.number = number
        self.mutation = mutation
        self.identity = digest(file_digest, *map(str, mutation.key()))
        self.status = None
        self.by = ""            # the test that killed it

    @property
    def real(self):
        return self.status not in (NO_CODE, SAME, TWIN)


def sources(root, wanted=()):
    """The files to mutate, as paths below the root."""
    if wanted:
        for path in wanted:
            if not os.path.isfile(os.path.join(root, path)) or not path.endswith(".c"):
                raise ValueError(f"{path}: no C file of the tree")
        return sorted(set(wanted))
    found = []
    for folder in FOLDERS:
        if not os.path.isdir(os.path.join(root, folder)):
            continue
        found += [f"{folder}/{name}" for name in os.listdir(os.path.join(root, folder))
                  if name.endswith(".c")]
    return sorted(found)


def draw(mutations, count, seed):
    """So many of them, the same for the same seed, in their order."""
    if count is None or count >= len(mutations):
        return mutations
    chosen = random.Random(seed).sample(range(len(mutations)), count)
    return [mutations[i] for i in sorted(chosen)]


def deal(mutations, index, total):
    """One shard's: every total-th."""
    return mutations[index::total]


def find(root, files, lines=None):
    """[(mutation, digest of its file)] of the files. lines: {path: set of line numbers} or None."""
    found = []
    for path in files:
        with open(os.path.join(root, path), encoding="utf-8") as stream:
            text = stream.read()
        known = digest(text)
        for mutation in find_mutations(path, text):
            if lines is None or mutation.line in lines.get(path, ()):
                found.append((mutation, known))
    return found


def number(found):
    return [Mutant(n + 1, mutation, known) for n, (mutation, known) in enumerate(found)]


def sites_of(mutants, first=0):
    """{path: [Site]} of those that are to be built, in the order of places."""
    by_function = {}
    for mutant in mutants:
        function = mutant.mutation.function
        by_function.setdefault((mutant.mutation.path, function.start), []).append(mutant)
    files = {}
    for n, ((path, _start), some) in enumerate(sorted(by_function.items(), key=lambda e: e[0])):
        files.setdefault(path, []).append(Site(first + n, some[0].mutation.function, some))
    return files
