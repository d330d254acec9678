# SPDX-License-Identifier: BSD-2-Clause
"""Memory domains (SRAT)."""

from machine import *

MIDDLE = 0x4000000
LOW, HIGH = (0, 0, MIDDLE), (1, MIDDLE, MIDDLE)
CPUS = [srat_cpu(i // 2, i) for i in range(4)]
TWO_RANGES = [(0x300000, MIDDLE, 0), (MIDDLE, TOP, 1)]
TWO = dict(domains=2, homes=[0, 0, 1, 1], distances=[[10, 20], [20, 10]], ranges=TWO_RANGES)
STOPS = "srat: entry of type %d at %d has length %d: the rest is ignored"
SHORT = "srat: %d entries shorter than their type needs: skipped"
OVERLAP = "srat: memory at %#x is in two domains: using one for all"


def domains(why, name, ranges, /, *log, entries=(), cpus=None, revision=3, length=None, **outcome):
    memory = [srat_memory(*r) for r in ranges]
    made = srat(*(CPUS if cpus is None else cpus), *memory, *entries, revision=revision,
                length=length)
    return Case(name, why, machine(srat=made), **{"log": list(log), **outcome})


def even(n):
    return [[10 if a == b else 20 for b in range(n)] for a in range(n)]


def split(count):
    """`count` domains of 4 MiB each from 64 MiB on; those beyond the eighth are one with it."""
    step = 0x400000
    return [(i, MIDDLE + i * step, step) for i in range(count)]


ELEVEN = [(0x300000, MIDDLE + 0x400000, 0)] + [
    (MIDDLE + i * 0x400000, MIDDLE + (i + 1) * 0x400000, i) for i in range(1, 7)] + [
    (MIDDLE + 7 * 0x400000, MIDDLE + 11 * 0x400000, 7), (MIDDLE + 11 * 0x400000, TOP, 0)]

CASES = [
    domains("two domains, for comparison", "good", [LOW, HIGH], **TWO),
    domains("ranges of two domains overlap: one domain", "overlap", [LOW, (1, 0x3000000, MIDDLE)],
            OVERLAP % 0x3000000),
    domains("they overlap by one byte", "overlap_one_byte", [LOW, (1, MIDDLE - 1, MIDDLE)],
            OVERLAP % (MIDDLE - 1)),
    domains("one range inside of the other's", "overlap_inside", [(0, 0, 2 * MIDDLE), HIGH],
            OVERLAP % MIDDLE),
    domains("ranges of one domain may overlap", "overlap_same", [LOW, (0, 0x1000000, 0x1000000),
                                                                HIGH], **TWO),
    domains("a range twice", "range_twice", [LOW, HIGH, HIGH], **TWO),
    domains("beyond RAM: clipped", "beyond_ram", [LOW, (1, MIDDLE, 1 << 44)], **TWO),
    domains("up to the last byte of the address space", "to_top", [LOW, (1, MIDDLE, 2**64 - 1 -
                                                                       MIDDLE)], **TWO),
    domains("a domain wholly outside of RAM has no memory, and so is none", "outside_ram",
            [LOW, HIGH, (2, 1 << 40, 1 << 30)], **TWO),
    domains("all ranges outside of RAM", "all_outside_ram", [(0, 1 << 40, 4096),
                                                             (1, 1 << 41, 4096)]),
    domains("a range that wraps around", "wraps", [LOW, HIGH, (2, 2**64 - 4096, 8192)],
            "srat: 1 memory ranges wrap around: skipped", **TWO),
    domains("a range that ends at 2^64", "ends_at_top", [LOW, HIGH, (0, 2**64 - 4096, 4096)],
            "srat: 1 memory ranges wrap around: skipped", **TWO),
    domains("empty ranges", "empty", [(5, 0, 0), LOW, HIGH, (6, MIDDLE, 0)], **TWO),
    domains("disabled ranges", "disabled", [LOW, HIGH, (2, 0, 2 * MIDDLE, 0)], **TWO),
    domains("only disabled ranges", "all_disabled", [(0, 0, MIDDLE, 0), (1, MIDDLE, MIDDLE, 0)]),
    domains("sparse proximity numbers become 0 and 1", "sparse",
            [(7, 0, MIDDLE), (0x80000000, MIDDLE, MIDDLE)],
            cpus=[srat_cpu(7, 0), srat_cpu(7, 1), srat_x2apic(0x80000000, 2),
                  srat_cpu(0x80000000, 3)], **TWO),
    domains("the largest proximity number", "proximity_max",
            [(0, 0, MIDDLE), (0xFFFFFFFF, MIDDLE, MIDDLE)],
            cpus=[srat_cpu(0, 0), srat_cpu(0, 1), srat_cpu(0xFFFFFFFF, 2),
                  srat_x2apic(0xFFFFFFFF, 3)], **TWO),
    domains("numbers that descend with the addresses", "descending",
            [(9, 0, MIDDLE), (4, MIDDLE, MIDDLE)], domains=2, homes=[0, 0, 0, 0],
            distances=even(2), ranges=[(0x300000, MIDDLE, 1), (MIDDLE, TOP, 0)]),
    domains("revision 1 has numbers of 8 bits and junk beside them", "revision_1",
            [(0xABCDEF00, 0, MIDDLE), (0x12345601, MIDDLE, MIDDLE)],
            cpus=[srat_cpu(0xFFFFFF00 + i // 2, i) for i in range(4)], revision=1, **TWO),
    domains("11 domains: the last four are one", "domains_11", split(11),
            "srat: 11 domains, those from 7 on are treated as one", domains=8,
            homes=[0, 0, 1, 1], distances=even(8), ranges=ELEVEN),
    domains("no memory, only CPUs", "cpus_only", []),
    domains("memory, but no CPU: all CPUs in domain 0", "memory_only", [LOW, HIGH], cpus=[],
            **dict(TWO, homes=[0, 0, 0, 0])),
    domains("CPUs of a domain that has no memory", "cpus_without_memory", [LOW, HIGH],
            cpus=[srat_cpu(i, i) for i in range(4)], **dict(TWO, homes=[0, 1, 0, 0])),
    domains("CPUs that no list of CPUs knows", "cpus_unknown", [LOW, HIGH],
            cpus=CPUS + [srat_x2apic(1, 1000)], **TWO),
    domains("disabled CPUs", "cpus_disabled", [LOW, HIGH],
            cpus=[srat_cpu(1, i, flags=0) for i in range(4)], **dict(TWO, homes=[0, 0, 0, 0])),
    domains("a CPU twice: its first entry", "cpu_twice", [LOW, HIGH],
            cpus=CPUS + [srat_cpu(1, 0)], **TWO),
    domains("600 CPUs", "cpus_600", [LOW, HIGH],
            "srat: 88 entries too many: ignored",
            cpus=CPUS + [srat_x2apic(0, 1000 + i) for i in range(596)], **TWO),
    domains("130 ranges", "ranges_130",
            [LOW, HIGH] + [(0, i << 12, 1 << 12) for i in range(128)],
            "srat: 2 entries too many: ignored", **TWO),
    domains("130 slots without memory take no room", "slots_130",
            [(2, 1 << 40 | i << 20, 1 << 20) for i in range(130)] + [LOW, HIGH], **TWO),
    domains("slots of two domains overlap where no memory is", "slots_overlap",
            [LOW, HIGH, (0, 1 << 40, 1 << 30), (1, 1 << 40, 1 << 30)], **TWO),
    domains("a border inside of a page, which is lost", "border_in_page",
            [(0, 0, MIDDLE + 0x800), (1, MIDDLE + 0x800, MIDDLE)],
            **dict(TWO, ranges=[(0x300000, MIDDLE, 0), (MIDDLE + 0x1000, TOP, 1)])),
    domains("memory that no range mentions is in domain 0", "gap",
            [(0, 0, 0x1000000), (1, 0x2000000, 0x1000000)],
            **dict(TWO, ranges=[(0x300000, 0x2000000, 0), (0x2000000, 0x3000000, 1),
                                (0x3000000, TOP, 0)])),
    domains("neighbours of one domain are one range", "neighbours",
            [(0, 0, 0x1000000), (0, 0x1000000, 0x3000000), HIGH], **TWO),
    domains("two domains in turn", "interleaved",
            [(i % 2, i * 0x2000000, 0x2000000) for i in range(4)],
            **dict(TWO, ranges=[(0x300000, 0x2000000, 0), (0x2000000, MIDDLE, 1),
                                (MIDDLE, 0x6000000, 0), (0x6000000, TOP, 1)])),
    domains("an entry of length 0", "entry_length_0", [LOW, HIGH], STOPS % (1, 192, 0),
            entries=[u8(1, 0)], **TWO),
    domains("an entry of length 1 before all memory", "entry_length_1_first", [LOW, HIGH],
            STOPS % (0, 48, 1), cpus=[u8(0, 1)]),
    domains("the last range is cut off", "entry_past_end", [LOW], STOPS % (1, 152, 40),
            entries=[srat_memory(*HIGH)[:39]]),
    domains("a range of 20 bytes", "memory_too_short", [LOW, HIGH], SHORT % 1,
            entries=[u8(1, 20) + bytes(18)], **TWO),
    domains("CPUs' entries that are too short", "cpu_too_short", [LOW, HIGH], SHORT % 2,
            entries=[u8(0, 8) + bytes(6), u8(2, 16) + bytes(14)], **TWO),
    domains("types that nobody knows", "type_unknown", [LOW, HIGH],
            entries=[u8(3, 16) + bytes(14), u8(0xC0, 2)], **TWO),
    Case("size_36", "nothing but the header", machine(srat=table("SRAT")),
         log=["srat: 36 bytes are too few"]),
    Case("size_47", "one byte less than there must be before the entries",
         machine(srat=table("SRAT", bytes(11))), log=["srat: 47 bytes are too few"]),
    Case("size_48", "no entries", machine(srat=table("SRAT", bytes(12)))),
    Case("sum_wrong", "a damaged table: one domain",
         machine(srat=srat(*CPUS, srat_memory(*LOW), srat_memory(*HIGH), checksum=False)),
         log=["acpi: table SRAT at %#x skipped: wrong checksum" % SRAT]),
    Case("twice", "two tables: the first",
         machine(srat=srat(*CPUS, srat_memory(*LOW), srat_memory(*HIGH)),
                 root=[MADT, SRAT, FADT, 0x7FEA000],
                 memory={0x7FEA000: srat(srat_memory(0, 0, 1 << 40))}),
         log=["acpi: another SRAT at 0x7fea000: the one at %#x is used" % SRAT], **TWO),
]
