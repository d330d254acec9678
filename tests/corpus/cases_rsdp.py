# SPDX-License-Identifier: BSD-2-Clause
"""The ACPI root pointer: where it is sought, and what makes it unusable."""

from machine import *

DAMAGED = "acpi: root pointer at %#x is damaged"
NO_XSDT = "acpi: no good XSDT, trying the RSDT"
NOT_THERE = "acpi: table ? at %#x skipped: no memory there"

GOOD = rsdp(2, RSDT, XSDT)
BAD_SUM = rsdp(2, RSDT, XSDT, sum1=False)
EBDA_SEGMENT = {0x40E: u16(EBDA >> 4)}
OTHER_MADT = 0x7FEA000
OTHER_XSDT = 0x7FEB000


def one_cpu(tried, *before):
    """Without tables: the CPU that runs, no timer, and nobody knows who else is there."""
    log = list(before) + ["acpi: no usable tables (%d root pointers tried)" % tried,
                          "no ACPI tables: using one CPU"]
    return dict(cpus=[0], others=True, timer=0, log=log)


def pointers(why, found, name, **outcome):
    return Case(name, why, machine(rsdp=found), **outcome)


def many_damaged():
    step = 64
    data = b"".join(BAD_SUM + bytes(step - len(BAD_SUM)) for _ in range(40))
    shown = [DAMAGED % (0xE0000 + i * step) for i in range(32)]
    return Case("forty_damaged", "the log shows 32 problems, and what comes of them all the same",
                machine(rsdp={0xE0000: data}), cpus=[0], others=True, timer=0,
                log=shown + ["no ACPI tables: using one CPU"])


def two_machines():
    other = {OTHER_MADT: madt(lapic(0)), OTHER_XSDT: table("XSDT", u64(OTHER_MADT))}
    return Case("two_good", "the first one that works is used",
                machine(rsdp={0xF0010: rsdp(2, 0, OTHER_XSDT), BIOS_RSDP: GOOD}, memory=other),
                cpus=[0], timer=0)


def first_lists_nothing():
    return Case("first_lists_nothing", "a pointer to empty root tables is passed over",
                machine(rsdp={0xF0010: rsdp(2, 0, OTHER_XSDT), BIOS_RSDP: GOOD},
                        memory={OTHER_XSDT: table("XSDT")}),
                log=["acpi: XSDT at %#x lists no good table" % OTHER_XSDT, NO_XSDT])


def longer():
    data = rsdp(2, RSDT, XSDT, length=44) + bytes(8)
    return fix_sum(data, 32, 44)


def copied(*copies, **more):
    return machine(rsdp={}, more_tags=[mb_rsdp(c) for c in copies], **more)


