# SPDX-License-Identifier: BSD-2-Clause
"""What is changed: each mutation replaces one stretch of a function's text by another."""

from tokens import functions

RELATION = {"<": ("<=", ">="), "<=": ("<", ">"), ">": (">=", "<="), ">=": (">", "<"),
            "==": ("!=",), "!=": ("==",)}
ARITHMETIC = {"+": "-", "-": "+", "*": "+", "/": "*", "%": "/", "<<": ">>", ">>": "<<",
              "&": "|", "|": "&", "^": "|"}
ASSIGNMENT = {"+=": "-=", "-=": "+=", "*=": "+=", "/=": "*=", "%=": "/=", "<<=": ">>=",
              ">>=": "<<=", "&=": "|=", "|=": "&=", "^=": "|="}
LOGIC = {"&&": "||", "||": "&&"}
STEP = {"++": "--", "--": "++"}
WORDS = {"true": "false", "false": "true", "break": "continue"}
ORDERS = {"MO_ACQUIRE", "MO_RELEASE", "MO_ACQ_REL", "MO_SEQ_CST"}
KEYWORDS = {"if", "else", "while", "for", "do", "switch", "case", "default", "return", "goto",
            "break", "continue", "sizeof", "struct", "union", "enum", "static", "const", "void",
            "int", "char", "unsigned", "signed", "long", "short", "bool", "volatile", "typedef",
            "extern", "register", "inline", "_Static_assert", "__attribute__", "typeof"}

# Nothing changes inside of these: what must never be true, words for people, and switches of
# planted bugs, which are constants.
LEFT_ALONE = {"CHECK", "CHECK_OP", "CHECK_EQ", "CHECK_NE", "CHECK_LT", "CHECK_LE", "ASSERT",
              "panic", "kprintf", "PLANTED", "sizeof", "_Static_assert", "__attribute__", "offsetof", "typeof",
              "VM_OBJECT_ASSERT_WLOCKED", "VM_OBJECT_ASSERT_LOCKED"}


class Mutation:
    """One change. start and end are offsets of the file's text."""

    def __init__(self, path, function, family, start, end, old, new, line):
        self.path = path
        self.function = function
        self.family = family
        self.start, self.end = start, end
        self.old, self.new = old, new
        self.line = line

    def key(self):
        return (self.path, self.start, self.end, self.family, self.new)


def _is_type(tokens, first, last):
    """Whether (first .. last) between parentheses reads like a type: then it was a cast."""
    texts = [t for t in tokens[first:last] if t.text != "*"]
    return bool(texts) and all(
        t.kind == "ident" and (t.text in KEYWORDS or t.text.endswith("_t") or n > 0)
        for n, t in enumerate(texts))


def _binary(tokens, other, i):
    """Whether the operator at i stands between two operands."""
    before = tokens[i - 1]
    if before.kind in ("number", "char"):
        return True
    if before.text == "]":
        return True
    if before.text == ")":
        return not _is_type(tokens, other[i - 1] + 1, i - 1)
    if before.kind != "ident" or before.text in KEYWORDS:
        return False
    if tokens[i].text != "*":
        return True
    # "name * name" at the start of a statement declares; so does "struct name *".
    if before.text.endswith("_t") or tokens[i - 2].text in ("struct", "union", "enum", "const"):
        return False
    return tokens[i - 2].text not in (";", "{", "}")


def _alone(tokens, other, first, last):
    """Indices that nothing may change."""
    alone = set()
    for i in range(first, last):
        if tokens[i].text in LEFT_ALONE and tokens[i + 1].text == "(":
            alone.update(range(i, other[i + 1] + 1))
    return alone


def _number(text):
    digits = text.rstrip("uUlL")
    suffix = text[len(digits):]
    try:
        value = int(digits, 0)
    except ValueError:
        return None
    if value == 0:
        return "1" + suffix
    return str(value - 1) + suffix if value == 1 else str(value + 1) + suffix


