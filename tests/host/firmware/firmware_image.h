// SPDX-License-Identifier: BSD-2-Clause
// Firmware's memory made by hand: bytes, physical memory with holes, tables with good checksums,
// and what the parsers said about them.
#ifndef QUIRE_TESTS_HOST_FIRMWARE_FIRMWARE_IMAGE_H
#define QUIRE_TESTS_HOST_FIRMWARE_FIRMWARE_IMAGE_H

#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "arch/x86_64/firmware/bytes.h"
#include "arch/x86_64/firmware/report.h"

namespace firmware
{

class Bytes
{
      public:
	Bytes &u8(unsigned x)
	{
		return little(x, 1);
	}
	Bytes &u16(unsigned x)
	{
		return little(x, 2);
	}
	Bytes &u32(uint64_t x)
	{
		return little(x, 4);
	}
	Bytes &u64(uint64_t x)
	{
		return little(x, 8);
	}
	Bytes &text(const std::string &s)
	{
		data.insert(data.end(), s.begin(), s.end());
		return *this;
	}
	Bytes &zeros(size_t n)
	{
		data.insert(data.end(), n, 0);
		return *this;
	}
	Bytes &align(size_t n)
	{
		return zeros((n - data.size() % n) % n);
	}
	Bytes &add(const std::vector<uint8_t> &more)
	{
		data.insert(data.end(), more.begin(), more.end());
		return *this;
	}
	Bytes &set32(size_t at, uint32_t x)
	{
		memcpy(data.data() + at, &x, sizeof(x));
		return *this;
	}

	std::vector<uint8_t> data;

      private:
	Bytes &little(uint64_t x, unsigned n)
	{
		while (n-- != 0) {
			data.push_back(uint8_t(x));
			x >>= 8;
		}
		return *this;
	}
};

// Makes the first `len` bytes sum to 0 by the byte at `at`.
inline void fix_checksum(std::vector<uint8_t> &bytes, size_t at, size_t len)
{
	uint8_t sum = 0;

	bytes[at] = 0;
	for (size_t i = 0; i < len; i++)
		sum = uint8_t(sum + bytes[i]);
	bytes[at] = uint8_t(-sum);
}

// An ACPI table: header, body, good length and checksum.
inline std::vector<uint8_t> acpi_table(const char *signature, const std::vector<uint8_t> &body,
				       unsigned revision = 3)
{
	Bytes b;

	b.text(signature).u32(36 + body.size()).u8(revision).u8(0).text("QUIRE TESTTABLE");
	b.zeros(36 - b.data.size()).add(body);
	fix_checksum(b.data, 9, b.data.size());
	return b.data;
}

inline std::vector<uint8_t> rsdp(unsigned revision, uint32_t rsdt, uint64_t xsdt = 0)
{
	Bytes b;

	b.text("RSD PTR ").u8(0).text("QUIRE ").u8(revision).u32(rsdt);
	fix_checksum(b.data, 8, 20);
	if (revision >= 2) {
		b.u32(36).u64(xsdt).zeros(4);
		fix_checksum(b.data, 32, 36);
	}
	return b.data;
}

// Physical memory that exists only where something was put. Every piece is an allocation of its
// exact size, so that the address sanitizer sees a byte read behind it.
class Memory
{
      public:
	void put(uint64_t pa, std::vector<uint8_t> bytes)
	{
		pieces[pa] = std::move(bytes);
	}

	const fw_mem *mem() const
	{
		return &access;
	}

	Memory() = default;
	Memory(const Memory &) = delete;
	Memory &operator=(const Memory &) = delete;

	std::map<uint64_t, std::vector<uint8_t>> pieces;

      private:
	static const void *map(void *ctx, vm_paddr_t pa, size_t len)
	{
		auto &pieces = static_cast<Memory *>(ctx)->pieces;
		auto piece = pieces.upper_bound(pa);

		if (piece == pieces.begin())
			return nullptr;
		--piece;

		uint64_t offset = pa - piece->first;
		uint64_t size = piece->second.size();

		if (offset >= size || len > size - offset)
			return nullptr;
		return piece->second.data() + offset;
	}

	fw_mem access = {map, this};
};

// Collects what a parser reports.
class Report
{
      public:
	operator fw_report *()
	{
		return &report;
	}

	// How many of the lines contain `part`.
	unsigned with(const std::string &part) const
	{
		unsigned n = 0;

		for (const std::string &line : lines)
			n += line.find(part) != std::string::npos;
		return n;
	}

	unsigned count() const
	{
		return report.count;
	}

	// All lines, for the message of a failed test.
	std::string all() const
	{
		std::string text;

		for (const std::string &line : lines)
			text += line + "\n";
		return text;
	}

	Report() = default;
	Report(const Report &) = delete;
	Report &operator=(const Report &) = delete;

	std::vector<std::string> lines;

      private:
	static void show(void *ctx, const char *line)
	{
		static_cast<Report *>(ctx)->lines.emplace_back(line);
	}

	fw_report report = {show, this, 0, 0, 0};
};

} // namespace firmware

#endif
