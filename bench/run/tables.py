# SPDX-License-Identifier: BSD-2-Clause
"""The tables of a report: as text for the terminal, as Markdown for docs/."""
import figures
from targets import TARGETS, target

QUIRE, LINUX, SHIPPED = "quire", "linux", "linux-shipped"

# Cases whose cost lies on other CPUs as well: all of them together are what counts. Not so for
# shootdown.busy, where the others spin.
WHOLE_SYSTEM = ("shootdown.idle", "kmem.strict", "kmem.deferred", "kmem.free1000")


def number(value):
    """Short, with as many digits as mean something."""
    if value is None:
        return "-"
    if abs(value) < 0.005:
        return "0"
    if abs(value) < 10:
        return f"{value:.2f}"
    if abs(value) < 100:
        return f"{value:.1f}"
    return f"{value:,.0f}"


def ratio(ours, theirs):
    if ours is None or theirs is None or theirs <= 0:
        return "-"
    return f"{max(ours, 0) / theirs:.2f}"


def _target_text(row, ours):
    """What is demanded, and whether it is so."""
    if row is None:
        return "", ""
    if ours is None:
        return number(row["must"]), "-"
    # By what is printed: 48.04 is 48.0, which is 48.
    printed = float(number(ours).replace(",", ""))
    return number(row["must"]), "yes" if printed <= row["must"] else "no"


def _systems(report, cpus):
    return [run["system"] for run in report["runs"] if run["cpus"] == cpus]


def _titles(linux, whole):
    titles = ["case", "Quire"] + ([linux, "ratio"] if linux else []) + ["target", "met"]
    for name in ("locked", "transfers", "ICR"):
        titles += [name] + ([f"{name} {linux}"] if linux else [])
    return ["case (all CPUs together)" if whole else "case"] + titles[1:]


def _row(report, cpus, mode, case, side, linux):
    def get(system, metric):
        return figures.value(report, system, cpus, mode, case, f"{side}_{metric}")

    ours = get(QUIRE, "insns")
    row = [case, number(ours)]
    if linux:
        theirs = get(linux, "insns")
        row += [number(theirs), ratio(ours, theirs)]
    row += _target_text(target(case, mode, cpus, f"{side}_insns"), ours)
    for metric in ("locked", "transfers", "icr"):
        row += [number(get(QUIRE, metric))] + ([number(get(linux, metric))] if linux else [])
    return row


def cpu_count(cpus):
    return "1 CPU" if cpus == 1 else f"{cpus} CPUs"


def _title(cpus, mode, linux):
    work = ", all at work" if mode == "all" else ", one at work"
    count = cpu_count(cpus) + (work if cpus > 1 else "")
    note = " (Linux as Debian ships it)" if linux == SHIPPED else ""
    return f"{count}: instructions per operation{note}"


def _section(report, cpus, mode, linux):
    # Starting CPUs happens once, between no markers: starts() shows it.
    cases = [case for case in figures.cases_of(report, cpus, mode) if case != "cpu.start"]
    if mode == "all" or cpus == 1:
        whole = []
    else:
        whole = [case for case in cases if case in WHOLE_SYSTEM]
    tables = []
    for side, chosen in (("own", [c for c in cases if c not in whole]), ("sys", whole)):
        rows = [_row(report, cpus, mode, case, side, linux) for case in chosen]
        if rows:
            tables.append([_titles("Linux" if linux else None, side == "sys")] + rows)
    return tables


def sections(report):
    """[(title, [table, ...])]; a table is a list of rows of cells, its first the titles."""
    found = []
    for cpus in sorted({run["cpus"] for run in report["runs"]}):
        systems = _systems(report, cpus)
        for linux in ([LINUX] if LINUX in systems else []) + \
                ([SHIPPED] if SHIPPED in systems else []) or [None]:
            # On one CPU both modes are the same work.
            for mode in ("alone", "all") if cpus > 1 else ("alone",):
                tables = _section(report, cpus, mode, linux)
                if tables:
                    found.append((_title(cpus, mode, linux), tables))
    return found


# ---- targets ----

