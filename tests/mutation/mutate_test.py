#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The whole mutation tester on a tree of one file, of which all mutants are known."""

import os
import re
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
TOOL = os.path.join(HERE, "../../tools/mutate/mutate.py")

FILES = {
    "vm/BUILD": 'load("//bazel:quire.bzl", "quire_library")\n'
                'quire_library(name = "vm", srcs = ["clamp.c"], hdrs = ["clamp.h"])\n',
    "vm/clamp.h": '#ifdef __cplusplus\nextern "C" {\n#endif\n'
                  "int clamp(int a, int top);\nint twice(int a);\n"
                  "#ifdef __cplusplus\n}\n#endif\n",
    "vm/clamp.c": '#include "vm/clamp.h"\n\n/* a > top + 1 */\n'
                  "int clamps;\n\nint clamp(int a, int top)\n{\n\tif (a > top) {\n"
                  "\t\tclamps++;\n\t\treturn top;\n\t}\n\treturn a;\n}\n\n"
                  "int twice(int a)\n{\n\tint sum = 0;\n\n"
                  "\tfor (int i = 0; i < 2; i++)\n\t\tsum += a;\n\treturn sum;\n}\n",
    "tests/host/vm/BUILD": 'load("//bazel:quire.bzl", "quire_test")\n'
                           '[quire_test(name = n + "_test", srcs = [n + "_test.cc"], '
                           'deps = ["//vm"]) for n in ["clamp", "broken"]]\n',
    "tests/host/vm/broken_test.cc": "#include <gtest/gtest.h>\n"
                                    "TEST(Broken, Always) { FAIL(); }\n",
    "tests/host/vm/clamp_test.cc":
        '#include <gtest/gtest.h>\n#include "vm/clamp.h"\n'
        "TEST(Clamp, Values) { EXPECT_EQ(clamp(3, 2), 2); EXPECT_EQ(clamp(1, 2), 1); }\n"
        "TEST(Twice, Value) { EXPECT_EQ(twice(3), 6); }\n"
        "TEST(TwiceDeathTest, Dies) { EXPECT_DEATH({ if (twice(4) == 8) __builtin_trap(); }, \"\"); }\n",
}
REASON = ("vm/clamp.c clamp\nline: if (a > top) {\nchange: > -> >=\n"
          "equivalent: both results are the same number\n\n"
          "vm/clamp.c clamp\nline: clamps++;\nchange: *\naccepted: nobody reads it\n")


class Toy(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.work = tempfile.TemporaryDirectory(dir=os.environ.get("TEST_TMPDIR"))
        cls.root = os.path.join(cls.work.name, "tree")
        for path, text in FILES.items():
            path = os.path.join(cls.root, path)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as stream:
                stream.write(text)

    @classmethod
    def tearDownClass(cls):
        cls.work.cleanup()

    def mutate(self, *arguments, reasons="", **environment):
        file = os.path.join(self.work.name, "reasons.txt")
        with open(file, "w", encoding="utf-8") as stream:
            stream.write(reasons)
        clean = {k: v for k, v in os.environ.items() if not k.startswith("TEST_")}
        done = subprocess.run(
            [sys.executable, "-B", TOOL, "--root", self.root, "--reasons", file, "--work",
             os.path.join(self.work.name, "work"), "--jobs", "2", *arguments],
            env=dict(clean, **environment), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, check=False)
        self.said = done.stdout + done.stderr
        return done.returncode, done.stdout, done.stderr

    def figures(self, out):
        match = re.search(r"^all +(\d+) +(\d+) +(\d+) +(\d+) +(\d+) ", out, re.MULTILINE)
        self.assertIsNotNone(match, self.said)
        return tuple(map(int, match.groups()))

    def test_wrong_calls_are_refused(self):
        self.assertEqual(self.mutate()[0], 2)
        self.assertEqual(self.mutate("vm/none.c")[0], 2)
        self.assertIn("no C file of the tree", self.said)
        self.assertEqual(self.mutate("--all", "--sample", "0")[0], 2)
        self.assertEqual(self.mutate("--all", reasons="what\n")[0], 2)

    def test_shards_of_a_sample_make_the_sample(self):
        whole = self.mutate("--all", "--list")[1].splitlines()
        self.assertGreater(len(whole), 12)
        self.assertEqual(whole, self.mutate("--all", "--list")[1].splitlines())
        drawn = self.mutate("--all", "--list", "--sample", "9", "--seed", "5")[1].splitlines()
        parts = []
        for shard in ("0", "1", "2"):
            parts += self.mutate("--all", "--list", "--sample", "9", "--seed", "5",
                                 TEST_TOTAL_SHARDS="3", TEST_SHARD_INDEX=shard)[1].splitlines()
        self.assertEqual(sorted(parts), sorted(drawn))
        self.assertEqual(len(drawn), 9)

    def test_all_are_run_once_and_known_afterwards(self):
        before = {p: os.stat(os.path.join(self.root, p)).st_mtime_ns for p in FILES}
        _status, out, err = self.mutate("--all")
        mutants, killed, timed_out, survived, equivalent = self.figures(out)
        self.assertIn("vm/broken_test fails without a mutant: it is left out", err)
        self.assertEqual(survived, 3, out)
        self.assertIn("vm/clamp.c:8: clamp: relation: > -> >=", out)
        self.assertIn("    - if (a > top) {\n    + if (a >= top) {", out)
        self.assertGreaterEqual(killed + timed_out, 7)
        self.assertEqual(killed + timed_out + survived + equivalent, mutants)

        _status, out, err = self.mutate("--all", reasons=REASON)
        self.assertEqual(self.figures(out)[3:], (2, equivalent + 1))
        self.assertEqual(out.count("accepted: nobody reads it"), 2)
        self.assertIn("equivalent: both results are the same number", out)
        self.assertRegex(err, r"\d+ mutants are known from before")
        self.assertEqual(before, {p: os.stat(os.path.join(self.root, p)).st_mtime_ns
                                  for p in FILES})
        self.assertEqual(sorted(os.listdir(self.root)), ["tests", "vm"])


if __name__ == "__main__":
    unittest.main()
