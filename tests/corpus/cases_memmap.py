# SPDX-License-Identifier: BSD-2-Clause
"""Memory maps."""

from machine import *

EMPTY = "memory map: %d empty ranges skipped"
WRAPS = "memory map: %d ranges wrap around (first at %#x): skipped"
BOTH = "memory map: %d bytes both usable and reserved: reserved"
BEYOND = "memory map: %d KiB from 0x400000000000 on cannot be mapped: lost"
NOT_ONE = "memory map: not one usable page"
LOW = (0, 0x9FC00, USABLE)
MAIN = (0x100000, TOP - 0x100000, USABLE)
TIB = 1 << 40
LIMIT = 64 * TIB
ALL = (1 << 64) - 1


def ram(why, name, ranges, /, *log, **outcome):
    return Case(name, why, machine(map=ranges), **{"log": list(log), **outcome})


def nothing(why, name, ranges, *log):
    return ram(why, name, ranges, *log, NOT_ONE, boots="no")


def stripes(count, start=0x1000000, step=0x2000, pages=1):
    return [(start + i * step, pages << 12, USABLE) for i in range(count)]


def striped(count, **more):
    return [(start, start + length, 0) for start, length, _ in stripes(count, **more)]


def raw_1100():
    """1024 ranges are kept: of the usable ones the largest, of the others all."""
    usable = stripes(1030, step=0x4000)
    return ram("1030 usable ranges, of which 256 are used", "usable_1030", [LOW] + usable,
               "memory map: more than 1024 ranges, 28 KiB lost",
               "memory map: more than 256 usable ranges, %d KiB lost" % ((1023 - 256) * 4),
               ranges=striped(256, step=0x4000), lost=(1030 - 256) * 4096)


def raw_reserved_last():
    """What is reserved at the end of a long map is not forgotten."""
    many = stripes(1023, start=0x10000000, step=0x4000)
    last = [(0x400000, 0x100000, RESERVED)]
    return ram("what is reserved counts however late it stands", "reserved_after_1024",
               [MAIN] + many + last,
               "memory map: more than 1024 ranges, 4 KiB lost",
               BOTH % 0x100000,
               "memory map: more than 256 usable ranges, %d KiB lost" % ((1022 - 254) * 4),
               ranges=[(0x300000, 0x400000, 0), (0x500000, TOP, 0)]
               + striped(1023, start=0x10000000, step=0x4000)[1:255],
               lost=(1 + 1022 - 254) * 4096, low=0)


