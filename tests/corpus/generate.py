#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes the corpus of bad firmware input from its description in cases_*.py.

  generate.py --write FOLDER    writes it, and removes files that are not described any more
  generate.py --check FOLDER    says how FOLDER differs from the description; status 1 if it does
"""

import argparse
import importlib
import pathlib
import sys

HERE = pathlib.Path(__file__).absolute().parent
KINDS = ["rsdp", "root", "madt", "srat", "slit", "multiboot2", "pvh", "memmap", "cmdline"]
MANIFEST = "MANIFEST"
HEADER = """# What each file is, and what the kernel has to make of it; written by generate.py.
"""


def load(kind):
    cases = importlib.import_module("cases_" + kind).CASES
    names = [case.name for case in cases]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        sys.exit("generate.py: cases_%s.py names twice: %s" % (kind, ", ".join(sorted(twice))))
    return sorted(cases, key=lambda case: case.name)


def describe(case):
    lines = ["", "file: %s.bin" % case.name, "why: " + case.why] + list(case.outcome.lines())
    return "".join(line + "\n" for line in lines)


def corpus():
    """{path in the folder: bytes}"""
    files = {}
    for kind in KINDS:
        cases = load(kind)
        for case in cases:
            files["%s/%s.bin" % (kind, case.name)] = case.machine.encode()
        text = HEADER + "".join(map(describe, cases))
        files["%s/%s" % (kind, MANIFEST)] = text.encode("ascii")
    return files


def present(folder):
    return {str(path.relative_to(folder)): path.read_bytes()
            for path in folder.rglob("*") if path.is_file()}


def write(folder):
    files = corpus()
    for name in set(present(folder)) - set(files):
        (folder / name).unlink()
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    print("%d files, %d bytes" % (len(files), sum(map(len, files.values()))))
    return 0


def check(folder):
    wanted, found = corpus(), present(folder)
    differences = ["%s: not in the folder" % n for n in sorted(set(wanted) - set(found))]
    differences += ["%s: not described" % n for n in sorted(set(found) - set(wanted))]
    differences += ["%s: differs" % n for n in sorted(set(wanted) & set(found))
                    if wanted[n] != found[n]]
    for line in differences:
        print(line)
    if differences:
        print("tests/corpus/generate.py --write tests/corpus/firmware brings it up to date")
    else:
        print("%d files as described" % len(wanted))
    return 1 if differences else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--write", type=pathlib.Path, metavar="FOLDER")
    action.add_argument("--check", type=pathlib.Path, metavar="FOLDER")
    options = parser.parse_args()
    folder = options.write or options.check
    if not folder.is_dir():
        sys.exit("generate.py: %s is not a folder" % folder)
    sys.path.insert(0, str(HERE))
    return write(folder) if options.write else check(folder)


if __name__ == "__main__":
    sys.exit(main())
