# SPDX-License-Identifier: BSD-2-Clause
"""Mutants that compile to the code of the original, or to that of another mutant.

Nothing can tell them apart, so they are no mutants at all. The comparison is of instructions and
relocations of an object compiled with a section for each function.
"""

import re
import subprocess

from schemata import MARK

START = re.compile(r"^[0-9a-f]+ <(.+)>:$")
LINE = re.compile(r"^\s+[0-9a-f]+:\s*(.*)$")
COPY = re.compile(r"(\w+?)" + MARK + r"(\d+)")


def _normal(line, own):
    """Without addresses; jumps inside of the function are offsets from its start."""
    line = line.replace(own, "SELF")
    line = re.sub(r"\b[0-9a-f]+ (<SELF)", r"\1", line)
    return re.sub(r"\s+", " ", line)


def codes(object_path):
    """{name of a copy: its code as text}."""
    done = subprocess.run(["objdump", "-dr", "--no-show-raw-insn", object_path],
                          stdout=subprocess.PIPE, text=True, check=True)
    found, name = {}, None
    for line in done.stdout.splitlines():
        match = START.match(line)
        if match:
            name = match.group(1) if COPY.fullmatch(match.group(1)) else None
            if name:
                found[name] = []
        elif name and (body := LINE.match(line)):
            found[name].append(_normal(body.group(1), name))
    return {name: "\n".join(lines) for name, lines in found.items()}


def same(object_path):
    """({numbers like the original}, {number: the lower number that it is like})."""
    original, by_code = {}, {}
    known = codes(object_path)
    for name, code in known.items():
        match = COPY.fullmatch(name)
        if match.group(2) == "0":
            original[match.group(1)] = code
    equal, twins = set(), {}
    for name in sorted(known, key=lambda n: int(COPY.fullmatch(n).group(2))):
        function, number = COPY.fullmatch(name).groups()
        number = int(number)
        if number == 0:
            continue
        # What a table of its own holds is not compared.
        if ".rodata.SELF" in known[name]:
            continue
        if known[name] == original.get(function):
            equal.add(number)
        elif (function, known[name]) in by_code:
            twins[number] = by_code[function, known[name]]
        else:
            by_code[function, known[name]] = number
    return equal, twins
