# SPDX-License-Identifier: BSD-2-Clause
"""What a soak shows while it runs, and what it writes at its end."""

import os
import platform
import shlex
import subprocess
import time

TAIL_LINES = 30


class Screen:
    """A block of lines that is drawn over on a terminal; elsewhere a line for each run."""

    def __init__(self, stream):
        self.stream = stream
        self.live = stream.isatty()
        self.drawn = 0

    def show(self, records, current, left):
        if not self.live:
            return
        lines = [line(record, record is current) for record in records]
        lines.append(f"{max(0, left) / 60:.0f} minutes left; Ctrl-C ends with a report")
        if self.drawn:
            self.stream.write(f"\033[{self.drawn}A")
        self.stream.write("".join(f"\033[K{text}\n" for text in lines))
        self.stream.flush()
        self.drawn = len(lines)

    def ended(self, record, seed, status):
        if self.live:
            return
        verdict = "ok" if status == 0 else f"FAILED with status {status}"
        self.stream.write(f"{record.activity.name}, seed {seed}: {verdict}\n")
        self.stream.flush()


def line(record, current):
    if record.missing:
        return f"  {record.activity.name:10} {record.missing}"
    return (f"{'>' if current else ' '} {record.activity.name:10} {record.runs:5} runs "
            f"{len(record.failures):4} failed  last seed "
            f"{'-' if record.seed is None else record.seed}")


def _commit(root):
    done = subprocess.run(["git", "-C", root, "describe", "--always", "--dirty"],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                          check=False)
    return done.stdout.strip() or "not a git tree"


def _duration(seconds):
    return f"{int(seconds) // 3600} h {int(seconds) // 60 % 60:02} min {int(seconds) % 60:02} s"


def _table(records):
    rows = ["| activity | runs | failed | cut short | time | last seed |",
            "|---|---|---|---|---|---|"]
    for r in records:
        if r.missing:
            rows.append(f"| {r.activity.name} | not run: {r.missing} | | | | |")
        else:
            rows.append(f"| {r.activity.name} | {r.runs} | {len(r.failures)} | {r.cut_short} | "
                        f"{_duration(r.seconds)} | {'-' if r.seed is None else r.seed} |")
    return rows


def _tail(path):
    with open(path, encoding="utf-8", errors="replace") as stream:
        return "".join(stream.readlines()[-TAIL_LINES:]).rstrip("\n")


def _failures(records, out):
    lines = []
    for record in records:
        for seed, words, log, status in record.failures:
            lines += [f"### {record.activity.name}, seed {seed}", "",
                      f"Status {status}; again: {record.activity.replay}.", "",
                      "```", shlex.join(words), "```", "",
                      f"The end of `{os.path.relpath(log, out)}`:", "",
                      "```", _tail(log), "```", ""]
    return lines


def report(parsed, soak):
    """The report, in Markdown."""
    took = time.time() - soak.start
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 30
    failed = sum(len(r.failures) for r in soak.records)
    lines = ["# Soak", "",
             f"- {time.strftime('%Y-%m-%d %H:%M', time.gmtime(soak.start))} UTC, for "
             f"{_duration(took)} of {parsed.hours:g} hours"
             f"{', ended by hand' if soak.stopped else ''}",
             f"- tree {_commit(parsed.root)}; {os.cpu_count()} CPUs, {memory} GiB, "
             f"{platform.system()} {platform.release()}",
             f"- seed of the soak {parsed.seed}: `./quire soak {parsed.hours:g} "
             f"--seed {parsed.seed}`",
             f"- {sum(r.runs for r in soak.records)} runs, {failed} failed", ""]
    lines += _table(soak.records) + [""]
    if failed:
        lines += ["## Failures", ""] + _failures(soak.records, parsed.out)
    return "\n".join(lines)
