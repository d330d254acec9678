# SPDX-License-Identifier: BSD-2-Clause
"""The list of CPUs (MADT)."""

from machine import *

FOUR = [lapic(i) for i in range(4)]
STOPS = "madt: entry of type %d at %d has length %d: the rest is ignored"
SHORT = "madt: %d entries shorter than their type needs: skipped"
MISSING = "ACPI does not list the boot CPU, APIC id %d"
REPEAT = "madt: %d entries repeat an id (first %d): dropped"
BASE = "madt: local APIC at %s: using %#x"


def cpus(why, name, entries, ids=None, /, *log, boot_cpu=0, x2apic=True, base=0xFEE00000, length=None,
         **outcome):
    made = machine(madt=madt(*entries, base=base, length=length), boot_cpu=boot_cpu, x2apic=x2apic)
    return Case(name, why, made, cpus=[0, 1, 2, 3] if ids is None else ids,
                **{"log": list(log), **outcome})


def not_one(no_id, ids=(0,)):
    return dict(others=True, log=["madt: not one CPU that can be started (%d with no id)" % no_id,
                                  MISSING % ids[0]])


def too_short(size):
    return Case("size_%d" % size, "%d bytes of a table that has 44 before its entries" % size,
                machine(madt=table("APIC", bytes(size - 36))), cpus=[0], others=True,
                log=["madt: %d bytes are too few" % size, "no list of CPUs (ACPI MADT): using one",
                     MISSING % 0])


def lapic_base(base):
    return u8(5, 12, 0, 0) + u64(base)


LAPIC_NMI = u8(4, 6, 255, 0, 0, 1)

