# SPDX-License-Identifier: BSD-2-Clause
"""What the memory system is to cost at most, per operation.

Each row: case, mode, number of CPUs (None: any), figure, "must" and "moonshot". The figures of the
second kind of row were set from Linux 6.1 measured in the same way: half of its shootdown, a third
of its transfers.
"""

_ROWS = [
    ("page.pair", "alone", None, "own_insns", 48, 24),
    ("page.pair", "alone", None, "own_locked", 0, 0),
    ("page.batch512", "alone", None, "own_insns", 60, 35),
    ("page.batch512", "alone", None, "own_locked", 0.05, 0.05),
    ("zone.64", "alone", None, "own_insns", 32, 18),
    ("zone.64", "alone", None, "own_locked", 0, 0),
    ("zone.256", "alone", None, "own_insns", 32, 18),
    ("zone.256", "alone", None, "own_locked", 0, 0),
    ("zone.batch512", "alone", None, "own_insns", 45, 28),
    ("zone.batch512", "alone", None, "own_locked", 0.05, 0.05),
    ("kmem.1", "alone", None, "own_insns", 60, 40),
    ("kmem.1", "alone", None, "own_locked", 0, 0),
    ("kmem.4", "alone", None, "own_insns", 60, 40),
    ("kmem.4", "alone", None, "own_locked", 0, 0),
    ("kmem.16", "alone", None, "own_insns", 60, 40),
    ("kmem.16", "alone", None, "own_locked", 0, 0),
    ("kmem.uncached1", "alone", None, "own_insns", 900, 160),
    ("kmem.uncached4", "alone", None, "own_insns", 1200, 250),
    ("kmem.uncached16", "alone", None, "own_insns", 2400, 700),
    ("kmem.64", "alone", None, "own_insns", 6000, 2200),
    ("kmem.256", "alone", None, "own_insns", 16000, 8000),
    # The whole system; the second figure is 100 and 150 for each target.
    ("shootdown.idle", "alone", 2, "sys_insns", 764, 250),
    ("shootdown.idle", "alone", 8, "sys_insns", 4624, 1150),
    ("shootdown.idle", "alone", 32, "sys_insns", 18753, 4750),
    ("page.pair", "all", 32, "own_transfers", 0.107, 0.005),
    ("page.batch512", "all", 32, "own_transfers", 0.36, 0.05),
    ("zone.batch512", "all", 32, "own_transfers", 0.24, 0.05),
    ("kmem.1", "all", 32, "own_transfers", 1.87, 0.1),
    ("kmem.16", "all", 32, "own_transfers", 2.17, 0.1),
    ("kmem.256", "all", 32, "own_transfers", 34, 34),
]

TARGETS = [dict(zip(("case", "mode", "cpus", "metric", "must", "moonshot"), row)) for row in _ROWS]


def target(case, mode, cpus, metric):
    """The row that holds here, or None."""
    for row in TARGETS:
        if (row["case"], row["mode"], row["metric"]) == (case, mode, metric) and \
                row["cpus"] in (None, cpus):
            return row
    return None
