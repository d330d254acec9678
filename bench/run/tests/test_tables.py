# SPDX-License-Identifier: BSD-2-Clause
import os
import unittest

import samples
import systems
import tables
from targets import TARGETS, target


def report(**more):
    return samples.report([samples.run("quire", 1, 48), samples.run("linux", 1, 691),
                           samples.run("quire", 2, 60, 0.5), samples.run("linux", 2, 690, 2)],
                          **more)


class Cells(unittest.TestCase):
    def test_numbers(self):
        numbers = (None, 0, -0.004, 0.07, 9.99, 10.5, 691, 121054)
        self.assertEqual(["-", "0", "0", "0.07", "9.99", "10.5", "691", "121,054"],
                         [tables.number(n) for n in numbers])

    def test_ratios(self):
        self.assertEqual(["0.10", "-", "-", "-", "0.00"],
                         [tables.ratio(*pair) for pair in
                          ((69, 690), (None, 1), (1, None), (1, 0), (0, 5))])


class Memory(unittest.TestCase):
    def setUp(self):
        runs = [samples.run("quire", cpus, 48) for cpus in (1, 2, 8)]
        runs.append(samples.run("linux", 2, 48))
        for run in runs:
            cached = {"cached_page_bytes": run["cpus"] << 20, "cached_range_bytes": 0,
                      "cached_item_bytes": 1 << 19, "slab_waste_bytes": 4096, "free_bytes": 1 << 30}
            run["notes"] = [
                {"case": 1, "mode": "alone", **cached}, {"case": 1, "mode": "all", **cached},
                {"case": 93, "mode": "all", "free_2mib_runs_before": 500,
                 "free_2mib_runs_after": 490},
                {"ram_bytes": 1 << 30, "boot_bytes": 17 << 20, "table_bytes": 1 << 20,
                 "pool_bytes": 1 << 19}]
        self.report = samples.report(runs)

    def test_what_is_kept_at_hand_on_few_and_on_many_cpus(self):
        self.assertEqual([["page.pair", "8", "8.00", "0.00", "0.50", "0.00", "1,024.00"]],
                         tables.memory(self.report)[2:])
        self.assertEqual("1", tables.memory(self.report)[1][1])

    def test_what_the_system_takes(self):
        self.assertEqual(["8", "1,024.00", "17.00", "1.00", "0.50", "1.81 %"],
                         tables.metadata(self.report)[3])
        self.assertEqual(4, len(tables.metadata(self.report)))

    def test_large_runs_that_are_left(self):
        self.assertEqual(["8", "all", "500", "490", "98.0 %"],
                         tables.fragmentation(self.report)[3])

    def test_reports_without_notes(self):
        for table in (tables.memory, tables.metadata, tables.fragmentation):
            self.assertIsNone(table(report()))
            self.assertIsNone(table(samples.report([])))

    def test_the_text_shows_them(self):
        text = tables.text(self.report)
        for expected in ("takes for itself", "Kept at hand", "Fragmentation"):
            self.assertIn(expected, text)


class Sections(unittest.TestCase):
    def test_a_target_is_met_by_what_is_printed(self):
        row = {"must": 48}
        self.assertEqual(["yes", "yes", "no", "-"],
                         [tables._target_text(row, ours)[1] for ours in (47, 48.04, 48.06, None)])
        self.assertEqual(("", ""), tables._target_text(None, 48))
        self.assertEqual(("0", "yes"), tables._target_text({"must": 0}, 0.004))

    def test_one_cpu(self):
        title, found = tables.sections(report())[0]
        self.assertEqual("1 CPU: instructions per operation", title)
        self.assertEqual(["case", "Quire", "Linux", "ratio", "target", "met"], found[0][0][:6])
        self.assertEqual(["page.pair", "48.0", "691", "0.07", "48.0", "yes"], found[0][1][:6])

    def test_several_cpus_have_both_modes_and_whole_system_apart(self):
        found = tables.sections(report())
        self.assertEqual(["1 CPU: instructions per operation",
                          "2 CPUs, one at work: instructions per operation",
                          "2 CPUs, all at work: instructions per operation"],
                         [title for title, _ in found])
        own, whole = found[1][1]
        self.assertEqual(["page.pair", "60.0", "690", "0.09", "48.0", "no"], own[1][:6])
        self.assertEqual(["shootdown.idle", "120", "1,380", "0.09", "764", "yes"], whole[1][:6])
        self.assertEqual("case (all CPUs together)", whole[0][0])
        self.assertEqual(1, len(found[2][1]))

    def test_linux_as_shipped_is_a_table_of_its_own(self):
        runs = [samples.run("quire", 1, 48), samples.run("linux-shipped", 1, 4807)]
        (title, found), = tables.sections(samples.report(runs))
        self.assertIn("as Debian ships it", title)
        self.assertEqual("4,807", found[0][1][2])

    def test_without_linux_there_is_no_column_for_it(self):
        (_, found), = tables.sections(samples.report([samples.run("quire", 1, 48)]))
        self.assertEqual(["case", "Quire", "target", "met", "locked", "transfers", "ICR"],
                         found[0][0])

    def test_a_system_that_gave_nothing_leaves_dashes_and_a_line(self):
        broken = {"system": "linux", "cpus": 1, "figures": [], "problem": "QEMU is missing"}
        text = tables.text(samples.report([samples.run("quire", 1, 48), broken]))
        self.assertRegex(text, r"page\.pair +48\.0 +- +- +48\.0 +yes")
        self.assertIn("linux, 1 CPU: QEMU is missing", text)

    def test_skipped_and_failed_cases_are_named(self):
        run = samples.run("quire", 1, 48)
        run.update(skipped=["case=36: memory is short"], failed=["FAIL case=3: wrong byte"])
        text = tables.text(samples.report([run]))
        self.assertIn("quire, 1 CPU: skipped case=36: memory is short", text)
        self.assertIn("quire, 1 CPU: FAIL case=3: wrong byte", text)


