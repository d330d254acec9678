#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A soak of seconds, with activities that only pretend."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
TOOL = os.path.join(HERE, "../../tools/soak/soak.py")


class Soak(unittest.TestCase):
    def setUp(self):
        work = tempfile.TemporaryDirectory(dir=os.environ.get("TEST_TMPDIR"))
        self.addCleanup(work.cleanup)
        self.work = work.name
        self.out = os.path.join(self.work, "out")

    def command(self, activities, *arguments):
        file = os.path.join(self.work, "activities.json")
        with open(file, "w", encoding="utf-8") as stream:
            json.dump([{"name": n, "command": c} for n, c in activities], stream)
        return [sys.executable, "-B", TOOL, "--root", self.work, "--out", self.out,
                "--activities", file, *arguments]

    def soak(self, activities, *arguments):
        done = subprocess.run(self.command(activities, *arguments), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)
        self.said = done.stdout
        return done.returncode

    def report(self):
        with open(os.path.join(self.out, "report.md"), encoding="utf-8") as stream:
            return stream.read()

    def test_takes_turns_and_reports_what_failed(self):
        status = self.soak([("good", ["sh", "-c", "echo fine; sleep 0.1"]),
                            ("bad", ["sh", "-c", "echo seed was {seed}; sleep 0.1; exit 3"])],
                           "0.0008", "--seed", "7")
        self.assertEqual(status, 1, self.said)
        report = self.report()
        self.assertIn("## Failures", report)
        self.assertIn("Status 3", report)
        self.assertRegex(report, r"\| good \| [1-9]\d* \| 0 \|")
        self.assertRegex(report, r"seed was \d+")
        self.assertTrue(os.path.exists(os.path.join(self.out, "failures.txt")))
        logs = os.listdir(os.path.join(self.out, "logs"))
        self.assertGreaterEqual(sum(l.startswith("bad-") for l in logs), 1)

    def test_the_end_cuts_short_what_does_not_end_and_that_is_no_failure(self):
        status = self.soak([("endless", ["sh", "-c", "exec sleep 1000"])], "0.0003")
        self.assertEqual(status, 0, self.said)
        self.assertIn("| endless | 0 | 0 | 1 |", self.report())

    def test_ctrl_c_ends_with_a_report(self):
        process = subprocess.Popen(
            self.command([("endless", ["sh", "-c", "exec sleep 1000"])], "100"),
            stdout=subprocess.PIPE, text=True)
        self.assertIn("soak: 100 hours", process.stdout.readline())
        logs = os.path.join(self.out, "logs")
        while not os.listdir(logs) and process.poll() is None:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        rest = process.communicate()[0]
        self.assertEqual(process.returncode, 0, rest)
        self.assertIn("ended by hand", self.report())

    def test_the_same_seed_gives_the_same_seeds(self):
        seen = []
        for part in ("a", "b"):
            self.out = os.path.join(self.work, part)
            file = os.path.join(self.work, "seeds." + part)
            self.soak([("note", ["sh", "-c", f"echo {{seed}} >>{file}; sleep 0.1"])], "0.0003",
                      "--seed", "3")
            with open(file, encoding="utf-8") as stream:
                seen.append(stream.read().split())
        self.assertEqual(seen[0][:2], seen[1][:2])
        self.assertEqual(len(set(seen[0])), len(seen[0]))

    def test_wrong_calls_are_refused(self):
        for arguments in ((), ("0",), ("-1",), ("x",), ("1", "--only", "nothing")):
            self.assertEqual(self.soak([("a", ["true"])], *arguments), 2, arguments)
        self.assertEqual(self.soak([("a", ["true"])], "--list"), 0)
        self.assertIn("true", self.said)


if __name__ == "__main__":
    unittest.main()
