# SPDX-License-Identifier: BSD-2-Clause
"""Plots of a report as SVG: how a cost grows with the number of CPUs, a panel for each case.

No library: text in, text out. Colours differ in lightness and marks in shape, so that the lines
can be told apart without colour as well.
"""
import math
from xml.sax.saxutils import escape

import figures
from tables import LINUX, QUIRE, WHOLE_SYSTEM, cpu_count, number

PANELS = ("page.pair", "page.batch512", "zone.256", "zone.batch512", "malloc.256", "kmem.1",
          "kmem.16", "kmem.256", "kmem.strict", "shootdown.idle", "handover.page", "llfree.random")
SERIES = ((QUIRE, "Quire", "#0b5fa5", "circle"), (LINUX, "Linux", "#d1700a", "square"))

COLUMNS = 4
PANEL_WIDTH, PANEL_HEIGHT = 250, 210
LEFT, RIGHT, TOP, BOTTOM = 56, 14, 44, 36
HEADER = 74
TEXT, FAINT, GRID = "#222222", "#666666", "#e3e3e3"


# ---- axes ----


def nice_step(span):
    """1, 2 or 5 times a power of ten, so that a span has about four of them."""
    power = 10 ** math.floor(math.log10(span / 4))
    for factor in (1, 2, 5, 10):
        if span / (factor * power) <= 5:
            return factor * power
    return 10 * power


class Axis:
    """Maps values to 0 (bottom) .. 1 (top): by logarithm where they differ much."""

    def __init__(self, values):
        low, high = min(values), max(values)
        self.log = low > 0 and high / low > 6
        if self.log:
            self.low = 10 ** math.floor(math.log10(low))
            self.high = 10 ** math.ceil(math.log10(high))
            decades = round(math.log10(self.high / self.low))
            self.ticks = [self.low * 10 ** i for i in range(decades + 1)]
        else:
            step = nice_step(max(high, 0.01) * 1.05)
            self.low = min(0, step * math.floor(low / step))
            self.high = step * math.ceil(max(high, 0.01) * 1.05 / step)
            count = round((self.high - self.low) / step)
            self.ticks = [self.low + i * step for i in range(count + 1)]

    def place(self, value):
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


def tick_text(value):
    if value >= 10000:
        return f"{value / 1000:,.0f}k"
    return f"{value:,.0f}" if abs(value - round(value)) < 1e-9 else f"{value:.2g}"


# ---- pieces of SVG ----


def text_at(x, y, text, size=11, color=TEXT, anchor="start", weight="normal"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{color}" '
            f'text-anchor="{anchor}" font-weight="{weight}">{escape(text)}</text>')


def line_at(x1, y1, x2, y2, color=GRID, width=1):
    return (f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
            f'stroke="{color}" stroke-width="{width}"/>')


def mark_at(x, y, shape, color, title=""):
    inside = f"<title>{escape(title)}</title>"
    if shape == "circle":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{color}">{inside}</circle>'
    return (f'<rect x="{x - 3.6:.1f}" y="{y - 3.6:.1f}" width="7.2" height="7.2" '
            f'fill="{color}">{inside}</rect>')


def path_of(points, color):
    steps = " ".join(f"{'M' if i == 0 else 'L'}{x:.1f} {y:.1f}" for i, (x, y) in enumerate(points))
    return f'<path d="{steps}" fill="none" stroke="{color}" stroke-width="2"/>'


# ---- a panel ----


def mode_and_side(case):
    return ("alone", "sys") if case in WHOLE_SYSTEM else ("all", "own")


def points_of(report, system, case, metric, cpus):
    """[(CPUs, value)] of one line."""
    mode, side = mode_and_side(case)
    found = []
    for n in cpus:
        # On one CPU both modes are the same.
        value = figures.value(report, system, n, mode if n > 1 else "alone", case,
                              f"{side}_{metric}")
        if value is not None:
            found.append((n, max(value, 0)))
    return found


def panel(report, case, metric, cpus, x0, y0):
    lines = [(label, color, shape, points_of(report, system, case, metric, cpus))
             for system, label, color, shape in SERIES]
    values = [value for *_, points in lines for _, value in points]
    if not values:
        return ""
    axis = Axis(values)
    width = PANEL_WIDTH - LEFT - RIGHT
    height = PANEL_HEIGHT - TOP - BOTTOM
    bottom = y0 + TOP + height

    def place_x(n):
        if cpus[0] == cpus[-1]:
            return x0 + LEFT + width / 2
        return x0 + LEFT + width * math.log(n / cpus[0]) / math.log(cpus[-1] / cpus[0])

    def place_y(value):
        return bottom - height * axis.place(value)

    mode, side = mode_and_side(case)
    what = "one CPU at work, all counted" if side == "sys" else "all CPUs at work"
    parts = [text_at(x0 + LEFT, y0 + 18, case, 13, weight="bold"),
             text_at(x0 + LEFT, y0 + 33, what + (", log scale" if axis.log else ""), 10, FAINT)]
    for tick in axis.ticks:
        parts += [line_at(x0 + LEFT, place_y(tick), x0 + LEFT + width, place_y(tick)),
                  text_at(x0 + LEFT - 6, place_y(tick) + 4, tick_text(tick), 10, FAINT, "end")]
    for n in cpus:
        parts.append(text_at(place_x(n), bottom + 15, str(n), 10, FAINT, "middle"))
    parts.append(text_at(x0 + LEFT + width / 2, bottom + 29, "CPUs", 10, FAINT, "middle"))
    for label, color, shape, points in lines:
        at = [(place_x(n), place_y(value)) for n, value in points]
        if len(at) > 1:
            parts.append(path_of(at, color))
        parts += [mark_at(x, y, shape, color, f"{label}, {cpu_count(n)}: {number(value)}")
                  for (x, y), (n, value) in zip(at, points)]
    return "\n".join(parts)


# ---- a plot ----


def legend(x, y, systems):
    parts = []
    for system, label, color, shape in SERIES:
        if system in systems:
            parts += [line_at(x, y - 4, x + 26, y - 4, color, 2),
                      mark_at(x + 13, y - 4, shape, color), text_at(x + 34, y, label, 12)]
            x += 34 + 9 * len(label) + 24
    return "\n".join(parts)


def growth(report, metric, title):
    """The SVG, or None if no panel would hold anything."""
    cpus = sorted({run["cpus"] for run in report["runs"] if run["figures"]})
    cases = [case for case in PANELS
             if any(points_of(report, system, case, metric, cpus) for system, *_ in SERIES)]
    if not cases:
        return None
    columns = min(COLUMNS, len(cases))
    rows = -(-len(cases) // columns)
    width = max(columns * PANEL_WIDTH, 560)
    height = HEADER + rows * PANEL_HEIGHT
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
             f'width="{width}" height="{height}" role="img" '
             'font-family="system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif">',
             f"<title>{escape(title)}</title>",
             f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
             text_at(LEFT / 2, 28, title, 17, weight="bold"),
             legend(LEFT / 2, 54, {run["system"] for run in report["runs"]})]
    for i, case in enumerate(cases):
        parts.append(panel(report, case, metric, cpus, i % columns * PANEL_WIDTH,
                           HEADER + i // columns * PANEL_HEIGHT))
    return "\n".join(parts + ["</svg>"]) + "\n"
