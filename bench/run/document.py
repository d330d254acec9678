# SPDX-License-Identifier: BSD-2-Clause
"""Writes what is generated in docs/: the plots, and the parts of docs/performance.md that stand
between <!-- bench:begin NAME --> and <!-- bench:end NAME -->."""
import os
import re

import plots
import tables

PAGE = "docs/performance.md"
PLOTS = (("insns", "Instructions per operation"),
         ("transfers", "Transfers of cache lines per operation"))
_PART = re.compile(r"(<!-- bench:begin ([a-z-]+) -->\n).*?(<!-- bench:end \2 -->)", re.DOTALL)


class BadPage(Exception):
    """The page lacks its marks."""


def made(report):
    """Where, when and with what."""
    host, versions = report["machine"], report["versions"]
    rest = {True: "", False: " with changes", None: ""}[versions.get("commit_is_all")]
    lines = [f"- made {report['made']} by `{report['command']}`",
             f"- {host['cpu']}, {host['cores']} cores, {host['system']}, Linux {host['kernel']}",
             f"- {versions['qemu']}; {versions['gcc']}; Quire {versions['commit']}{rest}"]
    linux = [line for run in report["runs"] for line in run.get("made_by", [])
             if line.startswith("linux ")]
    return "\n".join(lines + [f"- the other kernel: {linux[0]}"] if linux else lines)


def section_text(report):
    parts = []
    for title, found in tables.sections(report):
        parts += [f"### {title}"] + [tables.as_markdown(table) for table in found]
    return "\n\n".join(parts) if parts else "No run succeeded."


def table_text(table, otherwise):
    return tables.as_markdown(table) if table else otherwise


def problem_text(report):
    lines = tables.problems(report)
    return "\n".join("- " + line for line in lines) if lines else "Nothing was left out."


def commands(report):
    lines = ["```"]
    for run in report["runs"]:
        lines.append(run["command"])
        if "parallel" in run:
            lines.append(run["parallel"]["command"])
    if report.get("host", {}).get("command"):
        lines.append(report["host"]["command"])
    return "\n".join(lines + ["```"])


def parts(report):
    return {
        "made": made(report),
        "tables": section_text(report),
        "targets": table_text(tables.targets_table(report), "Not measured."),
        "interrupts": table_text(tables.interrupts(report), "Not measured."),
        "metadata": table_text(tables.metadata(report), "Not measured."),
        "memory": table_text(tables.memory(report), "Not measured."),
        "fragmentation": table_text(tables.fragmentation(report), "Not measured."),
        "starts": table_text(tables.starts(report), "Not measured."),
        "host": table_text(tables.host_table(report), "Not measured."),
        "missing": problem_text(report),
        "commands": commands(report),
    }


def fill(page, texts):
    """The page with every marked part replaced. All parts have to be there, once each."""
    found = [name for _, name, _ in _PART.findall(page)]
    if sorted(found) != sorted(texts):
        raise BadPage(f"the marks <!-- bench:begin ... --> are {', '.join(found) or 'missing'}; "
                      f"expected: {', '.join(texts)}")
    return _PART.sub(lambda m: f"{m.group(1)}{texts[m.group(2)]}\n{m.group(3)}", page)


def update(root, report):
    """Paths of the files that were written."""
    path = os.path.join(root, PAGE)
    with open(path, encoding="utf-8") as file:
        page = fill(file.read(), parts(report))
    written = [(path, page)]
    for metric, title in PLOTS:
        svg = plots.growth(report, metric, title)
        if svg:
            written.append((os.path.join(root, "docs/performance", metric + ".svg"), svg))
    for name, text in written:
        with open(name + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(name + ".new", name)
    return [name for name, _ in written]