class Starts(unittest.TestCase):
    def test_by_ticks_or_by_the_kernels_own_time(self):
        ours, linux = samples.run("quire", 8, 48), samples.run("linux", 8, 690)
        ours["tsc_mhz"] = 2000.0
        ours["figures"].append({"case": "cpu.start", "index": 65, "mode": "alone", "ops": 7,
                                "ticks_med": 28_000_000})
        linux["notes"] = [{"case": 65, "cpus": 8, "start_ns": 7_000_000}, {"case": 42}]
        self.assertEqual([["8", "quire", "14.0", "2.00"], ["8", "linux", "7.00", "1.00"]],
                         tables.starts(samples.report([ours, linux]))[1:])
        self.assertIsNone(tables.starts(report()))


class Host(unittest.TestCase):
    def test_rows(self):
        rows = tables.host_table(report(host=samples.host()))
        self.assertEqual(["pair.64", "1", "14.0", "7.00 tcmalloc", "2.00", "90.0", "45.0 mimalloc",
                          "2.00"], rows[1])
        self.assertEqual(["empty.pair", "1", "1.00", "-", "-", "-", "-", "-"], rows[2])
        self.assertIsNone(tables.host_table(report()))
        self.assertIn("allocators: no valgrind",
                      tables.text(report(host={"problem": "no valgrind"})))


class Looks(unittest.TestCase):
    table = [["case", "n"], ["a", "1"], ["long", "22"]]

    def test_text_and_markdown(self):
        self.assertEqual("case   n\na      1\nlong  22", tables.as_text(self.table))
        self.assertEqual("| case | n |\n|---|--:|\n| a | 1 |\n| long | 22 |",
                         tables.as_markdown(self.table))


class Targets(unittest.TestCase):
    def test_by_number_of_cpus(self):
        self.assertEqual(48, target("page.pair", "alone", 8, "own_insns")["must"])
        self.assertEqual(4624, target("shootdown.idle", "alone", 8, "sys_insns")["must"])
        self.assertIsNone(target("shootdown.idle", "alone", 4, "sys_insns"))
        self.assertIsNone(target("page.pair", "all", 8, "own_insns"))

    def test_the_table_of_all_targets(self):
        rows = tables.targets_table(report())
        self.assertIn(["page.pair", "1", "one", "instructions", "48.0", "48.0", "yes", "24.0"],
                      rows)
        self.assertIn(["page.pair", "2", "one", "instructions", "60.0", "48.0", "no", "24.0"],
                      rows)
        self.assertIn(["shootdown.idle", "2", "one", "instructions, all CPUs", "120", "764", "yes",
                       "250"], rows)
        self.assertEqual([], [row for row in rows if row[1] == "32"])
        self.assertRegex(tables.text(report()), "Targets\n\ncase +CPUs")
        self.assertIsNone(tables.targets_table(samples.report([])))

    def test_every_target_names_a_case(self):
        known = systems.all_cases(os.environ["QUIRE_ROOT"])
        self.assertGreater(len(known), 30)
        self.assertEqual([], [row["case"] for row in TARGETS if row["case"] not in known])
        self.assertEqual([], [row["case"] for row in TARGETS if row["moonshot"] > row["must"]])
        self.assertEqual([], [case for case in tables.WHOLE_SYSTEM if case not in known])


if __name__ == "__main__":
    unittest.main()
