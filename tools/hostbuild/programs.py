# SPDX-License-Identifier: BSD-2-Clause
"""The host tests as lists of sources: what each program is made of, by its BUILD file."""

import os

from packages import Tree

SOURCES = (".c", ".cc", ".S")
TEST_FOLDERS = ["tests/host/smp", "tests/host/sched", "tests/host/registry", "tests/host/vm",
                "tests/host/model", "tests/host/malloc"]
COPIED_FOLDERS = ["lib", "arch/include", "arch/host", "smp", "kernel", "vm", "tests/host",
                  "tests/explore"]
COPIED_BUILDS = ["arch"]


GTEST, EXPLORER = "gtest", "explorer"


class Program:
    """A test program: its name, and (source, flags) of all its parts."""

    def __init__(self, tree, package, name, kind=GTEST):
        self.name = package.rpartition("/")[2] + "/" + name
        self.short = name
        self.kind = kind
        self.own, self.parts = [], []
        for here, rule, attributes in tree.closure(package, name):
            flags = list(attributes.get("copts", []))
            for source in attributes.get("srcs", []):
                if not source.endswith(SOURCES) or source.startswith((":", "//", "@")):
                    continue
                path = os.path.join(here, source)
                own = here == package and rule == name
                (self.own if own else self.parts).append((path, tuple(flags)))


def find_programs(root, folders=None):
    """All host tests of the portable layers; folders that do not exist are left out."""
    tree = Tree(root)
    folders = [f for f in folders or TEST_FOLDERS
               if os.path.exists(os.path.join(root, f, "BUILD"))]
    return [Program(tree, package, name) for package, name in tree.tests(folders)]


def find_explorer(root):
    """[the explorer of schedules], or nothing where there is none."""
    if not os.path.exists(os.path.join(root, "tests/explore/BUILD")):
        return []
    return [Program(Tree(root), "tests/explore", "explore", EXPLORER)]
