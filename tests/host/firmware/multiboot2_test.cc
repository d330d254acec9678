// SPDX-License-Identifier: BSD-2-Clause
#include "arch/x86_64/firmware/multiboot2.h"

#include <algorithm>
#include <memory>

#include "tests/host/firmware/firmware_image.h"
#include "gtest/gtest.h"

namespace
{

using firmware::Bytes;
using firmware::Report;

// Boot information that is built tag by tag.
class Info
{
      public:
	Info &tag(uint32_t type, const std::vector<uint8_t> &body)
	{
		b.align(8).u32(type).u32(8 + body.size()).add(body);
		return *this;
	}
	Info &tag(uint32_t type, const std::string &body)
	{
		return tag(type, std::vector<uint8_t>(body.begin(), body.end()));
	}
	Info &bytes(const std::vector<uint8_t> &raw_bytes)
	{
		b.align(8).add(raw_bytes);
		return *this;
	}

	std::vector<uint8_t> end()
	{
		tag(0, std::string());
		return unfinished();
	}
	std::vector<uint8_t> unfinished()
	{
		Bytes copy = b;

		copy.set32(0, uint32_t(copy.data.size()));
		return copy.data;
	}

      private:
	Bytes b = Bytes().zeros(8);
};

struct Range {
	uint64_t start, length;
	uint32_t type;
};

std::vector<uint8_t> mmap_tag(const std::vector<Range> &ranges, uint32_t entry_size = 24)
{
	Bytes b;

	b.u32(entry_size).u32(0);
	for (const Range &r : ranges) {
		b.u64(r.start).u64(r.length).u32(r.type).u32(0);
		b.zeros(entry_size > 24 && entry_size < 1000 ? entry_size - 24 : 0);
	}
	return b.data;
}

struct Parsed {
	explicit Parsed(const std::vector<uint8_t> &info) : raw(std::make_unique<boot_raw>())
	{
		good = multiboot2_parse(info.data(), info.size(), raw.get(), report);
	}

