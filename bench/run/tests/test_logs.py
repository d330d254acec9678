# SPDX-License-Identifier: BSD-2-Clause
import unittest

import logs
import samples


class Serial(unittest.TestCase):
    def test_every_kind_of_line(self):
        log = logs.parse_serial(
            "boot text\nquire: bench: no case\n"
            "[    1.5] bench: start cpus=2 build=release seed=1\r\n" +
            samples.case_line(1, "page.pair", "all", 2, 1000) + "\n"
            "bench: note case=42 mode=alone ipi_commands=7 operations=1000\n"
            "bench: skipped case=36 name=kmem.64 mode=all: memory is short\n"
            "bench: FAIL case=3 name=page.zero mode=all: wrong byte\n"
            "bench: error: cannot go on\n"
            "bench: done cases=1 seed=1 skipped=1 failed=1\n")
        self.assertEqual({"cpus": 2, "build": "release", "seed": 1}, log["start"])
        self.assertEqual(1, len(log["cases"]))
        keys = ("name", "mode", "cpus", "ops", "samples", "ticks_med")
        self.assertEqual(("page.pair", "all", 2, 1000, 3, 110),
                         tuple(log["cases"][0][key] for key in keys))
        self.assertEqual(7, log["notes"][0]["ipi_commands"])
        self.assertEqual("case=36 name=kmem.64 mode=all: memory is short", log["skipped"][0])
        self.assertEqual(["FAIL case=3 name=page.zero mode=all: wrong byte", "error: cannot go on"],
                         log["failed"])
        self.assertEqual(1, log["done"]["cases"])

    def test_the_clock_of_the_boot(self):
        log = logs.parse_serial("[  0.000000] clock: TSC at 2596.155 MHz (ACPI timer)\n")
        self.assertEqual(2596.155, log["tsc_mhz"])
        self.assertIsNone(logs.parse_serial("")["tsc_mhz"])

    def test_a_log_that_ends_early(self):
        log = logs.parse_serial(samples.case_line(1, "page.pair"))
        self.assertIsNone(log["done"])
        self.assertEqual(1, len(log["cases"]))
        self.assertEqual([], logs.parse_serial("")["cases"])

    def test_broken_cases_are_named(self):
        with self.assertRaisesRegex(logs.BadLog, "line 2: a case without ops, samples"):
            logs.parse_serial("x\nbench: case=1 name=a mode=all cpus=1")
        with self.assertRaisesRegex(logs.BadLog, "0 operations"):
            logs.parse_serial(samples.case_line(1, "a", ops=0))
        with self.assertRaisesRegex(logs.BadLog, "mode 'some'"):
            logs.parse_serial(samples.case_line(1, "a", mode="some"))


class Meter(unittest.TestCase):
    def test_header_totals_and_samples(self):
        meter = logs.parse_meter(samples.meter(samples.slot(0x81, 1, own_insns=480), cpus=2))
        self.assertEqual(2, meter["header"]["cpus"])
        self.assertEqual("physical", meter["header"]["addresses"])
        self.assertEqual([0, 1], sorted(meter["totals"]))
        self.assertEqual(1440, meter["slots"][0x81, 1]["own_insns_sum"])

    def test_what_is_no_file_of_the_meter(self):
        with self.assertRaisesRegex(logs.BadLog, "line 1"):
            logs.parse_meter("something else\n")
        with self.assertRaisesRegex(logs.BadLog, "version=1"):
            logs.parse_meter("meter: version=2 cpus=1\n")
        with self.assertRaisesRegex(logs.BadLog, "version=1"):
            logs.parse_meter("")


if __name__ == "__main__":
    unittest.main()
