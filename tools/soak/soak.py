#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Runs everything long in turn, for hours, with new seeds; `./quire soak --help`.

Each activity is a command that exists on its own. What failed keeps its log and its seed; the
report says how to run it again.
"""

import argparse
import hashlib
import os
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, HERE)

import activities   # noqa: E402
import summary      # noqa: E402

# A turn is a part of what is left, within these bounds, in minutes.
TURN_MIN, TURN_MAX = 0.02, 15
# Seconds that a command has to end after a signal, before the next, sterner one.
GRACE_SECONDS = 10
# About as many as there are; each gets an equal part of a turn.
FUZZ_TARGETS = 10
MODEL_OPERATIONS_PER_MINUTE = 200000
BOOTS_PER_MINUTE = 2
MUTANTS_PER_MINUTE = 12


class Record:
    """What became of an activity so far."""

    def __init__(self, activity, missing):
        self.activity = activity
        self.missing = missing      # why it is not run at all
        self.runs = self.cut_short = 0
        self.seconds = 0.0
        self.failures = []          # (seed, command, log, status)
        self.seed = None
        self.log = None             # of the last run that passed


class Soak:
    def __init__(self, parsed, records):
        self.parsed = parsed
        self.records = records
        self.start = time.time()
        self.end = self.start + parsed.hours * 3600
        self.stopped = False
        self.process = None
        self.screen = summary.Screen(sys.stdout)

    def left(self):
        return self.end - time.time()

    def stop(self, *_):
        self.stopped = True

    def run(self):
        signal.signal(signal.SIGINT, self.stop)
        signal.signal(signal.SIGTERM, self.stop)
        able = [r for r in self.records if not r.missing]
        turn = 0
        while able and not self.stopped and self.left() > 0:
            self.one(able[turn % len(able)], turn)
            turn += 1
        self.screen.show(self.records, None, self.left())

    def one(self, record, turn):
        """One turn of an activity."""
        minutes = self.left() / 60 / len(self.records)
        minutes = round(min(TURN_MAX, max(TURN_MIN, minutes)), 2)
        text = f"{self.parsed.seed} {record.activity.name} {turn}"
        seed = int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) + 1
        words = record.activity.words(
            seed=seed, minutes=minutes, out=self.parsed.out,
            seconds=max(1, int(minutes * 60)),
            seconds_each=max(1, int(minutes * 60 / FUZZ_TARGETS)),
            operations=max(20000, int(minutes * MODEL_OPERATIONS_PER_MINUTE)),
            boots=max(1, int(minutes * BOOTS_PER_MINUTE)),
            mutants=max(5, int(minutes * MUTANTS_PER_MINUTE)))
        log = os.path.join(self.parsed.out, "logs", f"{record.activity.name}-{turn}.log")
        record.seed = seed
        began = time.time()
        with open(log, "wb") as stream:
            status = self.wait(record, words, stream)
        record.seconds += time.time() - began
        if status is None:
            record.cut_short += 1
            return
        record.runs += 1
        if status != 0:
            record.failures.append((seed, words, log, status))
            self.note(record, seed, words, log, status)
        else:
            self.keep(record, log)
        self.screen.ended(record, seed, status)

    def wait(self, record, words, stream):
        """The status; None when the soak ended before the command did."""
        try:
            process = subprocess.Popen(words, cwd=self.parsed.root, stdin=subprocess.DEVNULL,
                                       stdout=stream, stderr=subprocess.STDOUT,
                                       start_new_session=True)
        except OSError as error:
            stream.write(f"{words[0]}: {error.strerror}\n".encode())
            return 127
        while True:
            try:
                return process.wait(1)
            except subprocess.TimeoutExpired:
                self.screen.show(self.records, record, self.left())
            if self.stopped or self.left() <= 0:
                finish(process)
                return None

    def note(self, record, seed, words, log, status):
        with open(os.path.join(self.parsed.out, "failures.txt"), "a", encoding="utf-8") as stream:
            stream.write(f"{record.activity.name} seed {seed} status {status}: {' '.join(words)}\n"
                         f"    {os.path.relpath(log, self.parsed.out)}\n")

    @staticmethod
    def keep(record, log):
        """Of the runs that passed, the last log is enough."""
        if record.log:
            os.unlink(record.log)
        record.log = log


def finish(process):
    """Ends a command and all that it started; first so that it can put things in order."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(GRACE_SECONDS)
            break
        except ProcessLookupError:
            break
        except subprocess.TimeoutExpired:
            continue


def options(arguments):
    parser = argparse.ArgumentParser(prog="./quire soak", usage=argparse.SUPPRESS)
    parser.add_argument("hours", nargs="?", type=float)
    parser.add_argument("--root", required=True)
    parser.add_argument("--out")
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--activities")
    parsed = parser.parse_args(arguments)
    if not parsed.list and (parsed.hours is None or not 0 < parsed.hours < 10000):
        parser.error("say for how many hours, such as 8 or 0.5")
    if parsed.out is None:
        parsed.out = os.path.join(os.getcwd(), time.strftime("soak-%Y-%m-%d-%H%M%S"))
    parsed.out = os.path.abspath(parsed.out)
    return parsed


def choose(parsed):
    quire = os.path.join(parsed.root, "quire")
    known = activities.from_file(parsed.activities) if parsed.activities else \
        activities.standard(quire)
    names = [a.name for a in known]
    for name in parsed.only:
        if name not in names:
            raise ValueError(f"there is no activity '{name}'; there are: {', '.join(names)}")
    return [Record(a, a.missing(quire)) for a in known if not parsed.only or a.name in parsed.only]


def main(arguments):
    parsed = options(arguments)
    try:
        records = choose(parsed)
        if parsed.list:
            for record in records:
                print(f"{record.activity.name:10} {record.activity.what}\n"
                      f"           {record.missing or record.activity.shown()}")
            return 0
        os.makedirs(os.path.join(parsed.out, "logs"), exist_ok=True)
        soak = Soak(parsed, records)
        print(f"soak: {parsed.hours:g} hours, seed {parsed.seed}, into {parsed.out}", flush=True)
        soak.run()
    except (OSError, ValueError) as error:
        print(f"soak: {error}", file=sys.stderr)
        return 2
    report = os.path.join(parsed.out, "report.md")
    with open(report, "w", encoding="utf-8") as stream:
        stream.write(summary.report(parsed, soak))
    failed = sum(len(r.failures) for r in records)
    print(f"soak: {sum(r.runs for r in records)} runs, {failed} failed; {report}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
