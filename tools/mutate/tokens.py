# SPDX-License-Identifier: BSD-2-Clause
"""C source to tokens and functions, as far as a mutation needs them.

Comments, strings and preprocessor lines are tokens of their own kinds, so that nothing ever
changes in them.
"""

import re

PATTERN = re.compile(r"""
  (?P<comment>/\*.*?\*/|//[^\n]*)
| (?P<directive>^[ \t]*\#(?:[^\n\\]|\\\n|\\.)*)
| (?P<string>(?:L|u8|u|U)?"(?:[^"\\\n]|\\.)*")
| (?P<char>(?:L|u|U)?'(?:[^'\\\n]|\\.)*')
| (?P<number>\.?\d(?:[eEpP][+-]|[\w.])*)
| (?P<ident>[A-Za-z_]\w*)
| (?P<op><<=|>>=|\.\.\.|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|[-+*/%&|^~!<>=?:;,.(){}\[\]])
| (?P<space>\s+|\\\n)
""", re.VERBOSE | re.MULTILINE | re.DOTALL)

PAIRS = {"(": ")", "[": "]", "{": "}"}


class SyntaxProblem(Exception):
    """Text that is no C of the kind that this reads."""


class Token:
    __slots__ = ("kind", "text", "start", "end", "line")

    def __init__(self, kind, text, start, line):
        self.kind = kind
        self.text = text
        self.start = start
        self.end = start + len(text)
        self.line = line

    def __repr__(self):
        return f"{self.text}@{self.line}"


def tokenize(text):
    """Everything but white space."""
    tokens, at, line = [], 0, 1
    while at < len(text):
        match = PATTERN.match(text, at)
        if match is None:
            raise SyntaxProblem(f"line {line}: cannot read {text[at:at + 20]!r}")
        kind, piece = match.lastgroup, match.group()
        if kind != "space":
            tokens.append(Token(kind, piece, at, line))
        line += piece.count("\n")
        at = match.end()
    return tokens


def partners(tokens):
    """The index of the other bracket, for the index of each bracket."""
    other, open_ones = {}, []
    for i, token in enumerate(tokens):
        if token.kind != "op":
            continue
        if token.text in PAIRS:
            open_ones.append(i)
        elif token.text in PAIRS.values():
            if not open_ones or PAIRS[tokens[open_ones[-1]].text] != token.text:
                raise SyntaxProblem(f"line {token.line}: '{token.text}' closes nothing")
            first = open_ones.pop()
            other[first], other[i] = i, first
    if open_ones:
        raise SyntaxProblem(f"line {tokens[open_ones[-1]].line}: "
                            f"'{tokens[open_ones[-1]].text}' is never closed")
    return other


class Function:
    """A function that a file defines. Offsets are of the file's text."""

    def __init__(self, name, result, parameters, names, start, body, end, line):
        self.name = name
        self.result = result            # its type and attributes, without static and inline
        self.parameters = parameters    # as they stand between the parentheses
        self.names = names              # of the parameters
        self.start = start              # of the declaration
        self.body = body                # of the opening brace
        self.end = end                  # behind the closing brace
        self.line = line                # of the opening brace

    @property
    def returns_void(self):
        return re.search(r"\bvoid\s*$", self.result.strip()) is not None


DROPPED = {"static", "inline", "extern", "QUIRE_FRAMELESS", "_Noreturn", "noreturn"}


def _parameter_names(tokens, other, first, last):
    """Of the tokens between a function's parentheses; None if there is one without a name."""
    names, parts, part, i = [], [], [], first
    while i < last:
        if tokens[i].text == ",":
            parts.append(part)
            part = []
        else:
            part.append(i)
            if tokens[i].text in ("(", "["):
                part += range(i + 1, other[i] + 1)
                i = other[i]
        i += 1
    parts.append(part)
    for part in parts:
        texts = [tokens[k].text for k in part]
        if texts in ([], ["void"]):
            continue
        if "..." in texts:
            return None
        name = None
        for k in part:
            if tokens[k].text == "(" and tokens[k + 1].text == "*":
                name = tokens[k + 2].text
                break
        if name is None:
            plain = [tokens[k].text for k in part if tokens[k].kind == "ident"]
            name = plain[-1] if len(plain) > 1 else None
        if name is None:
            return None
        names.append(name)
    return names


def functions(text):
    """(tokens without comments and directives, partners, functions)."""
    tokens = [t for t in tokenize(text) if t.kind not in ("comment", "directive")]
    other = partners(tokens)
    found, first, i = [], 0, 0
    while i < len(tokens):
        token = tokens[i]
        if token.text == ";":
            first = i + 1
        elif token.text == "{":
            one = _function_at(text, tokens, other, first, i)
            if one is not None:
                found.append(one)
            # A structure or an initializer ends with a semicolon; a function ends here.
            ends = i > 0 and tokens[i - 1].text == ")"
            i = other[i]
            if ends:
                first = i + 1
        elif token.text in ("(", "["):
            i = other[i]
        i += 1
    return tokens, other, found


def _function_at(text, tokens, other, first, brace):
    if brace == first or tokens[brace - 1].text != ")":
        return None
    if any(tokens[k].text == "=" for k in range(first, brace)):
        return None
    close = brace - 1
    opening = other[close]
    name = tokens[opening - 1]
    if opening - 1 < first or name.kind != "ident":
        return None
    # A macro with arguments in front of it, or an attribute, is not part of the type.
    words = []
    for k in range(first, opening - 1):
        if tokens[k].text == ")":
            words = []
        else:
            words.append(tokens[k])
    words = [t for t in words if t.text not in DROPPED]
    if not words:
        return None
    names = _parameter_names(tokens, other, opening + 1, close)
    if names is None:
        return None
    return Function(name.text, " ".join(t.text for t in words),
                    text[tokens[opening].end:tokens[close].start], names,
                    tokens[first].start, tokens[brace].start, tokens[other[brace]].end,
                    tokens[brace].line)
