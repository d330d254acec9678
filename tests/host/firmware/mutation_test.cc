// SPDX-License-Identifier: BSD-2-Clause
// Good firmware input, damaged at random: whatever comes out, no parser reads outside of what it
// was given (a sanitizer watches) and every result keeps its promises. The seeds are fixed.
#include <algorithm>
#include <functional>
#include <memory>
#include <random>

#include "arch/x86_64/firmware/acpi.h"
#include "arch/x86_64/firmware/fwcfg.h"
#include "arch/x86_64/firmware/madt.h"
#include "arch/x86_64/firmware/memmap.h"
#include "arch/x86_64/firmware/multiboot2.h"
#include "arch/x86_64/firmware/pvh.h"
#include "arch/x86_64/firmware/srat.h"
#include "tests/host/firmware/firmware_image.h"
#include "gtest/gtest.h"

namespace
{

using firmware::acpi_table;
using firmware::Bytes;
using firmware::fix_checksum;
using firmware::Memory;
using firmware::rsdp;

class Mutator
{
      public:
	explicit Mutator(unsigned seed) : random(seed)
	{
	}

	// A copy in an allocation of its exact size, with a few bytes changed or its end cut off.
	std::vector<uint8_t> damage(const std::vector<uint8_t> &good)
	{
		size_t len = random() % 4 == 0 ? random() % (good.size() + 1) : good.size();
		std::vector<uint8_t> bytes(good.begin(), good.begin() + len);

		for (unsigned n = random() % 6; n != 0 && len != 0; n--)
			bytes[random() % len] = byte();
		return bytes;
	}

	uint8_t byte()
	{
		const uint8_t edges[] = {0, 1, 2, 7, 8, 0x7f, 0x80, 0xff};

		return random() % 2 == 0 ? edges[random() % 8] : uint8_t(random());
	}

