# SPDX-License-Identifier: BSD-2-Clause
import unittest

import figures
import logs
import samples


def combined(serial_lines, slots, cpus=1):
    log = logs.parse_serial(samples.serial(*serial_lines, cpus=cpus))
    return figures.combine(log, logs.parse_meter(samples.meter(*slots, cpus=cpus)))


class PerOperation(unittest.TestCase):
    def test_the_empty_sample_is_subtracted(self):
        found = combined([samples.case_line(0, "empty", ops=1),
                          samples.case_line(1, "page.pair", ops=10)],
                         [samples.slot(0, 0, own_insns=7, own_loads=1, sys_insns=9),
                          samples.slot(1, 0, own_insns=487, own_loads=31, sys_insns=509)])
        self.assertNotIn("per_op", found[0])
        self.assertEqual(48, found[1]["per_op"]["own_insns"])
        self.assertEqual(3, found[1]["per_op"]["own_loads"])
        self.assertEqual(50, found[1]["per_op"]["sys_insns"])
        self.assertEqual({"min": 487, "med": 487, "max": 487, "mean": 487},
                         found[1]["own"]["insns"])
        self.assertEqual(3, found[1]["metered_samples"])

    def test_all_cpus_is_the_mean_over_them_and_has_an_empty_sample_of_its_own(self):
        found = combined([samples.case_line(1, "page.pair", "all", 2, 10)],
                         [samples.slot(0, 0, own_insns=1000), samples.slot(1, 0, own_insns=9),
                          samples.slot(0x80, 0, own_insns=10), samples.slot(0x80, 1, own_insns=20),
                          samples.slot(0x81, 0, own_insns=115, own_transfers=10),
                          samples.slot(0x81, 1, own_insns=215, own_transfers=30)], cpus=2)
        self.assertEqual(15, found[0]["per_op"]["own_insns"])
        self.assertEqual(2, found[0]["per_op"]["own_transfers"])

    def test_counts_by_the_median_and_rare_events_by_the_mean(self):
        line = samples.slot(1, 0).replace("own_insns_med=0", "own_insns_med=100")
        line = line.replace("own_insns_sum=0", "own_insns_sum=90000")
        line = line.replace("own_icr_sum=0", "own_icr_sum=30")
        found = combined([samples.case_line(1, "page.pair", ops=10)], [samples.slot(0, 0), line])
        self.assertEqual(10, found[0]["per_op"]["own_insns"])
        self.assertEqual(1, found[0]["per_op"]["own_icr"])

    def test_without_counts_the_ticks_stay(self):
        log = logs.parse_serial(samples.serial(samples.case_line(1, "page.pair")))
        self.assertEqual(110, figures.combine(log, None)[0]["ticks_med"])
        self.assertNotIn("per_op", figures.combine(log, None)[0])
        only_case = combined([samples.case_line(1, "page.pair")], [samples.slot(1, 0)])
        self.assertNotIn("per_op", only_case[0])  # no empty sample: nothing to subtract
        unmarked = combined([samples.case_line(1, "page.pair")],
                            [samples.slot(0, 0), samples.slot(1, 0, samples=0)])
        self.assertNotIn("own", unmarked[0])


class Parallel(unittest.TestCase):
    def test_transfers_with_all_cpus_at_work_and_nothing_else(self):
        turns = samples.run("quire", 2, 48, 1)["figures"]
        parallel = samples.run("quire", 2, 9000, 3)["figures"]
        self.assertEqual(2, figures.take_transfers(turns, parallel))
        by = {(figure["case"], figure["mode"]): figure for figure in turns}
        self.assertEqual(3, by["page.pair", "all"]["per_op"]["own_transfers"])
        self.assertEqual(1, by["page.pair", "all"]["transfers_in_turns"])
        self.assertEqual(48, by["page.pair", "all"]["per_op"]["own_insns"])
        self.assertEqual(1, by["page.pair", "alone"]["per_op"]["own_transfers"])

    def test_what_is_kept_of_it(self):
        kept = figures.only_transfers(samples.run("quire", 2, 48, 3)["figures"])
        self.assertEqual(["page.pair", "shootdown.idle"], [figure["case"] for figure in kept])
        self.assertEqual({"transfers": {"min": 30, "med": 30, "max": 30, "mean": 30}},
                         kept[0]["own"])

    def test_a_parallel_run_that_has_nothing(self):
        turns = samples.run("quire", 2, 48, 1)["figures"]
        self.assertEqual(0, figures.take_transfers(turns, []))
        self.assertNotIn("transfers_in_turns", turns[-1])


class Lookup(unittest.TestCase):
    report = samples.report([samples.run("quire", 2, 48), samples.run("linux", 2, 690)])

    def test_value(self):
        def get(*arguments):
            return figures.value(self.report, *arguments)
        self.assertEqual(48, get("quire", 2, "alone", "page.pair", "own_insns"))
        self.assertEqual(690, get("linux", 2, "all", "page.pair", "own_insns"))
        self.assertIsNone(get("linux", 4, "all", "page.pair", "own_insns"))
        self.assertIsNone(get("quire", 2, "alone", "none.such", "own_insns"))

    def test_cases_in_the_order_of_their_numbers(self):
        self.assertEqual(["page.pair", "shootdown.idle"], figures.cases_of(self.report, 2, "all"))
        self.assertEqual([], figures.cases_of(self.report, 1, "alone"))


if __name__ == "__main__":
    unittest.main()
