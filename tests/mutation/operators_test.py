#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What the mutation tester sees in C, and what it makes of it."""

import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path[:0] = [os.path.join(HERE, "../../tools", d) for d in ("mutate", "hostbuild")]

import operators    # noqa: E402
import report       # noqa: E402
import results      # noqa: E402
import schemata     # noqa: E402
import tokens       # noqa: E402
from mutants import deal, draw, number, sites_of    # noqa: E402


def changes(body, result="int", parameters="int a, int *p"):
    text = f"{result} f({parameters})\n{{\n{body}\n}}\n"
    return [(m.old, m.new) for m in operators.find_mutations("vm/f.c", text)]


class Tokens(unittest.TestCase):
    def test_brackets_that_do_not_match_are_refused_with_the_line(self):
        with self.assertRaisesRegex(tokens.SyntaxProblem, "line 2"):
            tokens.functions("int a;\nint f(void) { return (1; }\n")

    def test_functions_are_found_among_declarations(self):
        text = ("struct s { int (*call)(int); };\nstatic int t[] = { 1, 2 };\n"
                "MACRO(a, b)\nstatic inline struct s *one(int a, int (*b)(int), char c[3])\n{\n}\n"
                "int declared(int a);\nvoid two(void) { }\n")
        found = tokens.functions(text)[2]
        self.assertEqual([f.name for f in found], ["one", "two"])
        self.assertEqual(found[0].names, ["a", "b", "c"])
        self.assertEqual(found[0].result, "struct s *")
        self.assertTrue(found[1].returns_void)

    def test_functions_with_any_number_of_arguments_are_left_out(self):
        text = "int f(const char *s, ...) { g(); s->n++; }\nstatic void after(int a) { g(); }\n"
        found = tokens.functions(text)[2]
        self.assertEqual([(f.name, f.result) for f in found], [("after", "void")])


class Operators(unittest.TestCase):
    def test_comments_strings_and_directives_do_not_change(self):
        self.assertEqual(changes('/* a < b */\n// a + 1\n#if 1 < 2\n#endif\n"a < b", \'<\';'), [])

    def test_checks_logs_and_planted_bugs_do_not_change(self):
        self.assertEqual(changes('CHECK(a < 1); CHECK_EQ(a, 1);\nkprintf("%d", a + 1);\n'
                                 'panic("%d", a + 1);\nif (PLANTED(x)) return;'), [])

    def test_relations_have_a_boundary_and_an_opposite(self):
        self.assertEqual(changes("return a < *p;")[1:], [("<", "<="), ("<", ">=")])

    def test_a_pointer_is_not_a_product_and_a_cast_not_an_operand(self):
        self.assertEqual(changes("char *q;\nuint8_t *r;\nstruct s *t;\n"), [])
        self.assertNotIn(("*", "+"), changes("a = (uint8_t)*p;"))
        self.assertNotIn(("&", "|"), changes("g(&a);"))
        self.assertNotIn(("-", "+"), changes("a = -a;"))
        self.assertIn(("*", "+"), changes("a = a * *p;"))

    def test_statements_go_away_but_not_declarations_or_heads_of_loops(self):
        self.assertIn(("g(a);", ";"), changes("g(a);"))
        self.assertIn(("a = 2;", ";"), changes("if (a)\n\ta = 2;"))
        self.assertNotIn(("int b = g();", ";"), changes("int b = g();"))
        self.assertNotIn(("a < p;", ";"), changes("for (; a < p; a++)\n\t;"))

    def test_conditions_results_orders_and_constants(self):
        self.assertIn(("(a)", "(!(a))"), changes("if (a) g();"))
        self.assertIn(("a == 1", "!(a == 1)"), changes("return a == 1;", "bool"))
        self.assertIn(("MO_ACQUIRE", "MO_RELAXED"), changes("g(a, MO_ACQUIRE);"))
        self.assertIn(("true", "false"), changes("g(true);"))
        self.assertIn(("0x10u", "17u"), changes("g(0x10u);"))
        self.assertIn(("0", "1"), changes("a = 0;"))
        self.assertIn(("a && p", "0"), changes("return a && p;"))
        self.assertIn(("&&", "||"), changes("return a && p;"))


