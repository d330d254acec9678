# SPDX-License-Identifier: BSD-2-Clause
"""Figures per operation out of a serial log and the meter's counts.

A figure is (the case's sample - the empty sample) / operations in a sample. Counts that are the
same every time (instructions, locked operations, loads, stores) go by the median sample, so that a
timer interrupt in one of them does not show; rare events (transfers, interrupt commands) by the
mean, because their median is often zero; and so does everything where memory that is freed waits
before it is given back. With all CPUs at work a figure is the mean over CPUs.

On several CPUs a system runs twice. Where CPUs take turns, nobody spins while the one that it waits
for has no core, so instructions and locked operations are from there. But CPUs that take turns
hardly meet, so what they do to each other's caches with all of them at work is from the other run,
in which each has a thread of its own.
"""
import re

from logs import ALL_CPUS, METRICS, SIDES

BY_MEAN = ("transfers", "icr")
# Freed memory waits, and goes back many frees at a time: some samples pay for others.
WAITING = re.compile(r"kmem\.(uncached|alloc|deferred|64$|256$)")
EMPTY = 0


def combine(log, meter):
    """One entry for each case and mode of the log, with the meter's counts where there are any."""
    return [_with_counts(case, meter) for case in log["cases"]]


def _with_counts(case, meter):
    figure = {"case": case["name"], "index": case["case"], "mode": case["mode"],
              "cpus": case["cpus"], "ops": case["ops"], "samples": case["samples"]}
    ticks = ("ticks_min", "ticks_med", "ticks_max")
    figure.update({key: case[key] for key in ticks if key in case})
    marker = case["case"] | (ALL_CPUS if case["mode"] == "all" else 0)
    slots = _slots(meter, marker)
    if not slots:
        return figure
    empty = _slots(meter, EMPTY | (ALL_CPUS if case["mode"] == "all" else 0))
    for side in SIDES:
        figure[side] = {metric: _sum_up(slots, side, metric) for metric in METRICS}
    figure["metered_samples"] = sum(slot["samples"] for slot in slots)
    if case["case"] != EMPTY and empty:
        figure["per_op"] = _per_op(figure, empty, case["ops"])
    return figure


def _slots(meter, marker):
    if meter is None:
        return []
    return [slot for (case, _), slot in sorted(meter["slots"].items())
            if case == marker and slot["samples"] > 0]


def _sum_up(slots, side, metric):
    key = f"{side}_{metric}"
    samples = sum(slot["samples"] for slot in slots)
    return {"min": min(slot[key + "_min"] for slot in slots),
            "med": round(sum(slot[key + "_med"] for slot in slots) / len(slots), 4),
            "max": max(slot[key + "_max"] for slot in slots),
            "mean": round(sum(slot[key + "_sum"] for slot in slots) / samples, 4)}


def _per_op(figure, empty, ops):
    result = {}
    for side in SIDES:
        for metric in METRICS:
            rare = metric in BY_MEAN or WAITING.match(figure["case"])
            kind = "mean" if rare else "med"
            nothing = _sum_up(empty, side, metric)[kind]
            result[f"{side}_{metric}"] = round((figure[side][metric][kind] - nothing) / ops, 4)
    return result


def take_transfers(figures, parallel):
    """Puts the transfers of the parallel run's mode all into figures; those keep their own as
    transfers_in_turns. The number of figures that got any."""
    found = {figure["case"]: figure for figure in parallel
             if figure["mode"] == "all" and "per_op" in figure}
    count = 0
    for figure in figures:
        other = found.get(figure["case"])
        if figure["mode"] != "all" or other is None or "per_op" not in figure:
            continue
        figure["transfers_in_turns"] = figure["per_op"]["own_transfers"]
        for side in SIDES:
            figure["per_op"][f"{side}_transfers"] = other["per_op"][f"{side}_transfers"]
            figure[side]["transfers"] = other[side]["transfers"]
        count += 1
    return count


def only_transfers(figures):
    """What is kept of a parallel run."""
    return [{"case": figure["case"], "mode": figure["mode"], "samples": figure["samples"],
             **{side: {"transfers": figure[side]["transfers"]} for side in SIDES}}
            for figure in figures if figure["mode"] == "all" and "own" in figure]


def find(report, system, cpus, mode, case):
    """The figure of a run in a report, or None."""
    for run in report["runs"]:
        if run["system"] == system and run["cpus"] == cpus:
            for figure in run["figures"]:
                if figure["mode"] == mode and figure["case"] == case:
                    return figure
    return None


def value(report, system, cpus, mode, case, metric):
    """One figure per operation, or None."""
    figure = find(report, system, cpus, mode, case)
    return figure.get("per_op", {}).get(metric) if figure else None


def cases_of(report, cpus, mode):
    """Names of the cases that were counted in any system, in the order of their numbers."""
    found = {}
    for run in report["runs"]:
        if run["cpus"] == cpus:
            for figure in run["figures"]:
                if figure["mode"] == mode and "per_op" in figure:
                    found[figure["case"]] = figure["index"]
    return sorted(found, key=found.get)
