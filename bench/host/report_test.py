#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Tests of report.py and settings.py. testdata/ holds what three programs once put out, without
the cases and the lines that nothing here reads."""
import contextlib
import io
import json
import os
import shutil
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import report  # noqa: E402
import settings  # noqa: E402

MACHINE = {"cpu": "a CPU"}


class ReportTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        recorded = os.path.join(HERE, "testdata")
        for name in os.listdir(recorded):
            shutil.copyfile(os.path.join(recorded, name), self.path(name))

    def path(self, name):
        return os.path.join(self.folder, name)

    def change(self, name, old, new):
        with open(self.path(name), encoding="utf-8") as file:
            text = file.read()
        self.assertIn(old, text)
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text.replace(old, new))

    def case(self, name, threads):
        for case in report.assemble(self.folder, MACHINE)["cases"]:
            if (case["name"], case["threads"]) == (name, threads):
                return case
        self.fail(f"no case {name} with {threads} threads")

    def assert_refused(self, pattern):
        with self.assertRaisesRegex(report.BadInput, pattern):
            report.assemble(self.folder, MACHINE)

    # ---- figures ----

    def test_time_is_per_operation_and_by_round(self):
        quire = self.case("page.pair", 1)["results"]["quire"]
        with open(self.path("time-quire-1-2.json"), encoding="utf-8") as file:
            run = json.load(file)
        row = next(row for row in run["benchmarks"] if row["name"] == "page.pair")
        self.assertAlmostEqual(quire["ns_rounds"][1], row["cpu_time"] / 16384, places=3)
        self.assertEqual(len(quire["ns_rounds"]), 3)
        self.assertEqual(quire["ns_min"], min(quire["ns_rounds"]))
        self.assertEqual(quire["ns_median"], sorted(quire["ns_rounds"])[1])

    def test_rounds_are_in_the_order_of_their_numbers(self):
        for name in ("quire", "jemalloc", "tcmalloc"):
            shutil.copyfile(self.path(f"time-{name}-1-1.json"),
                            self.path(f"time-{name}-1-10.json"))
        rounds = self.case("page.pair", 1)["results"]["quire"]["ns_rounds"]
        self.assertEqual(len(rounds), 4)
        self.assertEqual(rounds[3], rounds[0])

    def test_several_threads_take_the_measured_time_and_lose_its_suffix(self):
        case = self.case("page.handover", 2)
        with open(self.path("time-quire-2-1.json"), encoding="utf-8") as file:
            run = json.load(file)
        row = next(row for row in run["benchmarks"] if row["name"].startswith("page.handover/"))
        self.assertAlmostEqual(case["results"]["quire"]["ns_rounds"][0],
                               row["real_time"] / 16384, places=3)
        self.assertEqual(case["clock"], "wall")
        self.assertNotIn("instructions", case["results"]["quire"])

    def test_instructions_are_the_difference_of_two_counts(self):
        results = self.case("empty.pair", 1)["results"]
        # 4096 operations: 12301 instructions, 8192: 24589.
        self.assertEqual(results["quire"]["instructions"], 3.0)
        self.assertEqual(results["quire"]["instructions_rounds"], [3.0, 3.0])

    def test_the_mean_count_is_reported_and_all_are_kept(self):
        case = self.case("page.pair", 1)["results"]["quire"]
        total = report.total_of(self.path("count-quire.out.8"))
        self.change("count-quire.out.8", f"totals: {total}", f"totals: {total + 4096}")
        changed = self.case("page.pair", 1)["results"]["quire"]
        self.assertEqual(changed["instructions"], case["instructions"] + 0.5)
        self.assertEqual(changed["instructions_rounds"][1], case["instructions_rounds"][1] + 1)

    def test_ratio_is_ours_by_the_best_peer_of_each_measure(self):
        case = self.case("page.batch64", 1)
        peers = {name: result for name, result in case["results"].items() if name != "quire"}
        self.assertEqual(set(peers), {"jemalloc", "tcmalloc"})
        for field, short in (("ns_min", "ns"), ("instructions", "instructions")):
            least = min(peers, key=lambda name: peers[name][field])
            best = case[f"best_peer_{short}"]
            self.assertEqual(best, {"name": least, short: peers[least][field]})
            ours = case["results"]["quire"][field]
            self.assertAlmostEqual(case[f"ratio_{short}"], ours / best[short], places=3)

    def test_the_empty_loop_is_not_compared(self):
        case = self.case("empty.pair", 1)
        self.assertNotIn("ratio_ns", case)
        self.assertNotIn("best_peer_ns", case)

    def test_a_case_that_only_we_have_has_no_ratio(self):
        for name in ("jemalloc", "tcmalloc"):
            for number in (1, 2, 3):
                self.change(f"time-{name}-1-{number}.json", '"page.pair"', '"other"')
            self.change(f"count-{name}.txt", "counted page.pair", "counted other")
        case = self.case("page.pair", 1)
        self.assertNotIn("ratio_ns", case)
        self.assertNotIn("ratio_instructions", case)
        self.assertIn("page.pair", report.table(report.assemble(self.folder, MACHINE)))

    def test_versions_commands_and_machine_are_in_it(self):
        whole = report.assemble(self.folder, MACHINE)
        self.assertEqual(whole["machine"], MACHINE)
        self.assertEqual(whole["settings"]["rounds"], 3)
        self.assertEqual(whole["versions"]["packages"]["libjemalloc2"], "5.3.0-1")
        self.assertEqual(whole["versions"]["allocators"]["tcmalloc"], "gperftools 2.10")
        self.assertIn("--tool=callgrind", whole["commands"][0])

    # ---- what is refused ----

    def test_nothing_measured(self):
        for number in (1, 2, 3):
            for threads in (1, 2):
                os.remove(self.path(f"time-quire-{threads}-{number}.json"))
        self.assert_refused("no time-quire-")

    def test_another_allocator_than_the_name_says(self):
        self.change("time-jemalloc-1-1.json", '"allocator": "jemalloc"', '"allocator": "glibc"')
        self.assert_refused("time-jemalloc-1-1.json: it is of glibc, 1 threads")

    def test_another_unit(self):
        self.change("time-quire-1-1.json", '"time_unit": "ns"', '"time_unit": "us"')
        self.assert_refused("is in us, not ns")

    def test_a_run_that_was_cut_off(self):
        with open(self.path("time-quire-1-1.json"), "r+", encoding="utf-8") as file:
            file.truncate(300)
        self.assert_refused("time-quire-1-1.json: not JSON")

    def test_json_of_something_else(self):
        with open(self.path("time-quire-1-1.json"), "w", encoding="utf-8") as file:
            file.write("{}")
        self.assert_refused("not what the benchmark writes")

    def test_a_missing_count(self):
        os.remove(self.path("count-quire.out.3"))
        self.assert_refused("count-quire.out.3: No such file")

    def test_a_count_without_a_total(self):
        self.change("count-quire.out.3", "totals:", "total:")
        self.assert_refused("callgrind did not finish")

    def test_counts_that_are_no_pair(self):
        self.change("count-quire.txt", "counted page.pair 8192", "counted page.pair 4096")
        self.assert_refused("are no pair")

    def test_half_a_pair(self):
        with open(self.path("count-quire.txt"), "a", encoding="utf-8") as file:
            file.write("counted page.pair 4096\n")
        self.assert_refused("come in pairs")

    # ---- the program ----

    def run_main(self, *arguments):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = report.main(list(arguments))
        return status, out.getvalue(), err.getvalue()

    def test_writes_the_file_and_prints_the_table(self):
        result = self.path("result.json")
        status, out, _ = self.run_main(self.folder, result)
        self.assertEqual(status, 0)
        with open(result, encoding="utf-8") as file:
            self.assertEqual(json.load(file)["benchmark"], "host")
        self.assertRegex(out, r"(?m)^page\.pair +1 +\d+\.\d +\d+\.\d tcmalloc +\d+\.\d\d ")
        self.assertRegex(out, r"(?m)^page\.handover +2 ")

    def test_an_old_result_stays_when_the_new_one_fails(self):
        result = self.path("result.json")
        self.run_main(self.folder, result)
        with open(result, encoding="utf-8") as file:
            before = file.read()
        os.remove(self.path("settings.json"))
        status, _, err = self.run_main(self.folder, result)
        self.assertEqual(status, 1)
        self.assertIn("settings.json", err)
        with open(result, encoding="utf-8") as file:
            self.assertEqual(file.read(), before)

    def test_a_folder_that_is_not_there(self):
        status, _, err = self.run_main(self.path("none"), self.path("result.json"))
        self.assertEqual(status, 1)
        self.assertIn("none", err)

    def test_wrong_use(self):
        self.assertEqual(self.run_main()[0], 2)


class SettingsTest(unittest.TestCase):
    def test_lines_become_settings(self):
        made = settings.parse(["quick 1\n", "seconds_per_case 0.02\n", "version gcc 12.2.0\n",
                               "package valgrind 1:3.19.0-1\n", "command A=1 ./x --y\n"])
        self.assertEqual(made, {"settings": {"quick": 1, "seconds_per_case": 0.02},
                                "versions": {"packages": {"valgrind": "1:3.19.0-1"},
                                             "gcc": "12.2.0"},
                                "commands": ["A=1 ./x --y"]})

    def test_a_setting_that_is_no_number(self):
        with self.assertRaises(ValueError):
            settings.parse(["quick yes\n"])


if __name__ == "__main__":
    unittest.main()
