# SPDX-License-Identifier: BSD-2-Clause
"""A machine as its firmware describes it, and what the kernel has to make of it.

Machine() is a good one: 128 MiB of RAM, four CPUs, GRUB. A case changes what it is about, and says
what must come of that; what it does not say must be as on the good machine, and there must be no
line in the log.
"""

import copy

from encode import *

# Where things lie on the good machine.
INFO, EBDA, BIOS_RSDP = 0x10000, 0x9FC00, 0xF5A00
TOP = 0x7FE0000
RSDT, XSDT, SLIT, FADT = [TOP + i * 0x1000 for i in range(1, 5)]
MADT, SRAT = TOP + 0x10000, TOP + 0x18000
NOWHERE = 0x6000000

GOOD_MAP = [
    (0x0, 0x9FC00, USABLE),
    (0x9FC00, 0x400, RESERVED),
    (0xF0000, 0x10000, RESERVED),
    (0x100000, TOP - 0x100000, USABLE),
    (TOP, 0x20000, ACPI),
]
# The image takes [1 MiB, 3 MiB); the low megabyte is kept.
GOOD_RANGES = [(0x300000, TOP, 0)]

XAPIC_ID_MAX = 254


class Machine:
    """What is in memory when the kernel starts."""

    def __init__(self):
        self.magic = MULTIBOOT2_MAGIC
        self.info_at = INFO
        self.boot_cpu = 0
        self.x2apic = True
        self.map = list(GOOD_MAP)
        self.tags = None  # instead of the usual ones
        self.more_tags = []
        self.info = None  # instead of all tags
        self.cmdline = None
        self.madt = madt(*[lapic(i) for i in range(4)], ioapic(), override())
        self.srat = self.slit = None
        self.fadt = fadt()
        self.root = None  # tables that the root tables list, by address
        self.rsdp = None  # {address: bytes}
        self.rsdt = self.xsdt = None  # bytes; b"" for none
        self.memory = {}  # further pieces, and pieces that replace others

    def tables(self):
        found = {MADT: self.madt, SRAT: self.srat, SLIT: self.slit, FADT: self.fadt}
        return {at: data for at, data in found.items() if data is not None}

    def listed(self):
        return list(self.tables()) if self.root is None else self.root

    def acpi_pieces(self):
        pieces = dict(self.tables())
        listed = self.listed()
        pieces[RSDT] = table("RSDT", u32(*listed)) if self.rsdt is None else self.rsdt
        pieces[XSDT] = table("XSDT", u64(*listed)) if self.xsdt is None else self.xsdt
        pieces.update({BIOS_RSDP: rsdp(2, RSDT, XSDT)} if self.rsdp is None else self.rsdp)
        return pieces

    def loader_info(self):
        if self.info is not None:
            return self.info
        if self.tags is not None:
            return multiboot2(*self.tags)
        tags = [mb_loader(), mb_mmap(self.map)] + self.more_tags
        if self.cmdline is not None:
            tags.insert(0, mb_cmdline(self.cmdline))
        return multiboot2(*tags)

    def pieces(self):
        pieces = self.acpi_pieces()
        pieces[INFO] = self.loader_info()
        pieces.update(self.memory)
        return {at: data for at, data in pieces.items() if data}

    def encode(self):
        """The file; tests/corpus/README.md says what is in it."""
        pieces = sorted(self.pieces().items())
        data = b"QFWIMG1\n" + u32(self.magic, self.boot_cpu) + u64(self.info_at)
        data += u32(1 if self.x2apic else 0, len(pieces))
        for at, piece in pieces:
            data += u64(at) + u32(len(piece), 0) + piece
        return data


class Outcome:
    """What the kernel makes of it."""

    def __init__(self):
        self.boots = "yes"
        self.cpus = [0, 1, 2, 3]
        self.others = False  # CPUs may exist that must not be woken by a command to all
        self.domains = 1
        self.ranges = list(GOOD_RANGES)
        self.low = 0x9E000
        self.lost = 0
        self.timer = 0x608
        self.lapic = 0xFEE00000
        self.homes = None  # the domain of each CPU; given when there are several
        self.distances = None
        self.screen = None
        self.modules = []
        self.cmdline = None
        self.options = None
        self.log = []

    def lines(self):
        yield "boots: " + self.boots
        if self.boots == "no":
            yield from ("log: " + line for line in self.log)
            return
        yield "cpus: %d: %s%s" % (len(self.cpus), show_ids(self.cpus),
                                  "; others" if self.others else "")
        yield "domains: %d" % self.domains
        if self.domains > 1:
            yield "homes: " + " ".join(map(str, self.homes))
            yield "distances: " + " / ".join(" ".join(map(str, row)) for row in self.distances)
        yield "ranges: " + (" ".join("%x-%x/%d" % r for r in self.ranges) or "none")
        if self.lost:
            yield "lost: %x" % self.lost
        yield "low: %x" % self.low
        yield "timer: %x" % self.timer
        if self.lapic != 0xFEE00000:
            yield "lapic: %x" % self.lapic
        if self.screen is not None:
            yield "screen: " + self.screen
        for start, end, name in self.modules:
            yield "module: %x-%x %s" % (start, end, name)
        if self.cmdline is not None:
            yield "cmdline: " + self.cmdline
        if self.options is not None:
            yield "options: " + self.options
        yield from ("log: " + line for line in self.log)


def show_ids(ids):
    """0-3 7 9-10: neighbours that ascend by one are a run."""
    runs = []
    for n in ids:
        if runs and runs[-1][1] + 1 == n:
            runs[-1][1] = n
        else:
            runs.append([n, n])
    return " ".join("%d" % a if a == b else "%d-%d" % (a, b) for a, b in runs)


class Case:
    """A machine, why it is in the corpus, and its outcome."""

    def __init__(self, name, why, machine=None, **outcome):
        self.name, self.why = name, why
        self.machine = machine or Machine()
        self.outcome = Outcome()
        for field, value in outcome.items():
            assert hasattr(self.outcome, field), "%s: no outcome '%s'" % (name, field)
            setattr(self.outcome, field, value)


def machine(**fields):
    """A good machine with some fields set."""
    made = Machine()
    for field, value in fields.items():
        assert hasattr(made, field), "no field '%s' in a machine" % field
        setattr(made, field, copy.deepcopy(value))
    return made
