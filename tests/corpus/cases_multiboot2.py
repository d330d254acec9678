# SPDX-License-Identifier: BSD-2-Clause
"""What a Multiboot2 loader passes: tags."""

from machine import *

NO_INFO = "multiboot2: no information of a sensible size at %#x"
STOPS = "multiboot2: tag %d at %d has size %d: the rest is ignored"
SHORT = "multiboot2: tag %d of %d bytes is too short"
NO_END = "multiboot2: no end tag in %d bytes"
ENTRIES = "multiboot2: memory map refused: entries of %d bytes"
NO_MAP = "multiboot2: no memory map"
BASIC = NO_MAP + ", using the basic figures"
NOT_ONE = "memory map: not one usable page"
UNUSED = "multiboot2: framebuffer %dx%d, %d bits, type %d: unused"
CUT = "multiboot2: %s of %d bytes cut to %d"

MAP = mb_mmap(GOOD_MAP)
FEW = [(0, 0x9FC00, USABLE), (0x100000, 0x4000000, USABLE)]
FEW_RANGES = [(0x300000, 0x4100000, 0)]


def tags(why, name, tags, *log, end=True, total=None, **outcome):
    made = machine(info=multiboot2(*tags, end=end, total=total))
    return Case(name, why, made, **{"log": list(log), **outcome})


def extra(why, name, more, *log, **outcome):
    """The usual tags, and further ones."""
    return tags(why, name, [mb_loader(), MAP] + list(more), *log, **outcome)


def no_info(why, name, info, **outcome):
    return Case(name, why, machine(info=info, **outcome), boots="no", log=[NO_INFO % INFO])


def no_memory(*log):
    return dict(boots="no", log=list(log) + [NOT_ONE])


def screen(why, name, tag_, *log, screen=None, **outcome):
    return extra(why, name, [tag_], *log, screen=screen, **outcome)


def entry_size(size):
    return tags("memory map entries of %d bytes" % size, "mmap_entry_size_%d" % size,
                [patch(MAP, 8, u32(size))], **no_memory(ENTRIES % size, NO_MAP))


GOOD = multiboot2(mb_loader(), MAP)
LOADER_BYTES = 8 + len(mb_loader())
LONG = "x=" + "y" * 4998

