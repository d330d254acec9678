# SPDX-License-Identifier: BSD-2-Clause
import io
import unittest

from progress import Progress, duration


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


class Terminal(io.StringIO):
    def isatty(self):
        return True


class TimeLeft(unittest.TestCase):
    def test_what_was_expected_by_as_much_longer_as_it_took(self):
        clock, out = Clock(), io.StringIO()
        progress = Progress([("one", 10, 20), ("two", 10, 60)], out, clock)
        progress.begin()
        self.assertEqual(80, progress.left())
        clock.now = 20.0
        progress.case("page.pair", 5)
        self.assertEqual(140, progress.left())
        progress.end("done")
        self.assertEqual(60, progress.left())
        progress.begin()
        progress.case("page.pair", 10)
        self.assertEqual(0, progress.left())
        progress.case("page.zero", 25)  # more than was expected
        self.assertEqual(0, progress.left())

    def test_a_second_run_of_a_step_goes_on_counting(self):
        progress = Progress([("quire, 2 CPUs", 30, 100), ("next", 5, 1)], io.StringIO(), Clock())
        progress.begin()
        progress.case("a", 20)
        progress.again()
        progress.case("a", 4)
        self.assertEqual(24, progress.cases)
        progress.end("done")
        progress.begin()
        self.assertEqual(0, progress.cases)
        progress.case("a", 1)
        self.assertEqual(1, progress.cases)

    def test_a_step_with_a_count_of_its_own(self):
        progress = Progress([("host", 40, 100)], io.StringIO(), Clock())
        progress.begin()
        progress.part("count", 3, 12)
        self.assertEqual(10, progress.cases)

    def test_lines(self):
        clock, out = Clock(), io.StringIO()
        progress = Progress([("quire, 1 CPU", 10, 100)], out, clock)
        progress.begin()
        clock.now = 1.0
        progress.case("page.pair", 1)  # too soon for another line
        clock.now = 40.0
        progress.case("page.zero", 2)
        progress.end("done")
        self.assertEqual(["bench: 1/1 quire, 1 CPU: starting, 0 of 10; 0 s gone, about 100 s left",
                          "bench: 1/1 quire, 1 CPU: page.zero, 2 of 10; 40 s gone, about 160 s left"
                          .replace("160 s", "2 min 40 s"),
                          "bench: 1/1 quire, 1 CPU: done; 40 s gone, about 0 s left"],
                         out.getvalue().splitlines())

    def test_a_terminal_shows_every_change_on_one_line(self):
        out = Terminal()
        progress = Progress([("one", 2, 1)], out, Clock())
        progress.begin()
        progress.case("a", 1)
        progress.tick()
        progress.end("done")
        self.assertEqual(1, out.getvalue().count("\n"))
        self.assertEqual(4, out.getvalue().count("\r"))

    def test_durations(self):
        self.assertEqual(["0 s", "119 s", "2 min 0 s", "61 min 1 s"],
                         [duration(n) for n in (0.2, 119.4, 120, 3661)])


if __name__ == "__main__":
    unittest.main()
