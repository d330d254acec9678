# SPDX-License-Identifier: BSD-2-Clause
import unittest
import xml.etree.ElementTree as xml

import plots
import samples

SVG = "{http://www.w3.org/2000/svg}"


def report():
    return samples.report([samples.run(system, cpus, insns, cpus / 10)
                           for system, insns in (("quire", 48), ("linux", 690))
                           for cpus in (1, 2, 8)])


class Axes(unittest.TestCase):
    def test_logarithm_where_values_differ_much(self):
        axis = plots.Axis([48, 690])
        self.assertTrue(axis.log)
        self.assertEqual([10, 100, 1000], axis.ticks)
        self.assertAlmostEqual(0.5, axis.place(100))

    def test_from_zero_where_they_do_not_or_hold_zero(self):
        self.assertFalse(plots.Axis([48, 60]).log)
        axis = plots.Axis([0, 3.2])
        self.assertFalse(axis.log)
        self.assertEqual(0, axis.place(0))
        self.assertEqual(0, axis.ticks[0])
        self.assertGreaterEqual(axis.ticks[-1], 3.2)
        self.assertLessEqual(len(axis.ticks), 7)

    def test_nothing_but_zeros(self):
        self.assertEqual(0, plots.Axis([0, 0]).place(0))

    def test_no_two_ticks_look_the_same(self):
        for values in ([0, 1.7], [0, 0.05], [1, 7], [0, 12000], [0, 2600]):
            texts = [plots.tick_text(tick) for tick in plots.Axis(values).ticks]
            self.assertEqual(len(texts), len(set(texts)), texts)

    def test_every_value_lies_within(self):
        for values in ([1, 1], [0.001, 900], [5, 5.1], [7], [0, 1e6]):
            axis = plots.Axis(values)
            for value in values + axis.ticks:
                self.assertTrue(-1e-9 <= axis.place(value) <= 1 + 1e-9, (values, value))


class Growth(unittest.TestCase):
    def test_is_well_formed_and_shows_each_value(self):
        root = xml.fromstring(plots.growth(report(), "insns", "Instructions <per> operation"))
        titles = [element.text for element in root.iter(SVG + "title")]
        self.assertIn("Quire, 8 CPUs: 48.0", titles)
        self.assertIn("Linux, 1 CPU: 690", titles)
        # shootdown.idle: all CPUs together
        self.assertIn("Quire, 8 CPUs: 96.0", titles)
        texts = [element.text for element in root.iter(SVG + "text")]
        for text in ("page.pair", "shootdown.idle", "CPUs", "Quire", "Linux", "8"):
            self.assertIn(text, texts)

    def test_everything_lies_inside(self):
        root = xml.fromstring(plots.growth(report(), "transfers", "Transfers"))
        width, height = float(root.get("width")), float(root.get("height"))
        for mark in root.iter(SVG + "circle"):
            self.assertTrue(0 < float(mark.get("cx")) < width)
            self.assertTrue(0 < float(mark.get("cy")) < height)
        for text in root.iter(SVG + "text"):
            self.assertTrue(0 <= float(text.get("x")) < width)
            self.assertTrue(0 < float(text.get("y")) < height)

    def test_one_number_of_cpus_gives_marks_and_no_line(self):
        text = plots.growth(samples.report([samples.run("quire", 8, 48)]), "insns", "t")
        self.assertIn("<circle", text)
        self.assertNotIn("<path", text)

    def test_nothing_measured(self):
        self.assertIsNone(plots.growth(samples.report([]), "insns", "t"))


if __name__ == "__main__":
    unittest.main()