_METRIC_NAMES = {"own_insns": "instructions", "own_locked": "locked", "own_transfers": "transfers",
                 "sys_insns": "instructions, all CPUs"}


def targets_table(report):
    """Rows: every target, at each number of CPUs where Quire was measured and it holds."""
    rows = [["case", "CPUs", "at work", "what", "Quire", "target", "met", "moonshot"]]
    measured = sorted({run["cpus"] for run in report["runs"] if run["system"] == QUIRE})
    for row in TARGETS:
        for cpus in measured:
            if row["cpus"] not in (None, cpus):
                continue
            ours = figures.value(report, QUIRE, cpus, row["mode"], row["case"], row["metric"])
            rows.append([row["case"], str(cpus), "all" if row["mode"] == "all" else "one",
                         _METRIC_NAMES[row["metric"]], number(ours), *_target_text(row, ours),
                         number(row["moonshot"])])
    return rows if len(rows) > 1 else None


# ---- interrupts per thousand frees ----


def interrupts(report):
    """Title and rows: interrupt commands per 1000 frees of one page, by number of CPUs."""
    rows = [["CPUs", "mode", "Quire", "Linux"]]
    for cpus in sorted({run["cpus"] for run in report["runs"] if run["cpus"] > 1}):
        for mode in ("alone", "all"):
            cells = []
            for system in (QUIRE, LINUX):
                icr = figures.value(report, system, cpus, mode, "kmem.free1000", "own_icr")
                cells.append(number(None if icr is None else 1000 * icr))
            if cells != ["-", "-"]:
                rows.append([str(cpus), mode, *cells])
    return rows if len(rows) > 1 else None


# ---- starting CPUs ----


def _start_ms(run):
    """(milliseconds for all, CPUs that were started), or None."""
    for figure in run["figures"]:
        if figure["case"] == "cpu.start" and run["system"] == QUIRE and run.get("tsc_mhz"):
            return figure["ticks_med"] / run["tsc_mhz"] / 1000, figure["ops"]
    for note in run.get("notes", []):
        if "start_ns" in note and note.get("cpus", 0) > 1:
            return note["start_ns"] / 1e6, note["cpus"] - 1
    return None


def starts(report):
    """Rows: how long the CPUs took from the first one started to the last one online."""
    rows = [["CPUs", "system", "ms for all", "ms for each"]]
    for run in report["runs"]:
        found = _start_ms(run)
        if found:
            rows.append([str(run["cpus"]), run["system"], number(found[0]),
                         number(found[0] / found[1])])
    return rows if len(rows) > 1 else None


# ---- memory ----


def _mib(value):
    return "-" if value is None else f"{value / (1 << 20):,.2f}"


def _notes(report, key):
    """(cpus, mode, name of the case or "", note) of our notes that have the key."""
    for run in report["runs"]:
        names = {figure["index"]: figure["case"] for figure in run["figures"]}
        for note in run.get("notes", []) if run["system"] == QUIRE else []:
            if key in note:
                yield run["cpus"], note.get("mode"), names.get(note.get("case"), ""), note


def memory(report):
    """Rows, in MiB: what is kept at hand and lost when the last sample of a case is over. All CPUs
    at work, at the smallest and the largest number of CPUs."""
    counts = sorted({run["cpus"] for run in report["runs"] if run["system"] == QUIRE})
    shown = {counts[0], counts[-1]} if counts else set()
    rows = [["case", "CPUs", "pages cached", "ranges cached", "items cached", "lost in slabs",
             "free"]]
    for cpus, mode, case, note in _notes(report, "cached_page_bytes"):
        if mode == "all" and cpus in shown:
            rows.append([case, str(cpus)] + [_mib(note.get(key)) for key in (
                "cached_page_bytes", "cached_range_bytes", "cached_item_bytes",
                "slab_waste_bytes", "free_bytes")])
    return rows if len(rows) > 1 else None