CASES = [
    pointers("the good machine, for comparison", None, "good"),
    pointers("a wrong checksum: the next candidate is taken",
             {BIOS_RSDP: BAD_SUM, 0xF6000: GOOD}, "sum_wrong_then_good",
             log=[DAMAGED % BIOS_RSDP]),
    pointers("a wrong checksum and no other candidate: one CPU", {BIOS_RSDP: BAD_SUM},
             "sum_wrong_alone", **one_cpu(1, DAMAGED % BIOS_RSDP)),
    pointers("the checksum of the longer form is wrong",
             {BIOS_RSDP: rsdp(2, RSDT, XSDT, sum2=False), 0xF6000: GOOD},
             "extended_sum_wrong_then_good", log=[DAMAGED % BIOS_RSDP]),
    pointers("no root pointer at all", {}, "missing", **one_cpu(0)),
    pointers("revision 0, which has an RSDT only", {BIOS_RSDP: rsdp(0, RSDT)}, "revision_0"),
    pointers("revision 0 with junk behind it, which is not read",
             {BIOS_RSDP: rsdp(0, RSDT) + b"\xff" * 16}, "revision_0_then_junk"),
    pointers("revision 1: the place of the XSDT is not read",
             {BIOS_RSDP: fix_sum(rsdp(1, RSDT), 8) + u32(36) + u64(NOWHERE) + u32(0)},
             "revision_1_with_xsdt"),
    pointers("a revision that nobody has seen is read as the newest known",
             {BIOS_RSDP: rsdp(255, RSDT, XSDT)}, "revision_255"),
    pointers("revision 2 without an XSDT: the RSDT", {BIOS_RSDP: rsdp(2, RSDT, 0)},
             "revision_2_without_xsdt", log=[NO_XSDT]),
    pointers("revision 2 that says it has the 20 bytes of revision 0",
             {BIOS_RSDP: rsdp(2, RSDT, XSDT, length=20)}, "length_20",
             **one_cpu(1, DAMAGED % BIOS_RSDP)),
    pointers("length 0", {BIOS_RSDP: rsdp(2, RSDT, XSDT, length=0)}, "length_0",
             **one_cpu(1, DAMAGED % BIOS_RSDP)),
    pointers("a length of 4 GiB", {BIOS_RSDP: rsdp(2, RSDT, XSDT, length=0xFFFFFFFF)},
             "length_4g", **one_cpu(1, DAMAGED % BIOS_RSDP)),
    pointers("longer than known, all there and summed: good", {BIOS_RSDP: longer()},
             "length_44"),
    pointers("longer than the memory that it is in",
             {BIOS_RSDP: rsdp(2, RSDT, XSDT, length=64)}, "length_past_memory",
             **one_cpu(1, DAMAGED % BIOS_RSDP)),
    pointers("cut by the end of memory behind 24 bytes", {BIOS_RSDP: GOOD[:24]},
             "cut_at_24", **one_cpu(1, DAMAGED % BIOS_RSDP)),
    pointers("cut by the end of memory behind 12 bytes", {BIOS_RSDP: GOOD[:12]},
             "cut_at_12",
             **one_cpu(1, "acpi: root pointer at %#x: no memory there" % BIOS_RSDP)),
    pointers("the signature in small letters is none",
             {BIOS_RSDP: fix_sum(b"rsd ptr " + GOOD[8:], 8, 20)}, "signature_small",
             **one_cpu(0)),
    pointers("not at a multiple of 16", {BIOS_RSDP + 8: GOOD}, "unaligned", **one_cpu(0)),
    pointers("in the last bytes that are searched", {0xFFFE0: rsdp(0, RSDT)}, "last_place"),
    pointers("too near to the end of the searched memory", {0xFFFF0: rsdp(0, RSDT)[:16]},
             "behind_last_place", **one_cpu(0)),
    Case("ebda", "in the EBDA, which comes before the BIOS",
         machine(rsdp={EBDA: GOOD, BIOS_RSDP: BAD_SUM}, memory=EBDA_SEGMENT)),
    Case("ebda_damaged", "damaged in the EBDA, good in the BIOS",
         machine(rsdp={EBDA: BAD_SUM, BIOS_RSDP: GOOD}, memory=EBDA_SEGMENT),
         log=[DAMAGED % EBDA]),
    Case("ebda_zero", "the BIOS says that it has no EBDA", machine(memory={0x40E: u16(0)})),
    Case("ebda_nowhere", "an EBDA where no memory is", machine(memory={0x40E: u16(0x8000)})),
    Case("ebda_behind_first_kib", "only the first KiB of an EBDA is searched",
         machine(rsdp={0x9F400: GOOD}, memory={0x40E: u16(0x9F00)}), **one_cpu(0)),
    Case("copy", "the loader's copy is enough", copied(GOOD)),
    Case("copy_old", "the loader's copy of revision 0", copied(rsdp(0, RSDT))),
    Case("copy_both", "of two copies the longer one",
         copied(rsdp(0, NOWHERE), GOOD)),
    Case("copy_damaged", "the loader's copy is damaged, the BIOS has a good one",
         machine(more_tags=[mb_rsdp(BAD_SUM)]), log=["acpi: root pointer at 0 is damaged"]),
    Case("copy_cut", "24 bytes of a revision that has 36",
         machine(more_tags=[tag(15, GOOD[:24])]), log=["acpi: root pointer at 0 is damaged"]),
    Case("copy_empty", "a copy of no bytes is none", machine(more_tags=[tag(15)])),
    pointers("both root tables where no memory is",
             {BIOS_RSDP: rsdp(2, NOWHERE, NOWHERE + 0x1000)}, "both_nowhere",
             **one_cpu(1, NOT_THERE % (NOWHERE + 0x1000), NO_XSDT, NOT_THERE % NOWHERE)),
    pointers("neither root table", {BIOS_RSDP: rsdp(2, 0, 0)}, "both_zero",
             **one_cpu(1, NO_XSDT)),
    pointers("an XSDT above 4 GiB, out of reach at boot: the RSDT",
             {BIOS_RSDP: rsdp(2, RSDT, 1 << 32)}, "xsdt_above_4g",
             log=[NOT_THERE % (1 << 32), NO_XSDT]),
    pointers("an XSDT whose header wraps around", {BIOS_RSDP: rsdp(2, RSDT, 2**64 - 16)},
             "xsdt_wraps", log=[NOT_THERE % (2**64 - 16), NO_XSDT]),
    pointers("an XSDT across 4 GiB", {BIOS_RSDP: rsdp(2, RSDT, 2**32 - 16)},
             "xsdt_across_4g", log=[NOT_THERE % (2**32 - 16), NO_XSDT]),
    many_damaged(),
    two_machines(),
    first_lists_nothing(),
]
