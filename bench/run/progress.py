# SPDX-License-Identifier: BSD-2-Clause
"""What is going on and how long it will last, on stderr while a benchmark runs.

The plan is a list of steps with an expected number of cases and of seconds on some machine. Time
left = what was expected for the rest, by as much longer or shorter as it took so far.
"""
import sys
import time

# Without a terminal: one line for each step, and one now and then.
QUIET_SECONDS = 30


def duration(seconds):
    seconds = int(seconds + 0.5)
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min {seconds % 60} s"


class Progress:
    def __init__(self, steps, out=sys.stderr, clock=time.monotonic):
        """steps: [(name, cases, seconds)]"""
        self.steps = steps
        self.out = out
        self.clock = clock
        self.start = clock()
        self.done = 0.0
        self.step = -1
        self.base = self.cases = 0
        self.shown = -QUIET_SECONDS
        self.live = out.isatty()

    def begin(self):
        """The next step."""
        self.step += 1
        self.base = self.cases = 0
        self._show("starting", force=True)

    def again(self):
        """A second run of the same step begins; its cases come on top."""
        self.base = self.cases

    def case(self, name, cases):
        """So many cases of this step are done; name was the last."""
        self.cases = self.base + cases
        self._show(name)

    def part(self, name, done, of):
        """The same where a step counts in its own way."""
        self.case(name, self.steps[self.step][1] * done // of)

    def tick(self):
        """Nothing new, but time went by."""
        self._show(None)

    def end(self, how):
        self.done += self.steps[self.step][2]
        self.base = self.cases = 0
        self._show(how, force=True, last=True)
        if self.live:
            self.out.write("\n")

    def left(self):
        """Seconds."""
        _, cases, seconds = self.steps[self.step]
        done = self.done + min(self.cases / cases, 1) * seconds
        total = sum(seconds for *_, seconds in self.steps)
        # The first few seconds say little.
        factor = (self.clock() - self.start) / done if done > 5 else 1
        return factor * (total - done)

    def _show(self, what, force=False, last=False):
        now = self.clock() - self.start
        if not self.live and not force and now - self.shown < QUIET_SECONDS:
            return
        self.shown = now
        if what is not None:
            self.what = what
        name, cases, _ = self.steps[self.step]
        count = "" if last else f", {min(self.cases, cases)} of {cases}"
        line = (f"bench: {self.step + 1}/{len(self.steps)} {name}: {self.what}{count}; "
                f"{duration(now)} gone, about {duration(self.left())} left")
        self.out.write(f"\r\x1b[K{line}" if self.live else line + "\n")
        self.out.flush()
