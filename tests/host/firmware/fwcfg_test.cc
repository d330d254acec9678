// SPDX-License-Identifier: BSD-2-Clause
#include "arch/x86_64/firmware/fwcfg.h"

#include <map>
#include <string>
#include <vector>

#include "tests/host/firmware/firmware_image.h"
#include "gtest/gtest.h"

namespace
{

using firmware::Report;

std::string big_endian(uint32_t x, unsigned bytes)
{
	std::string s;

	while (bytes-- != 0)
		s += char(x >> (8 * bytes));
	return s;
}

// The device: items by key, read byte by byte.
class Device
{
      public:
	Device()
	{
		items[FWCFG_KEY_SIGNATURE] = "QEMU";
		items[FWCFG_KEY_DIRECTORY] = big_endian(0, 4);
	}

	void add(std::string name, const std::string &content)
	{
		uint16_t key = uint16_t(0x20 + files);
		std::string &directory = items[FWCFG_KEY_DIRECTORY];

		name.resize(FWCFG_NAME_MAX);
		directory += big_endian(uint32_t(content.size()), 4) + big_endian(key, 2) +
			     big_endian(0, 2) + name;
		directory.replace(0, 4, big_endian(++files, 4));
		items[key] = content;
	}

	const fwcfg *cfg() const
	{
		return &access;
	}

	Device(const Device &) = delete;
	Device &operator=(const Device &) = delete;

	std::map<uint16_t, std::string> items;
	size_t reads = 0;

      private:
	static void select(void *ctx, uint16_t key)
	{
		Device *self = static_cast<Device *>(ctx);

		self->item = self->items[key];
		self->next = 0;
	}

	static uint8_t read(void *ctx)
	{
		Device *self = static_cast<Device *>(ctx);

		self->reads++;
		return self->next < self->item.size() ? uint8_t(self->item[self->next++]) : 0;
	}

	fwcfg access = {select, read, this};
	std::string item;
	size_t next = 0;
	uint32_t files = 0;
};

TEST(Fwcfg, FindsTheFileAmongOthers)
{
	Device device;
	Report report;
	fwcfg_file file;

	device.add("etc/acpi/tables", "xx");
	device.add(FWCFG_CMDLINE, "smp=4");
	EXPECT_TRUE(fwcfg_find(device.cfg(), FWCFG_CMDLINE, &file, report));
	EXPECT_EQ(file.size, 5u);
	EXPECT_EQ(file.key, 0x21);
	EXPECT_FALSE(fwcfg_find(device.cfg(), "opt/quire/other", &file, report));
	EXPECT_EQ(report.count(), 0u);
}

TEST(Fwcfg, ReadsTheCommandLine)
{
	Device device;
	Report report;
	char buf[32];

	device.add(FWCFG_CMDLINE, "run=cpus; audit");
	EXPECT_TRUE(fwcfg_cmdline(device.cfg(), buf, sizeof(buf), report));
	EXPECT_STREQ(buf, "run=cpus; audit");
	EXPECT_EQ(report.count(), 0u);
}

TEST(Fwcfg, NoDeviceIsNoCommandLine)
{
	Device device;
	char buf[32] = "x";

	device.add(FWCFG_CMDLINE, "smp=4");
	device.items[FWCFG_KEY_SIGNATURE] = "\xff\xff\xff\xff";
	EXPECT_FALSE(fwcfg_present(device.cfg()));
	EXPECT_FALSE(fwcfg_cmdline(device.cfg(), buf, sizeof(buf), nullptr));
	EXPECT_STREQ(buf, "");
}

TEST(Fwcfg, NoFileIsNoCommandLine)
{
	Device device;
	char buf[32] = "x";

	EXPECT_FALSE(fwcfg_cmdline(device.cfg(), buf, sizeof(buf), nullptr));
	EXPECT_STREQ(buf, "");
}

TEST(Fwcfg, LongFilesAreCutAndReported)
{
	Device device;
	Report report;
	char buf[6];

	device.add(FWCFG_CMDLINE, "abcdef");
	EXPECT_TRUE(fwcfg_cmdline(device.cfg(), buf, sizeof(buf), report));
	EXPECT_STREQ(buf, "abcde");
	EXPECT_EQ(report.with("cut to 5"), 1u) << report.all();
}

TEST(Fwcfg, AFinalZeroInTheFileIsNotMissed)
{
	Device device;
	Report report;
	char buf[6];

	device.add(FWCFG_CMDLINE, std::string("abcde\0", 6));
	EXPECT_TRUE(fwcfg_cmdline(device.cfg(), buf, sizeof(buf), report));
	EXPECT_STREQ(buf, "abcde");
	EXPECT_EQ(report.count(), 0u) << report.all();
}

TEST(Fwcfg, AnAbsurdSizeReadsNoMoreThanTheBuffer)
{
	Device device;
	Report report;
	char buf[8];
	fwcfg_file file = {UINT32_MAX, 0x20};

	device.items[0x20] = std::string(1000, 'x');
	EXPECT_EQ(fwcfg_read_string(device.cfg(), &file, buf, sizeof(buf)), size_t{UINT32_MAX});
	EXPECT_STREQ(buf, "xxxxxxx");
	EXPECT_LE(device.reads, 8u);
	EXPECT_EQ(fwcfg_read_string(device.cfg(), &file, buf, 1), size_t{UINT32_MAX});
	EXPECT_STREQ(buf, "");
}

TEST(Fwcfg, AnAbsurdDirectoryIsReadWithinBounds)
{
	Device device;
	Report report;
	fwcfg_file file;

	device.items[FWCFG_KEY_DIRECTORY] = big_endian(UINT32_MAX, 4);
	EXPECT_FALSE(fwcfg_find(device.cfg(), FWCFG_CMDLINE, &file, report));
	EXPECT_LE(device.reads, 4u + 64u * FWCFG_FILES_MAX);
	EXPECT_EQ(report.count(), 1u);
}

TEST(Fwcfg, ANameWithoutAnEndIsNoMatch)
{
	Device device;
	fwcfg_file file;

	device.add(std::string(FWCFG_NAME_MAX, 'x'), "");
	EXPECT_FALSE(fwcfg_find(device.cfg(), FWCFG_CMDLINE, &file, nullptr));
	EXPECT_TRUE(
	    fwcfg_find(device.cfg(), std::string(FWCFG_NAME_MAX - 1, 'x').c_str(), &file, nullptr));
}

} // namespace
