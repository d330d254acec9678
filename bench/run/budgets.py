# SPDX-License-Identifier: BSD-2-Clause
"""What the calls that are made most often may cost: bench/budgets.txt, measured and compared.

The machine's clock goes by the number of instructions, on several CPUs as well, which take turns.
So a figure is the same each time on every machine, and a limit can be a close one. What such a run
cannot tell is what CPUs do to each other that really work at the same time; ./quire bench does.
"""
import os

import figures
import systems

FILE = "bench/budgets.txt"
METRICS = ("insns", "locked", "transfers")
NAMES = {"insns": "instructions", "locked": "locked operations", "transfers": "transfers"}
TOLERANCE = 0.05
# As much is printed as 0.00.
NOTHING = 0.005
UPDATE = "./quire bench --update-budgets"


class BadBudgets(Exception):
    """The file, or a run; the text says what and where."""


def parse(text):
    """{(case, cpus): {metric: budget}} in the order of the lines."""
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split("#")[0].split()
        if not words:
            continue
        try:
            case, cpus, values = words[0], int(words[1]), [float(word) for word in words[2:]]
        except (IndexError, ValueError):
            values = []
        if len(values) != len(METRICS) or min(values) < 0 or not 1 <= cpus <= 64:
            raise BadBudgets(f"{FILE}, line {number}: not a case, its CPUs, and how many "
                             f"instructions, locked operations and transfers it may take: {line}")
        if (case, cpus) in found:
            raise BadBudgets(f"{FILE}, line {number}: {case} at {cpus} CPUs has a budget already")
        found[case, cpus] = dict(zip(METRICS, values))
    if not found:
        raise BadBudgets(f"{FILE}: there is not one budget in it")
    return found


def read(root):
    try:
        with open(os.path.join(root, FILE), encoding="utf-8") as file:
            return file.read()
    except OSError as error:
        raise BadBudgets(f"{FILE}: {error.strerror}") from error


def check_names(budgets, known):
    for case, _ in budgets:
        if case not in known:
            raise BadBudgets(f"{FILE}: {case} is no case of bench/cases.h")


def asked(cases, known):
    """The same cases in fewer words, for a kernel whose commands have 16: a family for all of it."""
    words = []
    for case in cases:
        family = case.split(".")[0]
        whole = all(name in cases for name in systems.chosen(known, [family]))
        word = family if whole else case
        if word not in words:
            words.append(word)
    return words


def measure(budgets, known, settings, out, progress):
    """{(case, cpus): {metric: figure}} of all that have a budget."""
    measured = {}
    for cpus in sorted({cpus for _, cpus in budgets}):
        cases = [case for case, n in budgets if n == cpus]
        progress.begin()
        wanted = {**settings, "quick": True, "cases": asked(cases, known)}
        run = systems.run_once("quire", wanted, cpus, os.path.join(out, f"budgets-{cpus}"),
                               progress, "icount")
        progress.end("failed" if run["problem"] else "done")
        if run["problem"]:
            raise BadBudgets(f"{run['problem']} ({run['command']})")
        for case in cases:
            measured[case, cpus] = _figure(run, case, cpus)
    return measured


def _figure(run, case, cpus):
    values = {metric: figures.value({"runs": [run]}, "quire", cpus, "all", case, f"own_{metric}")
              for metric in METRICS}
    if None in values.values():
        why = [text for text in run["skipped"] + run["failed"] if f"name={case} " in text + " "]
        raise BadBudgets(f"{case} at {cpus} CPUs was not measured: " + "; ".join(why or ["why?"]))
    return {metric: max(value, 0.0) for metric, value in values.items()}


def exceeded(budgets, measured):
    """A line for each figure that is more than its budget and 5 % of it."""
    lines = []
    for (case, cpus), budget in budgets.items():
        for metric in METRICS:
            figure = measured[case, cpus][metric]
            if figure > budget[metric] * (1 + TOLERANCE) + NOTHING:
                lines.append(f"{case}, {_count(cpus)}: {figure:.2f} {NAMES[metric]}, the budget "
                             f"is {budget[metric]:.2f}")
    return lines


def could_be_lower(budgets, measured):
    """The same for what has become cheaper by as much."""
    return [f"{case}, {_count(cpus)}: {measured[case, cpus][metric]:.2f} {NAMES[metric]}, "
            f"the budget is {budget[metric]:.2f}"
            for (case, cpus), budget in budgets.items() for metric in METRICS
            if measured[case, cpus][metric] < budget[metric] * (1 - TOLERANCE) - NOTHING]


def _count(cpus):
    return "1 CPU" if cpus == 1 else f"{cpus} CPUs"


def renewed(text, measured):
    """The file with the figures that were measured; comments stay where they are."""
    lines = []
    for line in text.splitlines():
        words = line.split("#")[0].split()
        key = (words[0], int(words[1])) if words else None
        lines.append(row(key, measured[key]) if key in measured else line)
    return "\n".join(lines) + "\n"


def row(key, figure):
    return f"{key[0]:<16}{key[1]:>5}" + "".join(f"{figure[metric]:>14.2f}" for metric in METRICS)


def steps(budgets):
    """For Progress."""
    counts = sorted({cpus for _, cpus in budgets})
    return [(f"quire, {_count(cpus)}", sum(1 for _, n in budgets if n == cpus), 5 + cpus)
            for cpus in counts]


def run(settings, known, update, out, make_progress):
    """Measures; prints what is wrong. The exit status."""
    text = read(settings["root"])
    budgets = parse(text)
    check_names(budgets, known)
    measured = measure(budgets, known, settings, out, make_progress(steps(budgets)))
    if update:
        with open(os.path.join(settings["root"], FILE), "w", encoding="utf-8") as file:
            file.write(renewed(text, measured))
        print(f"{len(measured)} budgets written to {FILE}; git diff shows what has changed")
        return 0
    for key, figure in measured.items():
        print(row(key, figure))
    return verdict(budgets, measured)


def verdict(budgets, measured):
    over, under = exceeded(budgets, measured), could_be_lower(budgets, measured)
    for line in over:
        print("too dear: " + line)
    for line in under:
        print("cheaper: " + line)
    if under:
        print(f"What has become cheaper can stay so: {UPDATE}")
    if over:
        print(f"{len(over)} figures are more than 5 % above their budget ({FILE}). If that has to "
              f"be: {UPDATE}")
    else:
        print(f"all {len(measured)} cases are within their budgets")
    return 1 if over else 0
