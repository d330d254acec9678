// SPDX-License-Identifier: BSD-2-Clause
// Any bytes as the information that a Multiboot2 loader passes, up to the ranges that are handed
// out.
#include <cstring>
#include <vector>

#include "arch/x86_64/firmware/multiboot2.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/host/firmware/boot_machine.h"

namespace
{

constexpr uint64_t INFO = 0x10000;

void append(std::vector<uint8_t> &to, uint64_t x, unsigned bytes)
{
	while (bytes-- != 0) {
		to.push_back(uint8_t(x));
		x >>= 8;
	}
}

// As a file of tests/corpus with nothing but the information in memory.
std::vector<uint8_t> machine_with(const uint8_t *data, size_t size)
{
	static const char magic[] = "QFWIMG1\n";
	std::vector<uint8_t> file(magic, magic + 8);

	append(file, MULTIBOOT2_MAGIC, 4);
	append(file, 0, 4);
	append(file, INFO, 8);
	append(file, 1, 4);
	append(file, 1, 4);
	append(file, INFO, 8);
	append(file, size, 4);
	append(file, 0, 4);
	file.insert(file.end(), data, data + size);
	return file;
}

// Everything but padding.
bool same(const boot_raw &a, const boot_raw &b)
{
	if (a.map.count != b.map.count || a.map.lost_bytes != b.map.lost_bytes ||
	    a.module_count != b.module_count || a.fb.kind != b.fb.kind || a.fb.base != b.fb.base ||
	    a.rsdp_copy_len != b.rsdp_copy_len || strcmp(a.cmdline, b.cmdline) != 0 ||
	    strcmp(a.loader, b.loader) != 0)
		return false;
	for (unsigned i = 0; i < a.map.count; i++)
		if (a.map.ranges[i].start != b.map.ranges[i].start ||
		    a.map.ranges[i].length != b.map.ranges[i].length ||
		    a.map.ranges[i].type != b.map.ranges[i].type)
			return false;
	return memcmp(a.modules, b.modules, sizeof(a.modules)) == 0 &&
	       memcmp(a.rsdp_copy, b.rsdp_copy, sizeof(a.rsdp_copy)) == 0;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const std::vector<uint8_t> bytes = machine_with(data, size), exact(data, data + size);
	auto silent = std::make_unique<boot_raw>();
	firmware::MachineFile file;
	firmware::BootMachine machine;

	FUZZ_REQUIRE(file.read(bytes.data(), bytes.size()));
	if (machine.boot(file)) {
		const char *rule = machine.broken();

		FUZZ_REQUIRE(rule == nullptr, "%s", rule);
	}
	// That somebody listens changes nothing.
	if (multiboot2_parse(exact.data(), exact.size(), silent.get(), nullptr) &&
	    multiboot2_size(exact.data()) <= size)
		FUZZ_REQUIRE(same(*silent, *machine.raw));
	return 0;
}
