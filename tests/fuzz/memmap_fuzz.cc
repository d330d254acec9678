// SPDX-License-Identifier: BSD-2-Clause
// Memory maps, beside a model that asks for every page near a border what its bytes are.
#include <algorithm>
#include <memory>
#include <vector>

#include "arch/x86_64/firmware/memmap.h"
#include "tests/fuzz/fuzz_input.h"

namespace
{

enum : unsigned { RANGES_MAX = 40, KEPT_MAX = 8, DOMAINS_MAX = 6 };

struct Map {
	raw_map raw;
	keep_range keep[KEPT_MAX];
	unsigned kept;
	::srat srat;
	vm_paddr_t limit;
	boot_info out;
};

// What the sources say about one byte.
struct Byte {
	bool usable, reserved, kept;
	uint32_t domain;

	bool operator==(const Byte &other) const
	{
		return usable == other.usable && reserved == other.reserved && kept == other.kept &&
		       domain == other.domain;
	}
};

// Mostly few whole pages, so that ranges meet and overlap.
vm_paddr_t some_address(fuzz::Input &input)
{
	unsigned kind = input.u8();
	vm_paddr_t page = kind < 192 ? input.below(64) << PAGE_SHIFT : input.bytes(6) << 12;

	if ((kind & 15) == 0)
		page += input.below(PAGE_SIZE);
	return kind == 255 ? input.bytes(8) : page;
}

void read_srat(fuzz::Input &input, srat &srat)
{
	vm_paddr_t at = 0;

	srat_init(&srat);
	srat.range_count = unsigned(input.below(DOMAINS_MAX));
	for (unsigned i = 0; i < srat.range_count; i++) {
		srat_range &range = srat.ranges[i];

		range.start = at + some_address(input) % (uint64_t{1} << 50);
		range.end = range.start + 1 + some_address(input) % (uint64_t{1} << 50);
		range.domain = i % 3;
		at = range.end;
	}
	srat.domain_count = std::max(1u, std::min(3u, srat.range_count));
}

void read_map(fuzz::Input &input, Map &map)
{
	unsigned count = unsigned(input.below(RANGES_MAX));

	map.kept = unsigned(input.below(KEPT_MAX));
	map.limit = input.below(2) == 0 ? 0 : some_address(input);
	for (unsigned i = 0; i < map.kept; i++) {
		map.keep[i].start = some_address(input);
		map.keep[i].end = some_address(input);
	}
	read_srat(input, map.srat);
	for (unsigned i = 0; i < count; i++) {
		vm_paddr_t start = some_address(input);
		uint64_t length = some_address(input);

		raw_map_add(&map.raw, start, length, uint32_t(input.below(4)));
	}
}

Byte byte_at(const Map &map, vm_paddr_t pa)
{
	Byte byte = {};

	for (unsigned i = 0; i < map.raw.count; i++) {
		vm_paddr_t end;

		if (!raw_range_end(&map.raw.ranges[i], &end) || pa < map.raw.ranges[i].start ||
		    pa >= end)
			continue;
		(map.raw.ranges[i].type == RAW_USABLE ? byte.usable : byte.reserved) = true;
	}
	for (unsigned i = 0; i < map.kept; i++)
		byte.kept |= pa >= map.keep[i].start && pa < map.keep[i].end;
	byte.kept |= map.limit != 0 && pa >= map.limit;
	// The last range that says something of the byte; they do not overlap.
	byte.domain = srat_domain_of_memory(&map.srat, pa);
	return byte;
}

std::vector<vm_paddr_t> borders(const Map &map)
{
	std::vector<vm_paddr_t> all = {0, map.limit};

	for (unsigned i = 0; i < map.raw.count; i++) {
		vm_paddr_t end;

		if (!raw_range_end(&map.raw.ranges[i], &end))
			continue;
		all.push_back(map.raw.ranges[i].start);
		all.push_back(end);
	}
	for (unsigned i = 0; i < map.kept; i++) {
		all.push_back(map.keep[i].start);
		all.push_back(map.keep[i].end);
	}
	for (unsigned i = 0; i < map.srat.range_count; i++) {
		all.push_back(map.srat.ranges[i].start);
		all.push_back(map.srat.ranges[i].end);
	}
	std::sort(all.begin(), all.end());
	all.erase(std::unique(all.begin(), all.end()), all.end());
	return all;
}

// Whether a page may be handed out: all its bytes are free and alike.
bool page_is_free(const Map &map, const std::vector<vm_paddr_t> &borders, vm_paddr_t page)
{
	Byte first = byte_at(map, page);

	if (page > UINT64_MAX - PAGE_SIZE)
		return false;
	for (vm_paddr_t border : borders)
		if (border > page && border < page + PAGE_SIZE && !(byte_at(map, border) == first))
			return false;
	return first.usable && !first.reserved && !first.kept;
}

const boot_range *range_of(const boot_info &out, vm_paddr_t page)
{
	for (unsigned i = 0; i < out.range_count; i++)
		if (page >= out.ranges[i].start && page < out.ranges[i].end)
			return &out.ranges[i];
	return nullptr;
}

void require_page(const Map &map, const std::vector<vm_paddr_t> &borders, vm_paddr_t page)
{
	const boot_range *range = range_of(map.out, page);

	FUZZ_REQUIRE((range != nullptr) == page_is_free(map, borders, page), "page %#llx is %s",
		     static_cast<unsigned long long>(page),
		     range != nullptr ? "handed out" : "not handed out");
	if (range != nullptr)
		FUZZ_REQUIRE(range->domain == byte_at(map, page).domain, "page %#llx",
			     static_cast<unsigned long long>(page));
}

void require_pages(const Map &map, const std::vector<vm_paddr_t> &borders)
{
	for (vm_paddr_t border : borders) {
		vm_paddr_t page = trunc_page(border);

		if (page != 0)
			require_page(map, borders, page - PAGE_SIZE);
		require_page(map, borders, page);
		if (page < UINT64_MAX - 2 * PAGE_SIZE)
			require_page(map, borders, page + PAGE_SIZE);
	}
}

void require_sums(const Map &map, const std::vector<vm_paddr_t> &borders)
{
	uint64_t ram = 0, ranges = 0;

	for (size_t i = 0; i + 1 < borders.size(); i++) {
		Byte byte = byte_at(map, borders[i]);

		ram += byte.usable && !byte.reserved ? borders[i + 1] - borders[i] : 0;
	}
	for (unsigned i = 0; i < map.out.range_count; i++)
		ranges += map.out.ranges[i].end - map.out.ranges[i].start;
	FUZZ_REQUIRE(map.out.ram_bytes == ram);
	FUZZ_REQUIRE(ram == ranges + map.out.kept_bytes + map.out.lost_bytes);
}

void require_low(const Map &map, const std::vector<vm_paddr_t> &borders, vm_paddr_t low)
{
	Map without = map;

	without.limit = 0;
	for (vm_paddr_t page = 0x9f000; page >= PAGE_SIZE; page -= PAGE_SIZE) {
		bool good = byte_at(without, page).usable;

		for (vm_paddr_t at : borders) {
			if (at <= page || at >= page + PAGE_SIZE)
				continue;
			Byte byte = byte_at(without, at);

			good = good && byte.usable && !byte.reserved && !byte.kept;
		}
		good = good && !byte_at(without, page).reserved && !byte_at(without, page).kept;
		if (good) {
			FUZZ_REQUIRE(low == page, "%#llx, not %#llx",
				     static_cast<unsigned long long>(low),
				     static_cast<unsigned long long>(page));
			return;
		}
	}
	FUZZ_REQUIRE(low == 0);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto map = std::make_unique<Map>();
	fuzz::Input input(data, size);
	memmap_input in = {&map->raw, map->keep, 0, &map->srat, 0};
	std::vector<vm_paddr_t> all;

	read_map(input, *map);
	in.keep_count = map->kept;
	in.limit = map->limit;
	FUZZ_REQUIRE(memmap_normalise(&in, &map->out, nullptr) == (map->out.range_count != 0));
	all = borders(*map);
	require_pages(*map, all);
	require_sums(*map, all);
	require_low(*map, all, memmap_find_low(&in, 1));
	return 0;
}