CASES = [
    cpus("an entry of length 0: what came before it counts", "entry_length_0",
         FOUR[:2] + [u8(0, 0)] + FOUR[2:], [0, 1], STOPS % (0, 60, 0)),
    cpus("an entry of length 1", "entry_length_1", FOUR[:3] + [u8(9, 1)] + FOUR[3:], [0, 1, 2],
         STOPS % (9, 68, 1)),
    cpus("an entry of length 0 before all others", "entry_length_0_first", [u8(0, 0)] + FOUR, [0],
         STOPS % (0, 44, 0), *not_one(0)["log"], others=True),
    cpus("the last entry passes the end", "entry_past_end", FOUR[:3] + [FOUR[3][:4]], [0, 1, 2],
         STOPS % (0, 68, 8)),
    cpus("an entry of length 255 in a short table", "entry_length_255", FOUR + [u8(0, 255, 4, 4)],
         None, STOPS % (0, 76, 255)),
    cpus("one byte behind the last entry", "one_byte_left", FOUR + [u8(0)], None,
         STOPS % (0, 76, 0)),
    cpus("junk behind the last entry", "junk_at_end", FOUR + [b"\xee\xee\xee"], None,
         STOPS % (238, 76, 238)),
    cpus("types that nobody knows are passed over", "type_unknown",
         [u8(0x7F, 6, 1, 2, 3, 4)] + FOUR[:2] + [u8(0xFF, 2)] + FOUR[2:]),
    cpus("NMI lines are passed over", "lapic_nmi", [LAPIC_NMI] + FOUR + [LAPIC_NMI]),
    cpus("a CPU's entry of 6 bytes", "lapic_too_short", FOUR + [u8(0, 6, 4, 4, 1, 0)], None,
         SHORT % 1),
    cpus("a CPU's x2APIC entry of 8 bytes", "x2apic_too_short",
         FOUR + [u8(9, 8, 0, 0, 4, 0, 0, 0)], None, SHORT % 1),
    cpus("controllers, overrides and a base, each too short", "others_too_short",
         FOUR + [u8(1, 4, 0, 0), u8(2, 4, 0, 0), u8(5, 4, 0, 0)], None, SHORT % 3),
    cpus("an entry that is longer than its type needs", "lapic_too_long",
         [u8(0, 12, 0, 0) + u32(1, 0)] + FOUR[1:]),
    cpus("id 255 is a placeholder where x2APIC entries stand beside", "id_255_with_x2apic",
         [lapic(255)] * 4 + [x2apic(i) for i in range(4)]),
    cpus("a CPU with id 255 by an x2APIC entry", "x2apic_id_255", FOUR + [x2apic(255)],
         [0, 1, 2, 3, 255]),
    cpus("only placeholders", "id_255_only", [lapic(255)] * 4, [0], **not_one(4)),
    cpus("only placeholders of the long form", "x2apic_id_all_ones", [x2apic(0xFFFFFFFF)] * 3, [0],
         **not_one(3)),
    cpus("x2APIC entries alone", "x2apic_only", [x2apic(i) for i in range(4)]),
    cpus("each CPU in both forms is one CPU", "both_forms",
         FOUR + [x2apic(i) for i in range(4)]),
    cpus("both forms, the long one first", "both_forms_x2apic_first",
         [x2apic(i) for i in range(4)] + FOUR),
    cpus("enabled in one form, disabled in the other", "both_forms_one_disabled",
         FOUR + [x2apic(i, flags=0) for i in range(4)], None, others=True),
    cpus("an id twice", "id_twice", [lapic(0), lapic(1), lapic(1), lapic(2)], [0, 1, 2],
         REPEAT % (1, 1)),
    cpus("an id twice in the long form", "x2apic_id_twice", [x2apic(i) for i in (0, 1, 0, 2)],
         [0, 1, 2], REPEAT % (1, 0)),
    cpus("all entries with the same id", "id_always_same", [lapic(0)] * 4, [0], REPEAT % (3, 0)),
    cpus("each of four ids five times", "ids_five_times", FOUR * 5, None, REPEAT % (16, 0)),
    cpus("disabled CPUs are not started", "disabled",
         [lapic(0), lapic(1, flags=0), lapic(2), lapic(3, flags=0)], [0, 2], others=True),
    cpus("CPUs that might be enabled later are not started", "online_capable",
         [lapic(0), lapic(1, flags=2), lapic(2)], [0, 2], others=True),
    cpus("flags beyond those known", "flags_unknown", [lapic(i, flags=0xFFFFFFFD) for i in range(4)]),
    cpus("all CPUs disabled, the running one too", "all_disabled",
         [lapic(i, flags=0) for i in range(4)], [0], **not_one(0)),
    cpus("the boot CPU is not the first", "boot_cpu_third", FOUR, [2, 0, 1, 3], boot_cpu=2),
    cpus("the boot CPU is the last", "boot_cpu_last", FOUR, [3, 0, 1, 2], boot_cpu=3),
    cpus("the boot CPU is not listed", "boot_cpu_missing", FOUR, [9, 0, 1, 2, 3], MISSING % 9,
         boot_cpu=9, others=True),
    cpus("the boot CPU is listed as disabled", "boot_cpu_disabled",
         [lapic(0, flags=0)] + FOUR[1:], [0, 1, 2, 3], MISSING % 0, others=True),
    cpus("the boot CPU's entry stands behind a broken one", "boot_cpu_behind_broken",
         FOUR[1:] + [u8(0, 0)] + FOUR[:1], [0, 1, 2, 3], STOPS % (0, 68, 0), MISSING % 0,
         others=True),
    cpus("no entry at all", "no_entries", [], [0], **not_one(0)),
    cpus("controllers but no CPU", "no_cpu", [ioapic(), override()], [0], **not_one(0)),
    too_short(36), too_short(40), too_short(43),
    cpus("the length cuts the list", "length_cuts", FOUR, [0, 1], length=60),
    cpus("more CPUs than are supported", "cpus_600", [x2apic(i) for i in range(600)],
         list(range(512)), "madt: 88 CPUs beyond the supported 512 are left out", others=True),
    cpus("exactly as many CPUs as are supported", "cpus_512", [x2apic(i) for i in range(512)],
         list(range(512))),
    cpus("the boot CPU is one of those beyond the supported number", "cpus_600_boot_last",
         [x2apic(i) for i in range(600)], [599] + list(range(511)),
         "madt: 88 CPUs beyond the supported 512 are left out", MISSING % 599, boot_cpu=599,
         others=True),
    cpus("600 entries with one id", "entries_600_one_id", [x2apic(0)] * 600, [0],
         REPEAT % (599, 0)),
    cpus("ids with gaps, descending", "ids_sparse", [lapic(i) for i in (254, 16, 4, 0)],
         [0, 254, 16, 4]),
    cpus("ids that need x2APIC on a machine without", "ids_need_x2apic",
         [x2apic(i) for i in (0, 1, 255, 256)], [0, 1],
         "2 CPUs left out: their APIC ids need x2APIC", x2apic=False, others=True),
    cpus("the boot CPU's own id needs x2APIC on a machine without: it runs all the same",
         "boot_cpu_needs_x2apic", [x2apic(i) for i in (0, 300, 400)], [300, 0],
         "1 CPUs left out: their APIC ids need x2APIC", boot_cpu=300, x2apic=False, others=True),
    cpus("ids up to 32 bits", "ids_32_bits", [x2apic(i) for i in (0, 0x10000, 0xFFFFFFFE)],
         [0, 0x10000, 0xFFFFFFFE]),
    cpus("the local APIC at 0", "base_zero", FOUR, None, BASE % ("0", 0xFEE00000), base=0),
    cpus("the local APIC inside of a page", "base_unaligned", FOUR, None,
         BASE % ("0xfee00010", 0xFEE00000), base=0xFEE00010),
    cpus("the local APIC moved by an entry of its own", "base_entry",
         FOUR + [lapic_base(0x1FEE00000)], lapic=0x1FEE00000),
    cpus("two entries with the base: the last", "base_entry_twice",
         FOUR + [lapic_base(0x1FEE00000), lapic_base(0x2FEE00000)], lapic=0x2FEE00000),
    cpus("the base of an entry is 0", "base_entry_zero", FOUR + [lapic_base(0)], None,
         BASE % ("0", 0xFEE00000)),
    cpus("20 I/O APICs", "ioapics_20", FOUR + [ioapic(i, 0xFEC00000 + i * 4096, i * 24)
                                               for i in range(20)], None,
         "madt: 4 I/O APICs or overrides too many: ignored"),
    cpus("40 overrides", "overrides_40", FOUR + [override(i, i) for i in range(40)], None,
         "madt: 8 I/O APICs or overrides too many: ignored"),
]