CASES = [
    ram("for comparison", "good", GOOD_MAP),
    ram("an empty range", "empty", GOOD_MAP + [(0x5000000, 0, RESERVED)], EMPTY % 1),
    ram("many empty ranges are one line", "empty_200", [(i << 20, 0, USABLE) for i in range(200)]
        + GOOD_MAP, EMPTY % 200),
    ram("a range that wraps around", "wraps", GOOD_MAP + [(ALL - 0xFFF, 0x2000, RESERVED)],
        WRAPS % (1, ALL - 0xFFF)),
    ram("a usable range that wraps around to all memory", "wraps_to_all",
        GOOD_MAP + [(0x8000000, ALL, USABLE)], WRAPS % (1, 0x8000000)),
    ram("reserved to the last byte of the address space", "reserved_to_top",
        GOOD_MAP + [(ALL - 0xFFF, 0x1000, RESERVED)]),
    ram("usable to the last byte: beyond what can be mapped", "usable_to_top",
        GOOD_MAP + [(ALL - 0xFFFF, 0x10000, USABLE)], BEYOND % 63, lost=0xFFFF),
    ram("usable and reserved: reserved wins", "usable_and_reserved",
        GOOD_MAP + [(0x2000000, 0x100000, RESERVED)], BOTH % 0x100000,
        ranges=[(0x300000, 0x2000000, 0), (0x2100000, TOP, 0)]),
    ram("reserved first, usable behind it: reserved wins", "reserved_and_usable",
        [(0x2000000, 0x100000, RESERVED)] + GOOD_MAP, BOTH % 0x100000,
        ranges=[(0x300000, 0x2000000, 0), (0x2100000, TOP, 0)]),
    ram("one reserved byte takes its page", "reserved_byte",
        GOOD_MAP + [(0x2000800, 1, RESERVED)], BOTH % 1,
        ranges=[(0x300000, 0x2000000, 0), (0x2001000, TOP, 0)]),
    ram("ACPI tables are not usable", "type_acpi", GOOD_MAP + [(0x2000000, 4096, ACPI)],
        BOTH % 4096, ranges=[(0x300000, 0x2000000, 0), (0x2001000, TOP, 0)]),
    ram("ACPI non-volatile storage is not usable", "type_nvs", GOOD_MAP + [(0x2000000, 4096, NVS)],
        BOTH % 4096, ranges=[(0x300000, 0x2000000, 0), (0x2001000, TOP, 0)]),
    ram("bad memory is not usable", "type_bad", GOOD_MAP + [(0x2000000, 4096, BAD)], BOTH % 4096,
        ranges=[(0x300000, 0x2000000, 0), (0x2001000, TOP, 0)]),
    ram("type 0 is not usable", "type_0", GOOD_MAP + [(0x2000000, 4096, 0)], BOTH % 4096,
        ranges=[(0x300000, 0x2000000, 0), (0x2001000, TOP, 0)]),
    ram("a type that nobody knows is not usable", "type_max",
        GOOD_MAP + [(0x2000000, 4096, 0xFFFFFFFF)], BOTH % 4096,
        ranges=[(0x300000, 0x2000000, 0), (0x2001000, TOP, 0)]),
    ram("in descending order", "descending", list(reversed(GOOD_MAP))),
    ram("in no order", "shuffled", [GOOD_MAP[i] for i in (3, 0, 4, 1, 2)]),
    ram("every range twice", "each_twice", GOOD_MAP * 2),
    ram("usable ranges that overlap", "usable_overlap",
        [LOW, (0x100000, 0x3000000, USABLE), (0x2000000, 0x2000000, USABLE)],
        ranges=[(0x300000, 0x4000000, 0)]),
    ram("neighbours become one range", "neighbours",
        [LOW] + [(0x100000 * i, 0x100000, USABLE) for i in range(1, 64)],
        ranges=[(0x300000, 0x4000000, 0)]),
    ram("neighbours in descending order become one range", "neighbours_descending",
        [(0x100000 * i, 0x100000, USABLE) for i in reversed(range(1, 64))] + [LOW],
        ranges=[(0x300000, 0x4000000, 0)]),
    ram("borders inside of pages: only whole pages", "borders_in_pages",
        [LOW, (0x300001, 0x100000, USABLE), (0x500FFF, 0x100002, USABLE)],
        ranges=[(0x301000, 0x400000, 0), (0x501000, 0x601000, 0)]),
    ram("less than a page, twice: together a page", "page_in_halves",
        [LOW, (0x500000, 0x800, USABLE), (0x500800, 0x800, USABLE)],
        ranges=[(0x500000, 0x501000, 0)]),
    ram("less than a page is no page", "less_than_a_page", [LOW, MAIN, (0x9000000, 0xFFF, USABLE)]),
    ram("a page's worth across two pages", "page_across_pages",
        [LOW, MAIN, (0x9000800, 0x1000, USABLE)]),
    ram("a single page", "one_page", [LOW, (0x500000, 0x1000, USABLE)],
        ranges=[(0x500000, 0x501000, 0)]),
    ram("ends at 4 GiB: nothing is cut off", "ends_at_4g",
        [LOW, (0x100000, (1 << 32) - 0x100000, USABLE)], ranges=[(0x300000, 1 << 32, 0)]),
    ram("starts at 4 GiB", "starts_at_4g", [LOW, MAIN, (1 << 32, 1 << 30, USABLE)],
        ranges=GOOD_RANGES + [(1 << 32, 5 << 30, 0)]),
    ram("across 4 GiB", "across_4g", [LOW, (0xF0000000, 0x20000000, USABLE)],
        ranges=[(0xF0000000, 0x110000000, 0)]),
    ram("two ranges that meet at 4 GiB", "meet_at_4g",
        [LOW, (0xF0000000, 0x10000000, USABLE), (1 << 32, 0x10000000, USABLE)],
        ranges=[(0xF0000000, 0x110000000, 0)]),
    ram("the last page below 4 GiB", "last_page_below_4g",
        [LOW, MAIN, (0xFFFFF000, 0x1000, USABLE)], ranges=GOOD_RANGES + [(0xFFFFF000, 1 << 32, 0)]),
    ram("ends where the direct map does", "ends_at_64t", [LOW, (LIMIT - 0x10000, 0x10000, USABLE)],
        ranges=[(LIMIT - 0x10000, LIMIT, 0)]),
    ram("across the end of the direct map", "across_64t",
        [LOW, (LIMIT - 0x10000, 0x30000, USABLE)], BEYOND % 128,
        ranges=[(LIMIT - 0x10000, LIMIT, 0)], lost=0x20000),
    ram("behind the end of the direct map", "above_64t", [LOW, MAIN, (70 * TIB, TIB, USABLE)],
        BEYOND % (TIB >> 10), lost=TIB),
    ram("all of the address space is usable", "all_usable", [(0, ALL, USABLE)],
        BEYOND % ((ALL - LIMIT) >> 10), ranges=[(0x300000, LIMIT, 0)], low=0x9F000,
        lost=ALL - LIMIT),
    nothing("no usable range", "all_reserved", [(0, 1 << 30, RESERVED)]),
    nothing("usable, and then reserved as a whole", "all_usable_all_reserved",
            [(0, 1 << 30, USABLE), (0, 1 << 30, RESERVED)], BOTH % (1 << 30)),
    nothing("only the low megabyte", "low_only", [LOW]),
    nothing("only what the image takes", "image_only", [LOW, (0x100000, 0x200000, USABLE)]),
    nothing("only empty ranges", "all_empty", [(0x100000, 0, USABLE)] * 3, EMPTY % 3),
    nothing("only ranges that wrap around", "all_wrap", [(0x100000, ALL, USABLE)],
            WRAPS % (1, 0x100000)),
    nothing("only beyond the direct map", "all_above_64t", [(65 * TIB, TIB, USABLE)],
            BEYOND % (TIB >> 10)),
    ram("the image lies where the map says nothing", "image_in_hole",
        [LOW, (0x1000000, 0x1000000, USABLE)], ranges=[(0x1000000, 0x2000000, 0)]),
    ram("the image lies where the map says reserved", "image_reserved",
        [LOW, (0x100000, 0x200000, RESERVED), (0x300000, 0x1000000, USABLE)],
        ranges=[(0x300000, 0x1300000, 0)]),
    ram("the image's end lies inside of a range", "image_end_in_range",
        [LOW, (0x2FF000, 0x2000, USABLE)], ranges=[(0x300000, 0x301000, 0)]),
    ram("no memory below 1 MiB: no page for CPUs to start in", "low_none", [MAIN], low=0),
    ram("below 1 MiB only page 0, which holds the BIOS's data", "low_page_0",
        [(0, 0x1000, USABLE), MAIN], low=0),
    ram("below 1 MiB only the reserved start-up vectors", "low_vectors",
        [(0xA0000, 0x20000, USABLE), MAIN], low=0),
    ram("below 1 MiB only page 1", "low_page_1", [(0, 0x2000, USABLE), MAIN], low=0x1000),
    ram("low memory up to 640 KiB", "low_640k", [(0, 0xA0000, USABLE), MAIN], low=0x9F000),
    ram("a large EBDA", "low_512k", [(0, 0x80000, USABLE), (0x80000, 0x20000, RESERVED), MAIN],
        low=0x7F000),
    ram("low memory with a hole", "low_hole",
        [(0, 0x10000, USABLE), (0x90800, 0xF000, USABLE), MAIN], low=0x9E000),
    ram("low memory, all of it also reserved", "low_all_reserved",
        [LOW, (0, 0xA0000, RESERVED), MAIN], BOTH % 0x9FC00, low=0),
    ram("300 usable ranges: the largest 256", "usable_300", [LOW] + stripes(300, pages=1),
        "memory map: more than 256 usable ranges, 176 KiB lost", ranges=striped(256),
        lost=44 * 4096),
    ram("300 small usable ranges and a large one at the end", "usable_300_and_large",
        [LOW] + stripes(300) + [(0x10000000, 0x1000000, USABLE)],
        "memory map: more than 256 usable ranges, 180 KiB lost",
        ranges=striped(256)[1:] + [(0x10000000, 0x11000000, 0)], lost=45 * 4096),
    raw_1100(),
    raw_reserved_last(),
]
