// SPDX-License-Identifier: BSD-2-Clause
// A machine's memory (the format of tests/corpus) read as the kernel does at boot: ACPI tables, and
// whatever a loader left. With bit 1 of its flags set, checksums are put right first, so that
// damage gets behind them.
#include <algorithm>
#include <vector>

#include "tests/fuzz/fuzz_input.h"
#include "tests/host/firmware/boot_machine.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char magic[] = "QFWIMG1\n";
	std::vector<uint8_t> bytes(data, data + size);
	firmware::MachineFile file;
	firmware::BootMachine machine;

	std::copy_n(magic, std::min(size, sizeof(magic) - 1), bytes.begin());
	if (!file.read(bytes.data(), bytes.size()))
		return 0;
	if ((bytes[24] & 2) != 0)
		file.fix_sums();
	if (machine.boot(file)) {
		const char *rule = machine.broken();

		FUZZ_REQUIRE(rule == nullptr, "%s", rule);
	}
	return 0;
}
