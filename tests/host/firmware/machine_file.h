// SPDX-License-Identifier: BSD-2-Clause
// A file of tests/corpus: what is in a machine's memory when the kernel starts. Its README says
// what the bytes are.
#ifndef QUIRE_TESTS_HOST_FIRMWARE_MACHINE_FILE_H
#define QUIRE_TESTS_HOST_FIRMWARE_MACHINE_FILE_H

#include <cstdint>
#include <cstring>
#include <vector>

#include "arch/x86_64/firmware/bytes.h"

namespace firmware
{

class MachineFile
{
      public:
	enum : size_t { HEADER = 32, PIECE = 16 };

	// False when it does not begin as such files do. Any other bytes are some machine: pieces
	// that the file does not hold are cut.
	bool read(const uint8_t *data, size_t size)
	{
		pieces_.clear();
		if (size < HEADER || memcmp(data, "QFWIMG1\n", 8) != 0)
			return false;
		magic = fw_u32(data, 8);
		boot_cpu = fw_u32(data, 12);
		info = fw_u64(data, 16);
		x2apic = (fw_u32(data, 24) & 1) != 0;
		read_pieces(data, size, fw_u32(data, 28));
		return true;
	}

	// Every piece becomes one with good checksums, as far as it is long enough to have some.
	void fix_sums()
	{
		for (Piece &piece : pieces_) {
			std::vector<uint8_t> &b = piece.bytes;

			if (b.size() >= 20 && memcmp(b.data(), "RSD PTR ", 8) == 0)
				fix_rsdp(b);
			else if (b.size() >= 36 && fw_u32(b.data(), 4) <= b.size())
				fix_sum(b, 9, fw_u32(b.data(), 4));
		}
	}

	// Only what lies below 4 GiB can be reached, as at boot.
	const fw_mem *mem() const
	{
		return &access_;
	}

	MachineFile() = default;
	MachineFile(const MachineFile &) = delete;
	MachineFile &operator=(const MachineFile &) = delete;

	uint32_t magic = 0, boot_cpu = 0;
	uint64_t info = 0;
	bool x2apic = false;

      private:
	// Each an allocation of its own, so that the address sanitizer sees a byte read behind it.
	struct Piece {
		uint64_t pa;
		std::vector<uint8_t> bytes;
	};

	static void fix_sum(std::vector<uint8_t> &b, size_t at, size_t len)
	{
		uint8_t sum = 0;

		if (at >= len)
			return;
		b[at] = 0;
		for (size_t i = 0; i < len; i++)
			sum = uint8_t(sum + b[i]);
		b[at] = uint8_t(-sum);
	}

	static void fix_rsdp(std::vector<uint8_t> &b)
	{
		fix_sum(b, 8, 20);
		if (b.size() >= 36 && b[15] >= 2 && fw_u32(b.data(), 20) <= b.size())
			fix_sum(b, 32, fw_u32(b.data(), 20));
	}

	void read_pieces(const uint8_t *data, size_t size, uint32_t count)
	{
		size_t at = HEADER;

		while (count-- != 0 && size - at > PIECE) {
			uint64_t pa = fw_u64(data, at);
			size_t len = fw_u32(data, at + 8);

			at += PIECE;
			len = len < size - at ? len : size - at;
			pieces_.push_back({pa, {data + at, data + at + len}});
			at += len;
		}
	}

	static const void *map(void *ctx, vm_paddr_t pa, size_t len)
	{
		const uint64_t reach = uint64_t{1} << 32;

		if (pa >= reach || len > reach - pa)
			return nullptr;
		for (const Piece &piece : static_cast<MachineFile *>(ctx)->pieces_) {
			uint64_t offset = pa - piece.pa, size = piece.bytes.size();

			if (pa >= piece.pa && offset < size && len <= size - offset)
				return piece.bytes.data() + offset;
		}
		return nullptr;
	}

	std::vector<Piece> pieces_;
	fw_mem access_ = {map, this};
};

} // namespace firmware

#endif