CASES = [
    Case("magic_unknown", "a loader that nobody knows", machine(magic=0x2BADB002), boots="no",
         log=["boot: magic 0x2badb002 is of no loader that is known"]),
    Case("magic_zero", "no magic", machine(magic=0), boots="no",
         log=["boot: magic 0 is of no loader that is known"]),
    Case("pointer_zero", "no information", machine(info_at=0), boots="no",
         log=["multiboot2: no information of a sensible size at 0"]),
    Case("pointer_nowhere", "information where no memory is", machine(info_at=NOWHERE), boots="no",
         log=[NO_INFO % NOWHERE]),
    Case("pointer_above_4g", "information out of reach", machine(info_at=1 << 32), boots="no",
         log=[NO_INFO % (1 << 32)]),
    no_info("a total size of 0", "total_0", multiboot2(MAP, total=0)),
    no_info("a total size of 8", "total_8", multiboot2(MAP, total=8)),
    no_info("a total size that has no room for the end tag", "total_15", multiboot2(MAP, total=15)),
    no_info("a total size of 4 GiB", "total_4g", multiboot2(MAP, total=0xFFFFFFFF)),
    no_info("one byte more than is believed", "total_1m_and_1", multiboot2(MAP, total=2**20 + 1)),
    no_info("one byte more than memory has", "total_past_memory",
            multiboot2(MAP, total=len(multiboot2(MAP)) + 1)),
    tags("the total size ends in the first tag", "total_cuts_first_tag", [mb_loader(), MAP],
         total=20, **no_memory(STOPS % (2, 8, 18), NO_MAP)),
    tags("the total size ends in the memory map", "total_cuts_mmap", [mb_loader(), MAP],
         total=LOADER_BYTES + 40,
         **no_memory(STOPS % (6, LOADER_BYTES, 16 + 24 * len(GOOD_MAP)), NO_MAP)),
    tags("the total size leaves the end tag out", "total_without_end", [mb_loader(), MAP],
         NO_END % (len(GOOD) - 8), total=len(GOOD) - 8),
    tags("the total size ends inside of the end tag", "total_cuts_end", [mb_loader(), MAP],
         NO_END % (len(GOOD) - 4), total=len(GOOD) - 4),
    tags("no end tag", "no_end", [mb_loader(), MAP], NO_END % (len(GOOD) - 8), end=False),
    tags("no tags", "no_tags", [], **no_memory(NO_MAP)),
    tags("tags behind the end tag are not read", "tags_behind_end", [MAP, MB_END, mb_cmdline("a")]),
    tags("a tag of size 0 before the memory map", "size_0_first", [tag(2, size=0), MAP],
         **no_memory(STOPS % (2, 8, 0), NO_MAP)),
    tags("a tag of size 0 behind the memory map", "size_0_last", [MAP, tag(2, size=0)],
         STOPS % (2, 8 + len(MAP), 0)),
    tags("a tag of size 7", "size_7", [MAP, tag(2, size=7)], STOPS % (2, 8 + len(MAP), 7)),
    tags("a tag of size 8 is one without contents", "size_8", [MAP, tag(2), tag(1), tag(21)],
         cmdline=None),
    tags("a tag that passes the end", "size_past_end", [MAP, tag(1, b"abcdefgh", size=33)],
         STOPS % (1, 8 + len(MAP), 33)),
    tags("a tag of 4 GiB", "size_4g", [MAP, tag(1, b"abcdefgh", size=0xFFFFFFFF)],
         STOPS % (1, 8 + len(MAP), 0xFFFFFFFF)),
    tags("types that nobody knows", "type_unknown",
         [tag(99, b"abc"), MAP, tag(0xFFFFFFFF, b"defg"), tag(21, u32(0x100000))]),
    entry_size(0), entry_size(8), entry_size(23), entry_size(25), entry_size(1032),
    entry_size(0xFFFFFFF8),
    tags("memory map entries of 32 bytes, of which 24 are known", "mmap_entry_size_32",
         [mb_mmap(GOOD_MAP, entry_size=32)]),
    tags("memory map entries of 1024 bytes", "mmap_entry_size_1024",
         [mb_mmap(GOOD_MAP, entry_size=1024)]),
    tags("a memory map without entries", "mmap_empty", [mb_mmap([])], **no_memory(NO_MAP)),
    tags("a memory map of 12 bytes", "mmap_too_short", [tag(6, u32(24))],
         **no_memory(SHORT % (6, 12), NO_MAP)),
    tags("a memory map that ends inside of an entry", "mmap_half_entry",
         [mb_mmap(GOOD_MAP, tail=bytes(20))], "multiboot2: memory map ends inside an entry"),
    tags("two memory maps are one", "mmap_twice", [mb_mmap(GOOD_MAP[:3]), mb_mmap(GOOD_MAP[3:])]),
    tags("a refused memory map, then a good one", "mmap_refused_then_good",
         [patch(MAP, 8, u32(7)), MAP], ENTRIES % 7),
    tags("no memory map, but the basic figures", "meminfo_only", [mb_meminfo(639, 65536)], BASIC,
         ranges=FEW_RANGES, low=0x9E000),
    tags("basic figures beside a memory map are not needed", "meminfo_and_mmap",
         [mb_meminfo(1, 1), MAP]),
    tags("basic figures of 12 bytes", "meminfo_too_short", [tag(4, u32(639))],
         **no_memory(SHORT % (4, 12), NO_MAP)),
    tags("basic figures of 0", "meminfo_zero", [mb_meminfo(0, 0)],
         **no_memory(BASIC, "memory map: 2 empty ranges skipped")),
    tags("the largest basic figures", "meminfo_max", [mb_meminfo(0xFFFFFFFF, 0xFFFFFFFF)], BASIC,
         ranges=[(0x300000, 0x400000FF000 + 0xC00 - 0xC00, 0)], low=0x9F000),
    extra("an empty command line", "cmdline_empty", [mb_cmdline("")]),
    extra("a command line without an end", "cmdline_unterminated", [tag(1, b"quiet")],
          cmdline="quiet", options="quiet"),
    extra("a command line of no bytes", "cmdline_no_bytes", [tag(1)]),
    extra("two command lines: the last", "cmdline_twice", [mb_cmdline("quiet"),
                                                           mb_cmdline("panic=exit")],
          cmdline="panic=exit", options="panic=exit"),
    extra("a command line of 5000 bytes", "cmdline_5000", [mb_cmdline(LONG)],
          CUT % ("command line", 5000, 2047), 'unknown option "%s" ignored' % LONG[:60],
          cmdline=LONG[:2047], options=""),
    tags("a loader's name of 500 bytes", "loader_500", [mb_loader("G" * 500), MAP],
         CUT % ("loader name", 500, 63)),
    tags("no loader's name", "loader_missing", [MAP]),
    extra("a module", "module", [mb_module(0x400000, 0x500800, "one")],
          modules=[(0x400000, 0x500800, "one")],
          ranges=[(0x300000, 0x400000, 0), (0x501000, TOP, 0)]),
    extra("a module that ends before it starts", "module_backwards", [mb_module(0x500000, 0x400000)],
          "module: ends at 0x400000, before it starts at 0x500000: ignored"),
    extra("an empty module", "module_empty", [mb_module(0x500000, 0x500000)]),
    extra("a module of 12 bytes", "module_too_short", [tag(3, u32(0x400000))], SHORT % (3, 12)),
    extra("a module's name without an end", "module_name_unterminated",
          [tag(3, u32(0x400000, 0x401000) + b"ab")], modules=[(0x400000, 0x401000, "ab")],
          ranges=[(0x300000, 0x400000, 0), (0x401000, TOP, 0)]),
    extra("a module's name that is too long", "module_name_200",
          [mb_module(0x400000, 0x401000, "n" * 200)], modules=[(0x400000, 0x401000, "n" * 63)],
          ranges=[(0x300000, 0x400000, 0), (0x401000, TOP, 0)]),
    extra("a module outside of RAM", "module_outside_ram", [mb_module(0xE0000000, 0xE0100000, "far")],
          modules=[(0xE0000000, 0xE0100000, "far")]),
    extra("a module over the kernel image", "module_over_image",
          [mb_module(0x200000, 0x380000, "over")], modules=[(0x200000, 0x380000, "over")],
          ranges=[(0x380000, TOP, 0)]),
    extra("a module that takes all memory", "module_takes_all", [mb_module(0, 0xFFFFFFFF, "all")],
          **no_memory()),
    extra("20 modules: those that are not listed are kept all the same", "modules_20",
          [mb_module(0x400000 + i * 0x2000, 0x401000 + i * 0x2000, "m%d" % i) for i in range(20)],
          *["module: more than 16, one at %#x is kept but not listed" % (0x400000 + i * 0x2000)
            for i in range(16, 20)], "memory map: 16384 bytes both usable and reserved: reserved",
          modules=[(0x400000 + i * 0x2000, 0x401000 + i * 0x2000, "m%d" % i) for i in range(16)],
          ranges=[(0x300000, 0x400000, 0)] + [(0x401000 + i * 0x2000, 0x402000 + i * 0x2000, 0)
                                              for i in range(19)] + [(0x427000, TOP, 0)]),
    extra("100 bad modules: 32 of them are logged", "modules_100_backwards",
          [mb_module(0x500000, 0x400000)] * 100,
          *["module: ends at 0x400000, before it starts at 0x500000: ignored"] * 32),
    screen("a screen", "screen", mb_framebuffer(), screen="rgb 1024x768x32"),
    screen("a screen of text", "screen_text", mb_framebuffer(0xB8000, 160, 80, 25, 16, 2, ()),
           screen="text 80x25x16"),
    screen("a screen with colours by number", "screen_indexed", mb_framebuffer(kind=0),
           UNUSED % (1024, 768, 32, 0)),
    screen("a screen of an unknown kind", "screen_kind_7", mb_framebuffer(kind=7),
           UNUSED % (1024, 768, 32, 7)),
    screen("a screen at 0", "screen_at_0", mb_framebuffer(base=0), UNUSED % (1024, 768, 32, 1)),
    screen("a screen without width", "screen_width_0", mb_framebuffer(width=0),
           UNUSED % (0, 768, 32, 1)),
    screen("a screen without height", "screen_height_0", mb_framebuffer(height=0),
           UNUSED % (1024, 0, 32, 1)),
    screen("lines wider than the distance between them", "screen_pitch_short",
           mb_framebuffer(pitch=4095), UNUSED % (1024, 768, 32, 1)),
    screen("a screen that wraps around", "screen_wraps", mb_framebuffer(base=2**64 - 4096),
           UNUSED % (1024, 768, 32, 1)),
    screen("8 bits a pixel", "screen_8_bits", mb_framebuffer(bpp=8), UNUSED % (1024, 768, 8, 1)),
    screen("colours beyond the pixel", "screen_colour_outside",
           mb_framebuffer(fields=(30, 8, 8, 8, 0, 8)), UNUSED % (1024, 768, 32, 1)),
    screen("a colour without bits", "screen_colour_none",
           mb_framebuffer(fields=(16, 8, 8, 0, 0, 8)), UNUSED % (1024, 768, 32, 1)),
    screen("a screen without its colours", "screen_no_colours", mb_framebuffer(fields=()),
           UNUSED % (1024, 768, 32, 1)),
    screen("a screen's tag of 31 bytes", "screen_too_short", mb_framebuffer(fields=(), size=31),
           SHORT % (8, 31)),
    screen("a screen in usable memory is kept", "screen_in_ram",
           mb_framebuffer(base=0x1000000, pitch=4096, width=1024, height=16),
           screen="rgb 1024x16x32", ranges=[(0x300000, 0x1000000, 0), (0x1010000, TOP, 0)]),
    extra("tags of UEFI, whole and cut", "efi",
          [tag(12, u64(0x7000000)), tag(11, u32(5)), tag(17), tag(18), tag(12, u32(1)), tag(11)],
          SHORT % (12, 12), SHORT % (11, 8)),
]