class Finder:
    """All mutations of one function."""

    def __init__(self, path, text, tokens, other, function):
        self.path, self.text = path, text
        self.tokens, self.other, self.function = tokens, other, function
        self.first = next(i for i, t in enumerate(tokens) if t.start == function.body)
        self.last = other[self.first]
        self.alone = _alone(tokens, other, self.first, self.last)
        self.heads = {k for i in range(self.first, self.last) if tokens[i].text == "("
                      for k in range(i, other[i])}
        self.found = []

    def add(self, family, first, last, new):
        start, end = self.tokens[first].start, self.tokens[last].end
        self.found.append(Mutation(self.path, self.function, family, start, end,
                                   self.text[start:end], new, self.tokens[first].line))

    def all(self):
        for i in range(self.first + 1, self.last):
            if i in self.alone:
                continue
            token = self.tokens[i]
            if token.kind == "op":
                self.operator(i, token.text)
            elif token.kind == "number":
                new = _number(token.text)
                if new is not None:
                    self.add("constant", i, i, new)
            elif token.kind == "ident":
                self.word(i, token.text)
            if i not in self.heads and self.starts_statement(i):
                self.statement(i)
        return self.found

    def operator(self, i, text):
        if text in RELATION:
            for new in RELATION[text]:
                self.add("relation", i, i, new)
        elif text in LOGIC:
            self.add("logic", i, i, LOGIC[text])
        elif text in STEP:
            self.add("arithmetic", i, i, STEP[text])
        elif text in ASSIGNMENT:
            self.add("arithmetic", i, i, ASSIGNMENT[text])
        elif text in ARITHMETIC and _binary(self.tokens, self.other, i):
            self.add("arithmetic", i, i, ARITHMETIC[text])
        elif text == "!":
            self.add("negation", i, i, "!!")
        elif text == "~":
            self.add("arithmetic", i, i, "")

    def word(self, i, text):
        if text in WORDS:
            self.add("flow" if text == "break" else "constant", i, i, WORDS[text])
        elif text in ORDERS:
            self.add("order", i, i, "MO_RELAXED")
        elif text in ("if", "while") and self.tokens[i + 1].text == "(":
            last = self.other[i + 1]
            inside = self.text[self.tokens[i + 1].end:self.tokens[last].start]
            if last > i + 2 and i + 2 not in self.alone:
                self.add("negation", i + 1, last, f"(!({inside}))")
        elif text == "return" and self.tokens[i + 1].text != ";":
            self.result(i)

    def result(self, i):
        last = self.end_of_statement(i + 1)
        if last is None:
            return
        plain = last == i + 2 and (self.tokens[i + 1].kind == "number" or
                                   self.tokens[i + 1].text in ("true", "false", "NULL"))
        if plain:
            return
        start, end = self.tokens[i + 1].start, self.tokens[last - 1].end
        inside = self.text[start:end]
        boolean = self.function.result.split()[-1] == "bool"
        new = f"!({inside})" if boolean else "0"
        self.found.append(Mutation(self.path, self.function, "return", start, end, inside, new,
                                   self.tokens[i + 1].line))

    def starts_statement(self, i):
        before = self.tokens[i - 1]
        if before.text in (";", "{", "}", "else", "do"):
            return True
        if before.text == ")":
            opening = self.other[i - 1]
            return self.tokens[opening - 1].text in ("if", "while", "for", "switch")
        return before.text == ":" and self.tokens[i - 2].kind in ("ident", "number") and \
            self.tokens[i - 3].text in ("case", ";", "{", "}")

    def statement(self, i):
        """A call or an assignment is left out."""
        token, after = self.tokens[i], self.tokens[i + 1]
        if token.kind == "ident":
            if token.text in KEYWORDS or token.text in LEFT_ALONE:
                return
            if after.kind != "op" or after.text in ("*", ":", ";"):
                return
        elif token.text not in ("*", "++", "--", "("):
            return
        last = self.end_of_statement(i)
        if last is not None:
            self.add("statement", i, last, ";")

    def end_of_statement(self, i):
        """The index of its semicolon; None where it ends otherwise, as in the head of a loop."""
        while self.tokens[i].text != ";":
            if self.tokens[i].text in ("(", "[", "{"):
                i = self.other[i]
            elif self.tokens[i].text in (")", "]", "}"):
                return None
            i += 1
        return i


def find_mutations(path, text):
    """All mutations of a file, in the order of their places."""
    tokens, other, found = functions(text)
    mutations, seen = [], set()
    for function in found:
        if "ARCH_RESTARTABLE" in text[function.start:function.body]:
            continue    # its code is one stretch that starts again when it is interrupted
        for mutation in Finder(path, text, tokens, other, function).all():
            if mutation.key() not in seen:
                seen.add(mutation.key())
                mutations.append(mutation)
    mutations.sort(key=Mutation.key)
    return mutations
