# SPDX-License-Identifier: BSD-2-Clause
"""One source that holds all mutants of a file.

Each mutant is a copy of the function that it changes. The function begins with a switch that
calls the copy of the mutant that is on, if it is one of this function:

    static int f__mutant7(int a, int b);
    int f(int a, int b)
    {
        if ((unsigned)(quire_mutant - 7) < 1u)
            switch (quire_mutant) { case 7: return f__mutant7(a, b); }
        quire_mutant_entered[3] = 1;
        ... as before ...
    }
    static int f__mutant7(int a, int b) { ... changed ... }

So 1,500 mutants are one build, and a run of a mutant costs a run of the tests. f__mutant0 is a
copy without a change, to compare code with. #line keeps the lines of the file, for what CHECK
says and for the compiler's messages.
"""

import re

MARK = "__mutant"
# A function with this in front of it is always expanded where it is called; a copy may not be.
INLINE = re.compile(r"__attribute__\s*\(\(\s*always_inline\s*\)\)")
HEAD = ("extern volatile int quire_mutant;\n"
        "extern volatile unsigned char *volatile quire_mutant_entered;\n")


class Site:
    """A function with mutants: its number, and the mutants in the order of their numbers."""

    def __init__(self, number, function, mutants):
        self.number = number
        self.function = function
        self.mutants = mutants


def _copy(text, function, number, change=None):
    body = text[function.body:function.end]
    if change is not None:
        first, last = change.start - function.body, change.end - function.body
        # What went away keeps its lines.
        lines = "\n" * (body[first:last].count("\n") - change.new.count("\n"))
        body = body[:first] + " " + change.new + " " + lines + body[last:]
    return f"{_head(function, number)}\n#line {function.line}\n{body}\n"


def _head(function, number):
    used = "used, " if number.endswith(MARK + "0") else ""
    result = INLINE.sub("", function.result)
    return (f"static __attribute__(({used}noinline, noclone, unused)) {result} "
            f"{number}({function.parameters})")


def _switch(function, site):
    first = site.mutants[0].number
    call = ", ".join(function.names)
    cases = []
    for mutant in site.mutants:
        name = f"{function.name}{MARK}{mutant.number}"
        done = f"{name}({call}); return;" if function.returns_void else f"return {name}({call});"
        cases.append(f"case {mutant.number}: {done}")
    # Numbers are one after the other except where a mutant did not compile.
    span = site.mutants[-1].number - first + 1
    return (f"{{ if (__builtin_expect((unsigned)(quire_mutant - {first}) < {span}u, 0)) "
            f"switch (quire_mutant) {{ {' '.join(cases)} }} "
            f"quire_mutant_entered[{site.number}] = 1; ")


def weave(path, text, sites):
    """The text of the file with all mutants of the sites, which are in the order of places."""
    pieces, at = [HEAD, f'#line 1 "{path}"\n'], 0
    for site in sites:
        function = site.function
        line = text.count("\n", 0, function.start) + 1
        pieces.append(text[at:function.start])
        pieces.append("\n")
        for mutant in site.mutants:
            pieces.append(_head(function, f"{function.name}{MARK}{mutant.number}") + ";\n")
        pieces.append(f"#line {line}\n")
        pieces.append(text[function.start:function.body])
        pieces.append(_switch(function, site))
        pieces.append(text[function.body + 1:function.end] + "\n")
        pieces.append(_copy(text, function, f"{function.name}{MARK}0"))
        for mutant in site.mutants:
            pieces.append(_copy(text, function, f"{function.name}{MARK}{mutant.number}",
                                mutant.mutation))
        pieces.append(f"#line {text.count(chr(10), 0, function.end) + 1}\n")
        at = function.end
    pieces.append(text[at:])
    return "".join(pieces)


IN_FUNCTION = re.compile(r"In function [‘'`](\w+?)" + MARK + r"(\d+)['’]")


def guilty(messages):
    """The numbers of the mutants in which the compiler found errors."""
    found, current = set(), None
    for line in messages.splitlines():
        match = IN_FUNCTION.search(line)
        if match:
            current = int(match.group(2))
        elif "In function" in line or "At top level" in line:
            current = None
        elif " error: " in line and current:
            found.add(current)
    return found
