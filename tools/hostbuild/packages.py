# SPDX-License-Identifier: BSD-2-Clause
"""Reads the BUILD files, for tools that compile host programs in their own way.

A BUILD file is nearly Python, so Python runs it, with functions that only write down what was
asked for. What a rule of another kind means is of no interest here: it is kept as a name with its
attributes.
"""

import glob as files
import os

EXTERNAL = "@"


class BuildError(Exception):
    """A BUILD file that cannot be understood, or a target that is not there."""


class Unknown:
    """What a load() brought in: a rule, a macro or a constant."""

    def __init__(self, package, kind):
        self.package = package
        self.kind = kind

    def __call__(self, *positional, **attributes):
        if "name" in attributes:
            attributes["kind"] = self.kind
            self.package.targets[attributes["name"]] = attributes
        return self

    def __add__(self, other):
        return other

    def __radd__(self, other):
        return other

    def __iter__(self):
        return iter(())


class Package:
    """One BUILD file: its targets by name, each a dictionary of attributes and its kind."""

    def __init__(self, root, path):
        self.root = root
        self.path = path
        self.targets = {}
        build = os.path.join(root, path, "BUILD")
        try:
            with open(build, encoding="utf-8") as stream:
                text = stream.read()
        except OSError as error:
            raise BuildError(f"{build}: {error.strerror}") from error
        names = {"select": self.select, "glob": self.glob, "load": None}
        for kind in ("package", "exports_files", "filegroup", "genrule", "alias", "test_suite",
                     "config_setting", "licenses", "package_group", "constraint_value"):
            names[kind] = Unknown(self, kind)
        names["load"] = lambda _label, *loaded, **renamed: names.update(
            {name: Unknown(self, name) for name in list(loaded) + list(renamed)})
        names["struct"] = dict
        try:
            exec(compile(text, build, "exec"), names)  # a file of this tree
        except Exception as error:
            raise BuildError(f"{build}: {type(error).__name__}: {error}") from error

    @staticmethod
    def select(choices):
        return choices.get("//conditions:default", [])

    def glob(self, include, exclude=(), **_others):
        found = set()
        here = os.path.join(self.root, self.path)
        for wanted, patterns in ((True, include), (False, exclude)):
            for pattern in patterns:
                for name in files.glob(os.path.join(here, pattern), recursive=True):
                    name = os.path.relpath(name, here)
                    (found.add if wanted else found.discard)(name)
        return sorted(found)


class Tree:
    """All packages, read when they are asked for."""

    def __init__(self, root):
        self.root = root
        self.packages = {}

    def package(self, path):
        if path not in self.packages:
            self.packages[path] = Package(self.root, path)
        return self.packages[path]

    def absolute(self, label, package):
        """('//a/b:c' or ':c' or 'c', here) to (package, name)."""
        if label.startswith("//"):
            path, _, name = label[2:].partition(":")
            return path, name or path.rpartition("/")[2]
        return package, label.lstrip(":")

    def target(self, path, name):
        targets = self.package(path).targets
        if name not in targets:
            raise BuildError(f"there is no target //{path}:{name}")
        return targets[name]

    def closure(self, path, name):
        """The target and all it depends on: (package, name, attributes), each once."""
        seen, order, waiting = set(), [], [(path, name)]
        while waiting:
            here = waiting.pop()
            if here in seen:
                continue
            seen.add(here)
            attributes = self.target(*here)
            order.append((here[0], here[1], attributes))
            for label in attributes.get("deps", []):
                if not label.startswith(EXTERNAL):
                    waiting.append(self.absolute(label, here[0]))
        return order

    def tests(self, folders):
        """The names of all GoogleTest programs of these folders: (package, name)."""
        found = []
        for path in folders:
            for name, attributes in sorted(self.package(path).targets.items()):
                if attributes["kind"] == "quire_test" and "manual" not in attributes.get("tags", []):
                    found.append((path, name))
        return found