class Drawing(unittest.TestCase):
    def test_a_seed_draws_the_same_in_order(self):
        first = draw(list(range(1000)), 50, 7)
        self.assertEqual(first, draw(list(range(1000)), 50, 7))
        self.assertEqual(first, sorted(first))
        self.assertNotEqual(first, draw(list(range(1000)), 50, 8))

    def test_shards_share_all_and_nothing_twice(self):
        parts = [deal(list(range(101)), i, 4) for i in range(4)]
        self.assertEqual(sorted(sum(parts, [])), list(range(101)))


class Schemata(unittest.TestCase):
    TEXT = "int f(int a)\n{\n\treturn a <\n\t\t1;\n}\nint after;\n"

    def test_each_mutant_is_a_copy_and_lines_stay(self):
        mutants = number([(m, "x") for m in operators.find_mutations("vm/f.c", self.TEXT)])
        woven = schemata.weave("vm/f.c", self.TEXT, sites_of(mutants)["vm/f.c"])
        for mutant in mutants:
            self.assertIn(f"case {mutant.number}: return f__mutant{mutant.number}(a);", woven)
        self.assertIn("#line 5\n\nint after;", woven)

    def test_the_compiler_tells_which_mutants_are_wrong(self):
        said = ("vm/f.c: In function ‘f__mutant12’:\nvm/f.c:3:5: error: bad\n"
                "vm/f.c: In function ‘g’:\nvm/f.c:9:5: error: bad\n")
        self.assertEqual(schemata.guilty(said), {12})


class Reasons(unittest.TestCase):
    def setUp(self):
        self.path = os.path.join(os.environ.get("TEST_TMPDIR", "/tmp"), f"reasons.{os.getpid()}")
        self.addCleanup(lambda: os.path.exists(self.path) and os.unlink(self.path))

    def read(self, text):
        with open(self.path, "w", encoding="utf-8") as stream:
            stream.write(text)
        return results.Reasons(self.path)

    def test_a_reason_is_found_by_line_and_change(self):
        reasons = self.read("# words\nvm/f.c f\nline: return a < 1;\nchange: < -> <=\n"
                            "equivalent: never\n  equal\n")
        mutation = next(m for m in operators.find_mutations("vm/f.c", "int f(int a)\n{ return a < 1; }")
                        if m.new == "<=")
        self.assertEqual(reasons.of(mutation, "\treturn a < 1;"), ("equivalent", "never equal"))
        self.assertIsNone(reasons.of(mutation, "\treturn a < 2;"))

    def test_a_reason_for_a_line_that_is_gone_is_named(self):
        reasons = self.read("vm/none.c f\nline: gone\nchange: *\naccepted: was here once\n")
        self.assertEqual(reasons.stale("/nonexistent"), ["vm/none.c f: gone"])

    def test_a_paragraph_of_another_form_is_refused(self):
        for text in ("vm/f.c f\nline: x\nchange: y\n", "vm/f.c\nline: x\nchange: y\naccepted: z\n",
                     "vm/f.c f\nline: x\nchange: y\nperhaps: z\n"):
            with self.assertRaisesRegex(ValueError, "paragraph 1"):
                self.read(text)


class Floors(unittest.TestCase):
    def count(self, killed, survived):
        one = report.Count()
        one.mutants, one.killed, one.survived = killed + survived, killed, survived
        return one

    def test_the_map_has_a_floor_of_its_own(self):
        files = {"vm/vm_map.c": self.count(92, 8), "vm/vm_pool.c": self.count(95, 5)}
        problems = report.below(files, self.count(187, 13))
        self.assertEqual(len(problems), 1)
        self.assertIn("map: 92.0 % is below 95 %", problems[0])


if __name__ == "__main__":
    unittest.main()