def metadata(report):
    """Rows, in MiB: what the memory system takes for itself."""
    rows = [["CPUs", "RAM", "descriptors, CPUs, boot", "page tables", "pools, magazines",
             "of RAM"]]
    for cpus, _, _, note in _notes(report, "boot_bytes"):
        own = [note.get(key, 0) for key in ("boot_bytes", "table_bytes", "pool_bytes")]
        rows.append([str(cpus), _mib(note["ram_bytes"])] + [_mib(value) for value in own] +
                    [f"{100 * sum(own) / note['ram_bytes']:.2f} %"])
    return rows if len(rows) > 1 else None


def fragmentation(report):
    """Rows: free runs of 2 MiB before the case that fragments, and when it is over."""
    rows = [["CPUs", "at work", "free 2 MiB runs before", "after", "left"]]
    for cpus, mode, _, note in _notes(report, "free_2mib_runs_before"):
        before, after = note["free_2mib_runs_before"], note["free_2mib_runs_after"]
        rows.append([str(cpus), "all" if mode == "all" else "one", str(before), str(after),
                     f"{100 * after / before:.1f} %" if before else "-"])
    return rows if len(rows) > 1 else None


# ---- the host's allocators ----

_OURS_HOST = "quire"


def _host_cells(case, field, short):
    ours = case["results"].get(_OURS_HOST, {}).get(field)
    best = case.get(f"best_peer_{short}")
    if ours is None:
        return ["-", "-", "-"]
    if best is None:
        return [number(ours), "-", "-"]
    return [number(ours), f"{number(best[short])} {best['name']}", ratio(ours, best[short])]


def host_table(report):
    host = report.get("host")
    if not host or "cases" not in host:
        return None
    rows = [["case", "threads", "ns", "best peer", "ratio", "instructions", "best peer", "ratio"]]
    for case in host["cases"]:
        rows.append([case["name"], str(case["threads"])] + _host_cells(case, "ns_min", "ns") +
                    _host_cells(case, "instructions", "instructions"))
    return rows


# ---- how they look ----


def as_text(table):
    widths = [max(len(row[i]) for row in table) for i in range(len(table[0]))]
    lines = []
    for row in table:
        first = row[0].ljust(widths[0])
        rest = [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        lines.append("  ".join([first] + rest).rstrip())
    return "\n".join(lines)


def as_markdown(table):
    lines = ["| " + " | ".join(table[0]) + " |", "|" + "---|" + "--:|" * (len(table[0]) - 1)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in table[1:]])


def problems(report):
    """Lines about what is missing from a report."""
    lines = []
    for run in report["runs"]:
        where = f"{run['system']}, {cpu_count(run['cpus'])}"
        if run.get("problem"):
            lines.append(f"{where}: {run['problem']}")
        parallel = run.get("parallel", {}).get("problem")
        if parallel:
            lines.append(f"{where}, each with a thread of its own: {parallel}; for what is missing "
                         "there, transfers are those of CPUs that take turns")
        lines += [f"{where}: skipped {text}" for text in run.get("skipped", [])]
        lines += [f"{where}: {text}" for text in run.get("failed", [])]
    if report.get("host", {}).get("problem"):
        lines.append(f"allocators: {report['host']['problem']}")
    return lines


def text(report):
    parts = []
    for title, found in sections(report):
        parts += [title] + [as_text(table) for table in found]
    rows = [row for row in targets_table(report) or [] if row[4] != "-"]
    if len(rows) > 1:
        parts += ["Targets", as_text(rows)]
    rows = interrupts(report)
    if rows:
        parts += ["Interrupt commands per 1000 frees of one page", as_text(rows)]
    rows = starts(report)
    if rows:
        parts += ["Starting the other CPUs, by the emulated clock", as_text(rows)]
    for title, table in (("What the memory system takes for itself, in MiB", metadata(report)),
                         ("Kept at hand and lost, in MiB, all CPUs at work", memory(report)),
                         ("Fragmentation", fragmentation(report))):
        parts += [title, as_text(table)] if table else []
    rows = host_table(report)
    if rows:
        parts += ["On this machine, beside its allocators (per operation)", as_text(rows)]
    missing = problems(report)
    if missing:
        parts.append("\n".join(["Not measured:"] + ["  " + line for line in missing]))
    return "\n\n".join(parts) + "\n"
