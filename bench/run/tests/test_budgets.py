# SPDX-License-Identifier: BSD-2-Clause
"""Budgets: the file, the comparison, and the whole command with a QEMU that only pretends."""
import os
import unittest

import budgets
import samples
import test_bench

FILE = """# a remark
page.pair 1 48 0 0.5

page.pair 4 50 1 0
zone.64 4 18.14 0 0  # and another
"""


def figure(insns, locked=0, transfers=0):
    return {"insns": insns, "locked": locked, "transfers": transfers}


class File(unittest.TestCase):
    def test_a_line_is_a_case_its_cpus_and_three_figures(self):
        found = budgets.parse(FILE)
        self.assertEqual([("page.pair", 1), ("page.pair", 4), ("zone.64", 4)], list(found))
        self.assertEqual(figure(48, 0, 0.5), found["page.pair", 1])

    def test_what_is_wrong_is_named_with_its_line(self):
        for text, why in (("page.pair 1 48 0", "line 1: not a case"),
                          ("\npage.pair one 48 0 0", "line 2: not a case"),
                          ("page.pair 0 48 0 0", "line 1: not a case"),
                          ("page.pair 1 48 0 -1", "line 1: not a case"),
                          ("page.pair 1 1 1 1\npage.pair 1 2 2 2", "line 2: page.pair at 1"),
                          ("# nothing", "not one budget")):
            with self.assertRaisesRegex(budgets.BadBudgets, why):
                budgets.parse(text)
        with self.assertRaisesRegex(budgets.BadBudgets, "zone.64 is no case"):
            budgets.check_names(budgets.parse(FILE), {"page.pair": ""})

    def test_a_new_file_keeps_its_remarks_and_parses(self):
        measured = {key: figure(20.5, 0.02, 3) for key in budgets.parse(FILE)}
        text = budgets.renewed(FILE, measured)
        self.assertEqual("# a remark", text.splitlines()[0])
        self.assertEqual(measured, budgets.parse(text))
        self.assertEqual(text, budgets.renewed(text, measured))

    def test_a_family_stands_for_all_of_its_cases(self):
        known = {"zone.64": "", "zone.256": "", "page.pair": "", "page.zero": ""}
        self.assertEqual(["page.pair", "zone"],
                         budgets.asked(["page.pair", "zone.64", "zone.256"], known))
        self.assertEqual(["zone.64"], budgets.asked(["zone.64"], known))


class Comparison(unittest.TestCase):
    def compare(self, budget, measured):
        key = ("page.pair", 4)
        return budgets.exceeded({key: budget}, {key: measured}), \
            budgets.could_be_lower({key: budget}, {key: measured})

    def test_five_per_cent_more_is_too_much(self):
        self.assertEqual(([], []), self.compare(figure(100), figure(105)))
        over, _ = self.compare(figure(100), figure(105.02))
        self.assertEqual(["page.pair, 4 CPUs: 105.02 instructions, the budget is 100.00"], over)

    def test_nothing_may_not_become_something(self):
        self.assertEqual(([], []), self.compare(figure(10), figure(10, 0.004, 0.005)))
        over, _ = self.compare(figure(10), figure(10, 0.01, 0.02))
        self.assertEqual(["page.pair, 4 CPUs: 0.01 locked operations, the budget is 0.00",
                          "page.pair, 4 CPUs: 0.02 transfers, the budget is 0.00"], over)

    def test_what_became_cheaper_is_told_and_no_failure(self):
        over, under = self.compare(figure(100, 1), figure(90, 0.99))
        self.assertEqual([], over)
        self.assertEqual(["page.pair, 4 CPUs: 90.00 instructions, the budget is 100.00"], under)


class Command(test_bench.Command):
    """With the fake QEMU of the runner's test: page.pair is 48 instructions on one CPU."""

    def setUp(self):
        super().setUp()
        self.write("serial", samples.serial(samples.case_line(0, "empty", "all", ops=1),
                                            samples.case_line(1, "page.pair", "all")))
        self.write("meter", samples.meter(samples.slot(0x80, 0, own_insns=7),
                                          samples.slot(0x81, 0, own_insns=487)))

    def budget(self, line):
        self.write("bench/budgets.txt", "# remark\n" + line + "\n")

    def test_within(self):
        self.budget("page.pair 1 48 0 0")
        status, out, _ = self.run_bench("--budgets")
        self.assertEqual(0, status)
        self.assertIn("all 1 cases are within their budgets", out)
        with open(self.path("arguments"), encoding="utf-8") as file:
            arguments = file.read()
        self.assertIn("-icount shift=0,sleep=off", arguments)
        self.assertIn("run=bench --quick --mode all page.pair", arguments)

    def test_exceeded(self):
        self.budget("page.pair 1 45 0 0")
        status, out, _ = self.run_bench("--budgets")
        self.assertEqual(1, status)
        self.assertIn("too dear: page.pair, 1 CPU: 48.00 instructions, the budget is 45.00", out)
        self.assertIn("./quire bench --update-budgets", out)

    def test_update(self):
        self.budget("page.pair 1 45 0 0")
        status, out, _ = self.run_bench("--update-budgets")
        self.assertEqual(0, status)
        self.assertIn("1 budgets written", out)
        with open(self.path("bench/budgets.txt"), encoding="utf-8") as file:
            self.assertEqual(["# remark", budgets.row(("page.pair", 1), figure(48))],
                             file.read().splitlines())

    def test_what_cannot_be_compared_is_no_success(self):
        self.budget("zone.64 1 18 0 0")
        status, _, err = self.run_bench("--budgets")
        self.assertEqual(2, status)
        self.assertIn("zone.64 at 1 CPUs was not measured", err)
        self.budget("page.pair 1 48 0 0")
        self.write("serial", samples.serial(build="debug"))
        status, _, err = self.run_bench("--budgets")
        self.assertEqual(2, status)
        os.remove(self.path("bench/budgets.txt"))
        status, _, err = self.run_bench("--budgets")
        self.assertEqual(2, status)
        self.assertIn("bench/budgets.txt: No such file", err)


# Its tests are run where they stand, not here again.
for name in [name for name in dir(test_bench.Command) if name.startswith("test_")]:
    setattr(Command, name, None)
del name


if __name__ == "__main__":
    unittest.main()