	std::unique_ptr<boot_raw> raw;
	Report report;
	bool good;
};

const std::vector<Range> PC = {
    {0, 0x9fc00, RAW_USABLE}, {0x9fc00, 0x400, RAW_RESERVED}, {0x100000, 0x7ee0000, RAW_USABLE}};

TEST(Multiboot2, ReadsWhatGrubPasses)
{
	Info info;

	info.tag(1, std::string("smp=4 verbose\0", 14))
	    .tag(2, std::string("GRUB 2.06\0", 10))
	    .tag(6, mmap_tag(PC))
	    .tag(3, Bytes().u32(0x200000).u32(0x201800).text(std::string("disk\0", 5)).data);
	Parsed p(info.end());

	EXPECT_TRUE(p.good);
	EXPECT_STREQ(p.raw->cmdline, "smp=4 verbose");
	EXPECT_STREQ(p.raw->loader, "GRUB 2.06");
	ASSERT_EQ(p.raw->map.count, 3u);
	EXPECT_EQ(p.raw->map.ranges[2].start, 0x100000u);
	EXPECT_EQ(p.raw->map.ranges[2].length, 0x7ee0000u);
	EXPECT_EQ(p.raw->map.ranges[1].type, unsigned{RAW_RESERVED});
	ASSERT_EQ(p.raw->module_count, 1u);
	EXPECT_EQ(p.raw->modules[0].end, 0x201800u);
	EXPECT_STREQ(p.raw->modules[0].name, "disk");
	EXPECT_FALSE(p.raw->efi);
	EXPECT_EQ(p.report.count(), 0u) << p.report.all();
}

TEST(Multiboot2, LargerEntriesAreReadByTheirStatedSize)
{
	Parsed p(Info().tag(6, mmap_tag(PC, 40)).end());

	ASSERT_EQ(p.raw->map.count, 3u);
	EXPECT_EQ(p.raw->map.ranges[2].start, 0x100000u);
}

TEST(Multiboot2, AbsurdEntrySizesRefuseTheMapWithAMessage)
{
	for (uint32_t size : {0u, 1u, 8u, 20u, 23u, 25u, 28u, 1032u, 0x80000000u, 0xfffffff8u}) {
		Parsed p(Info().tag(6, mmap_tag(PC, size)).end());

		EXPECT_TRUE(p.good);
		EXPECT_EQ(p.raw->map.count, 0u) << size;
		EXPECT_EQ(p.report.with("memory map refused"), 1u) << size;
	}
}

TEST(Multiboot2, WithoutAMapTheBasicFiguresServe)
{
	Parsed p(Info().tag(4, Bytes().u32(639).u32(64512).data).end());

	ASSERT_EQ(p.raw->map.count, 2u);
	EXPECT_EQ(p.raw->map.ranges[0].length, 639u * 1024);
	EXPECT_EQ(p.raw->map.ranges[1].start, 0x100000u);
	EXPECT_EQ(p.raw->map.ranges[1].length, 64512u * 1024);
	EXPECT_EQ(p.report.with("no memory map, using the basic figures"), 1u);
}

TEST(Multiboot2, AMapThatEndsInsideAnEntryKeepsTheWholeOnes)
{
	std::vector<uint8_t> body = mmap_tag(PC);

	body.resize(body.size() - 3);
	Parsed p(Info().tag(6, body).end());

	EXPECT_EQ(p.raw->map.count, 2u);
	EXPECT_EQ(p.report.with("inside an entry"), 1u);
}

TEST(Multiboot2, ATagOfSizeZeroStopsAndKeepsWhatWasRead)
{
	for (uint32_t size : {0u, 1u, 7u}) {
		Info info;

		info.tag(1, std::string("a=1\0", 4)).bytes(Bytes().u32(2).u32(size).data);
		Parsed p(info.tag(2, std::string("late\0", 5)).end());

		EXPECT_TRUE(p.good);
		EXPECT_STREQ(p.raw->cmdline, "a=1");
		EXPECT_STREQ(p.raw->loader, "");
		EXPECT_EQ(p.report.with("the rest is ignored"), 1u) << p.report.all();
	}
}

TEST(Multiboot2, ATagPastTheEndStopsAndKeepsWhatWasRead)
{
	for (uint32_t size : {64u, 0x7fffffffu, 0xffffffffu, 0xfffffff9u}) {
		Info info;

		info.tag(1, std::string("a=1\0", 4)).bytes(Bytes().u32(2).u32(size).data);
		Parsed p(info.end());

		EXPECT_STREQ(p.raw->cmdline, "a=1");
		EXPECT_EQ(p.report.with("the rest is ignored"), 1u) << size;
	}
}

TEST(Multiboot2, AMissingEndTagIsReported)
{
	Parsed p(Info().tag(1, std::string("a=1\0", 4)).tag(6, mmap_tag(PC)).unfinished());

	EXPECT_STREQ(p.raw->cmdline, "a=1");
	EXPECT_EQ(p.raw->map.count, 3u);
	EXPECT_EQ(p.report.with("no end tag"), 1u) << p.report.all();
}

TEST(Multiboot2, StringsWithoutAnEndAreBoundedByTheirTag)
{
	Parsed p(Info().tag(1, "abc").tag(2, "xyz").end());

	EXPECT_STREQ(p.raw->cmdline, "abc");
	EXPECT_STREQ(p.raw->loader, "xyz");
}

TEST(Multiboot2, ALongCommandLineIsCutAndReported)
{
	Parsed p(Info().tag(1, std::string(5000, 'x')).end());

	EXPECT_EQ(strlen(p.raw->cmdline), size_t{BOOT_CMDLINE_MAX - 1});
	EXPECT_EQ(p.report.with("command line of 5000 bytes cut"), 1u) << p.report.all();
}

TEST(Multiboot2, TagsTooShortForTheirFieldsAreSkipped)
{
	for (uint32_t type : {3u, 4u, 6u, 8u, 11u, 12u})
		for (size_t len = 0; len < (type == 8 ? 24u : type == 11 ? 4u : 8u); len++) {
			Parsed p(Info().tag(type, std::string(len, 'x')).tag(1, "ok").end());

			EXPECT_STREQ(p.raw->cmdline, "ok");
			EXPECT_EQ(p.report.with("too short"), 1u) << type << ' ' << len;
		}
}

TEST(Multiboot2, UnknownTagsAreIgnored)
{
	Parsed p(
	    Info().tag(77, "whatever").tag(0xffffffff, "").tag(1, "ok").tag(6, mmap_tag(PC)).end());

	EXPECT_STREQ(p.raw->cmdline, "ok");
	EXPECT_EQ(p.report.count(), 0u) << p.report.all();
}

TEST(Multiboot2, NoInformationAtAll)
{
	EXPECT_FALSE(Parsed({}).good);
	EXPECT_FALSE(Parsed(std::vector<uint8_t>(8)).good);
	EXPECT_FALSE(Parsed(std::vector<uint8_t>(64)).good);
	EXPECT_FALSE(Parsed(Bytes().u32(0xffffffff).zeros(60).data).good);
}

TEST(Multiboot2, AnEndTagAloneIsInformation)
{
	Parsed p(Info().end());

	EXPECT_TRUE(p.good);
	EXPECT_EQ(p.raw->map.count, 0u);
	EXPECT_EQ(p.report.count(), 1u) << p.report.all(); // no memory map
}

TEST(Multiboot2, AStatedSizeBeyondWhatIsThereReadsWhatIsThere)
{
	std::vector<uint8_t> info = Info().tag(1, "abc").end();

	info[0] = 0xff;
	info[1] = 0x0f;
	Parsed p(info);
	EXPECT_TRUE(p.good);
	EXPECT_STREQ(p.raw->cmdline, "abc");
	EXPECT_EQ(p.report.with("bytes stated"), 1u);
}

TEST(Multiboot2, SizeRefusesNonsense)
{
	EXPECT_EQ(multiboot2_size(Bytes().u32(0).u32(0).data.data()), 0u);
	EXPECT_EQ(multiboot2_size(Bytes().u32(15).u32(0).data.data()), 0u);
	EXPECT_EQ(multiboot2_size(Bytes().u32(16).u32(0).data.data()), 16u);
	EXPECT_EQ(multiboot2_size(Bytes().u32(MULTIBOOT2_INFO_MAX).u32(0).data.data()),
		  size_t{MULTIBOOT2_INFO_MAX});
	EXPECT_EQ(multiboot2_size(Bytes().u32(MULTIBOOT2_INFO_MAX + 1).u32(0).data.data()), 0u);
}

TEST(Multiboot2, TheNewerRootPointerIsPreferredInEitherOrder)
{
	const std::string v1(20, '1'), v2(36, '2');

	for (bool newer_first : {false, true}) {
		Info info;

		info.tag(newer_first ? 15 : 14, newer_first ? v2 : v1);
		info.tag(newer_first ? 14 : 15, newer_first ? v1 : v2);
		Parsed p(info.end());
		EXPECT_EQ(p.raw->rsdp_copy_len, 36u);
		EXPECT_EQ(p.raw->rsdp_copy[19], '2');
	}
	EXPECT_EQ(Parsed(Info().tag(14, v1).end()).raw->rsdp_copy_len, 20u);
	EXPECT_EQ(Parsed(Info().tag(15, std::string(99, 'x')).end()).raw->rsdp_copy_len, 36u);
}

TEST(Multiboot2, EfiTagsAreSeen)
{
	Parsed p(Info().tag(12, Bytes().u64(0x123456789a).data).tag(18, "").end());
	Parsed p32(Info().tag(11, Bytes().u32(0x1234).data).end());

	EXPECT_TRUE(p.raw->efi);
	EXPECT_TRUE(p.raw->efi_services);
	EXPECT_EQ(p.raw->efi_system_table, 0x123456789au);
	EXPECT_TRUE(p32.raw->efi);
	EXPECT_FALSE(p32.raw->efi_services);
	EXPECT_EQ(p32.raw->efi_system_table, 0x1234u);
}

std::vector<uint8_t> framebuffer(uint64_t base, uint32_t pitch, uint32_t width, uint32_t height,
				 unsigned bpp, unsigned type)
{
	return Bytes()
	    .u64(base)
	    .u32(pitch)
	    .u32(width)
	    .u32(height)
	    .u8(bpp)
	    .u8(type)
	    .u16(0)
	    .u8(16)
	    .u8(8)
	    .u8(8)
	    .u8(8)
	    .u8(0)
	    .u8(8)
	    .data;
}

TEST(Multiboot2, FramebuffersOfBothKinds)
{
	Parsed rgb(Info().tag(8, framebuffer(0xfd000000, 4096, 1024, 768, 32, 1)).end());
	Parsed text(Info().tag(8, framebuffer(0xb8000, 160, 80, 25, 16, 2)).end());

	std::vector<uint8_t> other_order = framebuffer(0xfd000000, 4096, 1024, 768, 32, 1);
	std::swap_ranges(&other_order[24], &other_order[26], &other_order[26]);
	std::swap_ranges(&other_order[24], &other_order[26], &other_order[28]);
	EXPECT_EQ(Parsed(Info().tag(8, other_order).end()).raw->fb.kind, BOOT_FB_RGB);
	std::vector<uint8_t> top_green = framebuffer(0xfd000000, 4096, 1024, 768, 32, 1);
	top_green[26] = 24;
	EXPECT_EQ(Parsed(Info().tag(8, top_green).end()).raw->fb.kind, BOOT_FB_RGB);
	EXPECT_EQ(rgb.raw->fb.kind, BOOT_FB_RGB);
	EXPECT_EQ(rgb.raw->fb.base, 0xfd000000u);
	EXPECT_EQ(rgb.raw->fb.width, 1024u);
	EXPECT_EQ(rgb.raw->fb.red_shift, 16);
	EXPECT_EQ(rgb.raw->fb.blue_bits, 8);
	EXPECT_EQ(text.raw->fb.kind, BOOT_FB_TEXT);
	EXPECT_EQ(text.raw->fb.height, 25u);
}

TEST(Multiboot2, SenselessFramebuffersAreNotUsed)
{
	const std::vector<std::vector<uint8_t>> bad = {
	    framebuffer(0, 4096, 1024, 768, 32, 1),
	    framebuffer(0xfd000000, 4095, 1024, 768, 32, 1),
	    framebuffer(0xfd000000, 4096, 0, 768, 32, 1),
	    framebuffer(0xfd000000, 4096, 1024, 0, 32, 1),
	    framebuffer(0xfd000000, 4096, 1024, 768, 8, 1),
	    framebuffer(0xfd000000, 4096, 1024, 768, 16, 1),
	    framebuffer(0xfd000000, 4096, 1024, 768, 32, 0),
	    framebuffer(0xfd000000, 4096, 1024, 768, 32, 9),
	    framebuffer(UINT64_MAX - 4096, 4096, 1024, 768, 32, 1),
	    framebuffer(0xfd000000, 4096, 0x40000001, 768, 32, 1),
	    framebuffer(0xb8000, 100, 80, 25, 16, 2),
	};

	for (const auto &fb : bad) {
		Parsed p(Info().tag(8, fb).end());

		EXPECT_EQ(p.raw->fb.kind, BOOT_FB_NONE);
		EXPECT_EQ(p.report.with("framebuffer"), 1u);
	}
	for (size_t field = 24; field < 30; field++) {
		// A shift of 30 moves 8 bits out of the pixel; 0 bits are no colour, 30 are too
		// many.
		for (uint8_t value : {uint8_t{0}, uint8_t{30}}) {
			std::vector<uint8_t> fb = framebuffer(0xfd000000, 4096, 1024, 768, 32, 1);

			fb[24] = fb[26] = fb[28] = 8;
			fb[field] = value;
			EXPECT_EQ(Parsed(Info().tag(8, fb).end()).raw->fb.kind,
				  field % 2 == 0 && value == 0 ? BOOT_FB_RGB : BOOT_FB_NONE)
			    << field;
		}
	}
	std::vector<uint8_t> no_colours = framebuffer(0xfd000000, 4096, 1024, 768, 32, 1);
	no_colours.resize(24);
	EXPECT_EQ(Parsed(Info().tag(8, no_colours).end()).raw->fb.kind, BOOT_FB_NONE);
}

} // namespace
