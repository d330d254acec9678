# SPDX-License-Identifier: BSD-2-Clause
"""What a PVH loader passes."""

from machine import *

START, RANGES, TEXT, MODULES, NAME = 0x20000, 0x21000, 0x22000, 0x23000, 0x24000
MAP = pvh_ranges(GOOD_MAP)
NOT_ONE = "memory map: not one usable page"


def pvh(why, name, *log, info=None, memory=None, at=START, outcome=None, **fields):
    """The good machine started through PVH. `fields` are those of the start information."""
    start = dict(dict(memmap=RANGES, memmap_count=len(GOOD_MAP), rsdp_at=BIOS_RSDP), **fields)
    pieces = {START: pvh_info(**start) if info is None else info, RANGES: MAP, INFO: b""}
    pieces.update(memory or {})
    made = machine(magic=PVH_MAGIC, info_at=at, memory=pieces)
    return Case(name, why, made, **{"log": list(log), **(outcome or {})})


def fails(*log):
    return dict(boots="no", log=list(log))


def no_start(at):
    return fails("pvh: no start information at %#x" % at)


GOOD = pvh_info(RANGES, len(GOOD_MAP), rsdp_at=BIOS_RSDP)
CUT = "pvh: command line at %#x cut to %d bytes"
MISSING = "pvh: no memory map (version %d)"
UNREADABLE = "pvh: %s cannot be read from entry %d on"

CASES = [
    pvh("the good machine, for comparison", "good"),
    pvh("no pointer", "pointer_zero", at=0,
        outcome=fails("pvh: no start information at 0")),
    pvh("a pointer to where no memory is", "pointer_nowhere", at=NOWHERE,
        outcome=no_start(NOWHERE)),
    pvh("memory ends inside of the start information", "info_cut", info=GOOD[:39],
        outcome=no_start(START)),
    pvh("memory ends behind the part of version 0", "info_cut_at_40", info=GOOD[:40],
        outcome=fails(MISSING % 1, NOT_ONE)),
    pvh("another magic", "magic_wrong", magic=0x36D76289,
        outcome=fails("pvh: magic 0x36d76289 at 0x20000 instead of 0x336ec578")),
    pvh("version 0 has no memory map", "version_0", version=0,
        outcome=fails(MISSING % 0, NOT_ONE)),
    pvh("a version that nobody has seen", "version_max", version=0xFFFFFFFF),
    pvh("a memory map of no ranges", "memmap_count_0", memmap_count=0,
        outcome=fails(MISSING % 1, NOT_ONE)),
    pvh("a memory map at 0", "memmap_zero", memmap=0,
        outcome=fails(UNREADABLE % ("memory map", 0), MISSING % 1, NOT_ONE)),
    pvh("a memory map where no memory is", "memmap_nowhere", memmap=NOWHERE,
        outcome=fails(UNREADABLE % ("memory map", 0), MISSING % 1, NOT_ONE)),
    pvh("a memory map at the top of the address space", "memmap_wraps", memmap=2**64 - 24,
        outcome=fails(UNREADABLE % ("memory map", 0), MISSING % 1, NOT_ONE)),
    pvh("more ranges than memory has", "memmap_count_past_memory",
        UNREADABLE % ("memory map", len(GOOD_MAP)), memmap_count=100),
    pvh("4 billion ranges", "memmap_count_max", "pvh: 4294967295 memory ranges, reading 16384",
        UNREADABLE % ("memory map", len(GOOD_MAP)), memmap_count=0xFFFFFFFF),
    pvh("the last range is cut by the end of memory", "memmap_cut",
        UNREADABLE % ("memory map", len(GOOD_MAP) - 1), memory={RANGES: MAP[:-1]}),
    pvh("a root pointer where no memory is: the BIOS has one", "rsdp_nowhere",
        "acpi: root pointer at %#x: no memory there" % NOWHERE, rsdp_at=NOWHERE),
    pvh("no root pointer: the BIOS has one", "rsdp_zero", rsdp_at=0),
    pvh("a root pointer that is none: the BIOS has one", "rsdp_is_text",
        "acpi: root pointer at %#x is damaged" % TEXT, rsdp_at=TEXT, memory={TEXT: bytes(64)}),
    pvh("a damaged root pointer, which is also the BIOS's: tried once", "rsdp_damaged",
        rsdp_at=BIOS_RSDP, memory={BIOS_RSDP: rsdp(2, RSDT, XSDT, sum1=False)},
        outcome=dict(cpus=[0], others=True, timer=0, log=[
            "acpi: root pointer at %#x is damaged" % BIOS_RSDP,
            "acpi: no usable tables (1 root pointers tried)", "no ACPI tables: using one CPU"])),
    pvh("a root pointer of revision 0 in the last bytes of memory", "rsdp_20_bytes",
        rsdp_at=TEXT, memory={TEXT: rsdp(0, RSDT)}),
    pvh("a command line", "cmdline", cmdline=TEXT, memory={TEXT: b"quiet panic=halt\0"},
        outcome=dict(cmdline="quiet panic=halt", options="quiet panic=halt")),
    pvh("a command line where no memory is", "cmdline_nowhere", CUT % (NOWHERE, 0),
        cmdline=NOWHERE),
    pvh("a command line that memory cuts", "cmdline_cut_by_memory", CUT % (TEXT, 5), cmdline=TEXT,
        memory={TEXT: b"quiet"}, outcome=dict(cmdline="quiet", options="quiet")),
    pvh("a command line at the top of the address space", "cmdline_wraps",
        CUT % (2**64 - 1, 0), cmdline=2**64 - 1),
    pvh("a command line of 3000 bytes", "cmdline_3000", CUT % (TEXT, 2047),
        'unknown option "%s" ignored' % ("k" * 60), cmdline=TEXT,
        memory={TEXT: b"k" * 3000 + b"\0"}, outcome=dict(cmdline="k" * 2047, options="")),
    pvh("a module", "module", modules=MODULES, module_count=1,
        memory={MODULES: pvh_module(0x400000, 0x1000, NAME), NAME: b"one\0"},
        outcome=dict(modules=[(0x400000, 0x401000, "one")],
                     ranges=[(0x300000, 0x400000, 0), (0x401000, TOP, 0)])),
    pvh("a module whose name is where no memory is", "module_name_nowhere", modules=MODULES,
        module_count=1, memory={MODULES: pvh_module(0x400000, 0x1000, NOWHERE)},
        outcome=dict(modules=[(0x400000, 0x401000, "")],
                     ranges=[(0x300000, 0x400000, 0), (0x401000, TOP, 0)])),
    pvh("a module that wraps around", "module_wraps",
        "pvh: module at 0xfffffffffffff000 wraps around: ignored", modules=MODULES, module_count=1,
        memory={MODULES: pvh_module(2**64 - 0x1000, 0x2000)}),
    pvh("modules where no memory is", "modules_nowhere", UNREADABLE % ("module list", 0),
        modules=NOWHERE, module_count=3),
    pvh("modules at 0", "modules_zero", UNREADABLE % ("module list", 0), modules=0,
        module_count=3),
    pvh("4 billion modules", "modules_count_max", "pvh: 4294967295 modules, reading 1024",
        UNREADABLE % ("module list", 1), modules=MODULES, module_count=0xFFFFFFFF,
        memory={MODULES: pvh_module(0, 0)}),
]