	std::mt19937 random;
};

std::vector<uint8_t> good_madt()
{
	Bytes b;

	b.u32(0xfee00000).u32(1);
	for (unsigned i = 0; i < 6; i++)
		b.u8(0).u8(8).u8(i).u8(i).u32(1);
	b.u8(1).u8(12).u8(0).u8(0).u32(0xfec00000).u32(0);
	b.u8(2).u8(10).u8(0).u8(0).u32(2).u16(0);
	b.u8(5).u8(12).u16(0).u64(0xfee00000);
	for (unsigned i = 4; i < 8; i++)
		b.u8(9).u8(16).u16(0).u32(i << 6).u32(1).u32(i);
	return acpi_table("APIC", b.data);
}

std::vector<uint8_t> good_srat()
{
	Bytes b;

	b.zeros(12);
	for (unsigned i = 0; i < 4; i++) {
		b.u8(0).u8(16).u8(i).u8(i).u32(1).zeros(8);
		b.u8(2).u8(24).u16(0).u32(i).u32(0x100 + i).u32(1).u64(0);
		b.u8(1).u8(40).u32(i).u16(0).u64(i * 0x40000000ull).u64(0x40000000).u32(0).u32(1);
		b.u64(0);
	}
	return acpi_table("SRAT", b.data);
}

std::vector<uint8_t> good_multiboot2()
{
	Bytes b;

	b.zeros(8).u32(1).u32(14).text("smp=4").u8(0).align(8);
	b.u32(2).u32(13).text("GRUB").u8(0).align(8);
	b.u32(3).u32(18).u32(0x200000).u32(0x300000).text("m").u8(0).align(8);
	b.u32(4).u32(16).u32(639).u32(65536);
	b.u32(6).u32(16 + 3 * 24).u32(24).u32(0);
	b.u64(0).u64(0x9fc00).u32(1).u32(0);
	b.u64(0x9fc00).u64(0x60400).u32(2).u32(0);
	b.u64(0x100000).u64(0x10000000).u32(1).u32(0);
	b.u32(8).u32(38).u64(0xfd000000).u32(4096).u32(1024).u32(768).u8(32).u8(1).u16(0);
	b.u8(16).u8(8).u8(8).u8(8).u8(0).u8(8).align(8);
	b.u32(15).u32(44).add(rsdp(2, 0x1000, 0x2000)).align(8);
	b.u32(12).u32(16).u64(0x7000000);
	b.u32(0).u32(8);
	b.set32(0, uint32_t(b.data.size()));
	return b.data;
}

void check_ranges(const boot_info &info)
{
	uint64_t total = info.kept_bytes + info.lost_bytes;

	for (unsigned i = 0; i < info.range_count; i++) {
		const boot_range &r = info.ranges[i];

		ASSERT_LT(r.start, r.end);
		ASSERT_EQ((r.start | r.end) & PAGE_MASK, 0u);
		ASSERT_LT(r.domain, info.domain_count);
		ASSERT_TRUE(i == 0 || info.ranges[i - 1].end <= r.start);
		total += r.end - r.start;
	}
	ASSERT_EQ(info.ram_bytes, total);
}

void check_raw(const boot_raw &raw)
{
	auto info = std::make_unique<boot_info>();
	memmap_input in = {&raw.map, nullptr, 0, nullptr, 1ull << 46};

	ASSERT_LT(strnlen(raw.cmdline, sizeof(raw.cmdline)), sizeof(raw.cmdline));
	ASSERT_LT(strnlen(raw.loader, sizeof(raw.loader)), sizeof(raw.loader));
	ASSERT_LE(raw.map.count, unsigned{RAW_RANGES_MAX});
	ASSERT_LE(raw.rsdp_copy_len, sizeof(raw.rsdp_copy));
	for (unsigned i = 0; i < raw.module_count; i++)
		ASSERT_LT(raw.modules[i].start, raw.modules[i].end);
	memmap_normalise(&in, info.get(), nullptr);
	check_ranges(*info);
	(void)memmap_find_low(&in, 2);
}

TEST(Mutation, Multiboot2)
{
	Mutator mutator(1);
	const std::vector<uint8_t> good = good_multiboot2();
	auto raw = std::make_unique<boot_raw>();

	for (int i = 0; i < 15000 && !HasFatalFailure(); i++) {
		const std::vector<uint8_t> info = mutator.damage(good);

		multiboot2_parse(info.data(), info.size(), raw.get(), nullptr);
		check_raw(*raw);
	}
}

TEST(Mutation, Pvh)
{
	constexpr uint64_t INFO = 0x1000, LIST = 0x2000, TEXT = 0x3000, MAP = 0x4000;
	Mutator mutator(2);
	auto raw = std::make_unique<boot_raw>();
	Memory memory;
	Bytes info, list, text, map;

	info.u32(PVH_MAGIC).u32(1).u32(0).u32(2).u64(LIST).u64(TEXT).u64(0xf0000).u64(MAP).u32(3);
	info.u32(0);
	for (int i = 0; i < 2; i++)
		list.u64(0x200000).u64(0x1000).u64(TEXT).u64(0);
	text.text("smp=4").u8(0);
	for (int i = 0; i < 3; i++)
		map.u64(i * 0x10000000ull).u64(0x8000000).u32(i % 2 + 1).u32(0);
	for (int i = 0; i < 10000 && !HasFatalFailure(); i++) {
		memory.put(INFO, mutator.damage(info.data));
		memory.put(LIST, mutator.damage(list.data));
		memory.put(TEXT, mutator.damage(text.data));
		memory.put(MAP, mutator.damage(map.data));
		if (pvh_parse(memory.mem(), INFO, raw.get(), nullptr))
			check_raw(*raw);
	}
}

TEST(Mutation, Madt)
{
	Mutator mutator(3);
	const std::vector<uint8_t> good = good_madt();
	auto cpus = std::make_unique<madt_cpus>();

	for (int i = 0; i < 40000; i++) {
		const std::vector<uint8_t> table = mutator.damage(good);

		madt_parse(table.data(), table.size(), cpus.get(), nullptr);
		madt_place_boot_cpu(cpus.get(), mutator.byte());
		ASSERT_GE(cpus->count, 1u);
		ASSERT_LE(cpus->count, MAXCPU);
		std::sort(cpus->apic_ids, cpus->apic_ids + cpus->count);
		ASSERT_EQ(std::unique(cpus->apic_ids, cpus->apic_ids + cpus->count),
			  cpus->apic_ids + cpus->count);
		ASSERT_EQ(cpus->lapic_base & PAGE_MASK, 0u);
	}
}

TEST(Mutation, SratAndMemoryMap)
{
	Mutator mutator(4);
	const std::vector<uint8_t> good = good_srat();
	auto domains = std::make_unique<srat>();
	auto info = std::make_unique<boot_info>();
	auto map = std::make_unique<raw_map>();

	for (int i = 0; i < 20000 && !HasFatalFailure(); i++) {
		const std::vector<uint8_t> table = mutator.damage(good);
		memmap_input in = {map.get(), nullptr, 0, domains.get(), 0};

		srat_parse(table.data(), table.size(), nullptr, domains.get(), nullptr);
		ASSERT_GE(domains->domain_count, 1u);
		ASSERT_LE(domains->domain_count, MAXMEMDOM);
		ASSERT_LT(srat_domain_of_cpu(domains.get(), 0x102), domains->domain_count);
		map->count = 0;
		map->lost_bytes = 0;
		for (int n = 0; n < 6; n++)
			raw_map_add(map.get(), uint64_t{mutator.byte()} << (mutator.random() % 57),
				    uint64_t{mutator.byte()} << (mutator.random() % 57),
				    mutator.random() % 3);
		memmap_normalise(&in, info.get(), nullptr);
		check_ranges(*info);
	}
}

TEST(Mutation, AcpiTables)
{
	Mutator mutator(5);
	auto tables = std::make_unique<acpi_tables>();
	const std::vector<uint8_t> madt = good_madt(), srat_table = good_srat();
	const std::vector<uint8_t> xsdt =
	    acpi_table("XSDT", Bytes().u64(0x3000).u64(0x4000).u64(0x3000).data);
	const std::vector<uint8_t> rsdt = acpi_table("RSDT", Bytes().u32(0x3000).u32(0x4000).data);
	Memory memory;

	for (int i = 0; i < 6000; i++) {
		const std::vector<uint8_t> copy = mutator.damage(rsdp(2, 0x1000, 0x2000));
		acpi_hint hint = {0x5000, copy.data(), copy.size()};

		memory.put(0x1000, mutator.damage(rsdt));
		memory.put(0x2000, mutator.damage(xsdt));
		memory.put(0x3000, mutator.damage(madt));
		memory.put(0x4000, mutator.damage(srat_table));
		memory.put(0x5000, rsdp(0, 0x1000));
		// Damage that the checksum hides gets further.
		for (uint64_t pa : {0x1000, 0x2000, 0x3000, 0x4000})
			if (memory.pieces[pa].size() > 36)
				fix_checksum(memory.pieces[pa], 9, memory.pieces[pa].size());
		acpi_load(memory.mem(), &hint, tables.get(), nullptr);
		ASSERT_LE(tables->count, unsigned{ACPI_TABLES_MAX});
		for (unsigned n = 0; n < tables->count; n++) {
			const ::acpi_table &table = tables->tables[n];
			uint8_t sum = 0;

			ASSERT_GE(table.length, unsigned{ACPI_HEADER});
			for (uint32_t at = 0; at < table.length; at++)
				sum = uint8_t(sum + static_cast<const uint8_t *>(table.data)[at]);
			ASSERT_EQ(sum, 0);
		}
	}
}

TEST(Mutation, Rsdp)
{
	Mutator mutator(6);
	const std::vector<uint8_t> good = rsdp(2, 0x1000, 0x2000);
	acpi_rsdp out;

	for (int i = 0; i < 20000; i++) {
		std::vector<uint8_t> bytes = mutator.damage(good);

		if (bytes.size() >= 20)
			fix_checksum(bytes, 8, 20);
		if (acpi_rsdp_parse(bytes.data(), bytes.size(), &out)) {
			ASSERT_GE(bytes.size(), 20u);
		}
	}
}

TEST(Mutation, FwCfgDirectory)
{
	struct Device {
		std::vector<uint8_t> bytes;
		size_t next;
	} device;
	const fwcfg cfg = {[](void *ctx, uint16_t) { static_cast<Device *>(ctx)->next = 0; },
			   [](void *ctx) -> uint8_t {
				   Device *d = static_cast<Device *>(ctx);

				   return d->next < d->bytes.size() ? d->bytes[d->next++] : 0;
			   },
			   &device};
	Mutator mutator(7);
	Bytes good;

	good.u32(0x01000000).u32(0x10000000).u16(0x2000).u16(0).text(FWCFG_CMDLINE);
	good.zeros(4 + 64 - good.data.size());
	for (int i = 0; i < 3000; i++) {
		char buf[16];
		fwcfg_file file;

		device.bytes = mutator.damage(good.data);
		if (i % 8 != 0 && device.bytes.size() > 4)
			device.bytes[0] = device.bytes[1] = device.bytes[2] = 0;
		if (fwcfg_find(&cfg, FWCFG_CMDLINE, &file, nullptr)) {
			fwcfg_read_string(&cfg, &file, buf, sizeof(buf));
			ASSERT_LT(strnlen(buf, sizeof(buf)), sizeof(buf));
		}
	}
}

} // namespace
