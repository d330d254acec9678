# SPDX-License-Identifier: BSD-2-Clause
import os
import tempfile
import unittest

import document
import samples

NAMES = ("made", "tables", "targets", "interrupts", "starts", "metadata", "memory", "fragmentation",
         "host", "missing", "commands")


def page(names=NAMES):
    return "# Performance\n" + "\n".join(
        f"before\n<!-- bench:begin {name} -->\nold {name}\n<!-- bench:end {name} -->\nafter"
        for name in names) + "\n"


class Fill(unittest.TestCase):
    def test_replaces_the_parts_and_nothing_else(self):
        texts = {name: f"new {name} \\1" for name in NAMES}
        filled = document.fill(page(), texts)
        self.assertEqual(page().replace("old", "new").replace(
            "\n<!-- bench:end", " \\1\n<!-- bench:end"), filled)
        self.assertEqual(filled, document.fill(filled, texts))

    def test_missing_and_unknown_marks(self):
        with self.assertRaisesRegex(document.BadPage, "expected: made, tables"):
            document.fill(page(NAMES[1:]), dict.fromkeys(NAMES, ""))
        with self.assertRaisesRegex(document.BadPage, "nonsense"):
            document.fill(page(NAMES + ("nonsense",)), dict.fromkeys(NAMES, ""))

    def test_the_page_of_this_tree_has_the_marks(self):
        with open(os.path.join(os.environ["QUIRE_ROOT"], document.PAGE), encoding="utf-8") as file:
            text = file.read()
        report = samples.report([])
        self.assertIn("No run succeeded.", document.fill(text, document.parts(report)))


class Update(unittest.TestCase):
    def test_writes_page_and_plots(self):
        with tempfile.TemporaryDirectory() as root:
            os.makedirs(os.path.join(root, "docs/performance"))
            with open(os.path.join(root, document.PAGE), "w", encoding="utf-8") as file:
                file.write(page())
            runs = [samples.run("quire", 2, 48, 1), samples.run("linux", 2, 690, 2)]
            report = samples.report(runs, host=samples.host())
            written = document.update(root, report)
            self.assertEqual(["performance.md", "insns.svg", "transfers.svg"],
                             [os.path.basename(path) for path in written])
            with open(written[0], encoding="utf-8") as file:
                text = file.read()
        for expected in ("| page.pair | 48.0 | 690 |", "run linux on 2", "A CPU, 2 cores",
                         "the other kernel: linux 6.1", "7.00 tcmalloc", "Nothing was left out."):
            self.assertIn(expected, text)


if __name__ == "__main__":
    unittest.main()
