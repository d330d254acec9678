// SPDX-License-Identifier: BSD-2-Clause
// The memory system on a small machine with one CPU, for a fuzzer: what a test's fixture is for
// GoogleTest.
#ifndef QUIRE_TESTS_FUZZ_VM_MACHINE_H
#define QUIRE_TESTS_FUZZ_VM_MACHINE_H

#include "tests/fuzz/fuzz_input.h"
#include "tests/host/vm/vm_fixture.h"

namespace fuzz
{

class VmMachine : public quire::VmTest
{
      public:
	void TestBody() override
	{
	}

	void begin(vm_paddr_t ram = 8 << 20)
	{
		struct host_config config = {};

		config.cpus = 1;
		config.ranges[0] = {0, ram, 0};
		config.range_count = 1;
		map_sizes_ = {4 << 20, 2 << 20, 2 << 20, 2 << 20};
		boot(config);
		// What is wrong is refused, so that the run goes on.
		kmem_free_set_strict(false);
	}

	void end()
	{
		require_audit();
		kmem_free_set_strict(true);
		shut_down();
	}

	static void require_audit()
	{
		::testing::AssertionResult ok = audit_ok();

		FUZZ_REQUIRE(ok, "%s", ok.message());
	}
};

} // namespace fuzz

#endif
