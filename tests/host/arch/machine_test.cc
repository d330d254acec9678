/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/host/machine_fixture.h"

#include <cstring>
#include <string>

#include "arch/atomic.h"
#include "arch/bootinfo.h"
#include "arch/clock.h"
#include "arch/console.h"
#include "arch/physmap.h"
#include "arch/system.h"
#include "lib/panic.h"

namespace
{

constexpr vm_paddr_t MIB = 1 << 20;

class MachineBasicsTest : public MachineTest
{
      protected:
	void set_ranges(std::initializer_list<struct host_range> ranges)
	{
		config.range_count = 0;
		for (const auto &range : ranges)
			config.ranges[config.range_count++] = range;
		recreate();
	}

	static uint64_t usable()
	{
		const struct boot_info *boot = arch_boot_info();
		uint64_t bytes = 0;

		for (unsigned i = 0; i < boot->range_count; i++)
			bytes += boot->ranges[i].end - boot->ranges[i].start;
		return bytes;
	}
};

TEST_F(MachineBasicsTest, BootInfoAddsUp)
{
	const struct boot_info *boot = arch_boot_info();

	EXPECT_EQ(boot->ram_bytes, 64 * MIB);
	EXPECT_EQ(usable(), boot->ram_bytes - boot->kept_bytes);
	EXPECT_EQ(boot->domain_count, 1u);
	EXPECT_EQ(boot->image_end - boot->image_start, 2 * MIB);
	for (unsigned i = 0; i < boot->range_count; i++) {
		EXPECT_LT(boot->ranges[i].start, boot->ranges[i].end);
		EXPECT_TRUE(boot->ranges[i].end <= boot->image_start ||
			    boot->ranges[i].start >= boot->image_end);
		EXPECT_FALSE(arch_mmu_kernel_root() >= boot->ranges[i].start &&
			     arch_mmu_kernel_root() < boot->ranges[i].end);
		if (i > 0) {
			EXPECT_LE(boot->ranges[i - 1].end, boot->ranges[i].start);
		}
	}
}

TEST_F(MachineBasicsTest, RangesDomainsAndCommandLineAreTheConfigurations)
{
	const struct boot_info *boot;

	config.cmdline = "trace=7 quiet";
	set_ranges({{0, 32 * MIB, 0}, {4096 * MIB, 4128 * MIB, 1}, {8192 * MIB, 8193 * MIB, 3}});
	boot = arch_boot_info();
	EXPECT_STREQ(boot->cmdline, "trace=7 quiet");
	EXPECT_EQ(boot->domain_count, 4u);
	EXPECT_EQ(boot->ranges[boot->range_count - 1].domain, 3u);
	EXPECT_EQ(boot->ram_bytes, 65 * MIB);
	*(uint64_t *)arch_physmap(8192 * MIB) = 5;
	EXPECT_EQ(host_load64(PHYSMAP_BASE + 8192 * MIB), 5u);
}

TEST_F(MachineBasicsTest, TinyAndRaggedRamWorks)
{
	set_ranges({{0x3000, 0x103000, 0}});
	EXPECT_EQ(usable(), arch_boot_info()->ram_bytes - arch_boot_info()->kept_bytes);
	EXPECT_GT(usable(), 700u * 1024);
}

TEST_F(MachineBasicsTest, ALotOfRamCostsNothingUntilTouched)
{
	set_ranges({{1 * MIB, 256 * 1024 * MIB, 0}});
	host_store64(PHYSMAP_BASE + 200 * 1024 * MIB, 1);
	EXPECT_EQ(host_load64(PHYSMAP_BASE + 200 * 1024 * MIB), 1u);
	EXPECT_LT(arch_boot_info()->kept_bytes, 4 * MIB);
}

TEST_F(MachineBasicsTest, TouchingAHoleCrashes)
{
	EXPECT_DEATH(*(volatile char *)arch_physmap(40 * MIB) = 1, "");
	EXPECT_FALSE(host_translate(PHYSMAP_BASE + 40 * MIB, HOST_READ, nullptr, nullptr));
	EXPECT_DEATH(host_load64(PHYSMAP_BASE + 40 * MIB), "page fault: read");
}

TEST_F(MachineBasicsTest, DirectMapIsWritableAndNeverExecutable)
{
	for (unsigned i = 0; i < arch_boot_info()->range_count; i++) {
		const struct boot_range *range = &arch_boot_info()->ranges[i];

		for (vm_paddr_t pa : {range->start, range->end - PAGE_SIZE}) {
			vm_paddr_t found = 0;

			EXPECT_TRUE(host_translate(PHYSMAP_BASE + pa, HOST_WRITE, &found, nullptr));
			EXPECT_EQ(found, pa);
			EXPECT_FALSE(host_execute_nofault(PHYSMAP_BASE + pa));
		}
	}
	EXPECT_EQ(arch_physmap_paddr(arch_physmap(5 * MIB)), 5 * MIB);
}

TEST_F(MachineBasicsTest, ImageTextExecutesAndImageDataIsWritable)
{
	vm_size_t size = arch_boot_info()->image_end - arch_boot_info()->image_start;
	vm_offset_t end = arch_mmu_image_end(), start = end - size;

	EXPECT_GE(start, KERNBASE);
	EXPECT_TRUE(host_execute_nofault(start));
	EXPECT_FALSE(host_store_nofault(start, "x", 1));
	EXPECT_FALSE(host_execute_nofault(end - PAGE_SIZE));
	EXPECT_TRUE(host_store_nofault(end - PAGE_SIZE, "x", 1));
	EXPECT_FALSE(host_translate(end, HOST_READ, nullptr, nullptr));
}

TEST_F(MachineBasicsTest, TheRestOfTheKernelHalfIsEmpty)
{
	EXPECT_EQ(host_walk_tables(VM_MIN_KERNEL_ADDRESS, nullptr), 0u);
	EXPECT_EQ(host_walk_tables(VM_MAX_KERNEL_ADDRESS, nullptr), 0u);
}

TEST_F(MachineBasicsTest, ANewMachineRemembersNothing)
{
	vm_paddr_t pa = arch_boot_info()->ranges[0].start;

	*(uint64_t *)arch_physmap(pa) = 1;
	kprintf("hello\n");
	host_ipi_drop_all(ARCH_IPI_COUNT, true);
	arch_timer_start(1000);
	host_load64(PHYSMAP_BASE + pa);
	recreate();
	EXPECT_EQ(*(uint64_t *)arch_physmap(pa), 0u);
	EXPECT_STREQ(host_log(), "");
	EXPECT_EQ(host_tlb_count(0), 0u);
	EXPECT_EQ(host_steps(), 0u);
	EXPECT_LT(arch_clock_ns(), 1000u);
}

TEST_F(MachineBasicsTest, RamCanBeginWithJunk)
{
	config.fill_ram = true;
	recreate();
	EXPECT_NE(*(uint64_t *)arch_physmap(arch_boot_info()->ranges[1].start), 0u);
	arch_page_zero(arch_boot_info()->ranges[1].start);
	EXPECT_EQ(*(uint64_t *)arch_physmap(arch_boot_info()->ranges[1].start), 0u);
	EXPECT_FALSE(host_translate(VM_MIN_KERNEL_ADDRESS, HOST_READ, nullptr, nullptr));
}

TEST_F(MachineBasicsTest, BadConfigurationsAreRefused)
{
	host_machine_destroy();
	config.range_count = 1;
	config.ranges[0] = {0x1000, 0x1001, 0};
	EXPECT_DEATH(host_machine_create(&config), "check failed");
	config.ranges[0] = {0x2000, 0x1000, 0};
	EXPECT_DEATH(host_machine_create(&config), "check failed");
	config.range_count = 0;
	config.cpus = MAXCPU + 1;
	EXPECT_DEATH(host_machine_create(&config), "check failed");
}

TEST_F(MachineBasicsTest, LogKeepsTheEndOfWhatWasSaid)
{
	kprintf("a %d\n", 5);
	EXPECT_STREQ(host_log(), "a 5\n");
	for (int i = 0; i < 40000; i++)
		kprintf("line %d of the log\n", i);
	EXPECT_LT(strlen(host_log()), 300000u);
	EXPECT_NE(strstr(host_log(), "line 39999 of the log\n"), nullptr);
	host_log_clear();
	EXPECT_STREQ(host_log(), "");
}

TEST_F(MachineBasicsTest, PanicNamesCpuSeedAndMode)
{
	EXPECT_DEATH(
	    {
		    kprintf("the last words\n");
		    panic("broken %#x", 0xbad);
	    },
	    "panic: broken 0xbad(.|\n)*seed 1, coroutines.*CPU 0 of 1(.|\n)*the last words");
}

TEST_F(MachineBasicsTest, PanicNeedsNoMachine)
{
	host_machine_destroy();
	kprintf("nobody listens\n");
	EXPECT_DEATH(panic("early"), "panic: early");
}

TEST_F(MachineBasicsTest, ConsoleIsTheTests)
{
	EXPECT_EQ(arch_console_read(), -1);
	host_console_input("ls");
	EXPECT_EQ(arch_console_read(), 'l');
	EXPECT_EQ(arch_console_read(), 's');
	EXPECT_EQ(arch_console_read(), -1);
	arch_console_write("out", 3);
	EXPECT_STREQ(host_console_output(), "out");
}

TEST_F(MachineBasicsTest, PowerOffEndsTheProgramWithItsStatus)
{
	EXPECT_EXIT(arch_power_off(ARCH_EXIT_FAILED), testing::ExitedWithCode(0x11), "");
	EXPECT_EXIT(arch_reboot(), testing::ExitedWithCode(0), "");
	EXPECT_TRUE(arch_has_exit_device());
}

TEST_F(MachineBasicsTest, BacktraceReachesTheTest)
{
	unsigned frames = 0;

	arch_backtrace(
	    16, [](void *ctx, uintptr_t) { ++*static_cast<unsigned *>(ctx); }, &frames);
	EXPECT_GT(frames, 1u);
}

TEST_F(MachineBasicsTest, HooksAreUnarmedUntilSomethingNeedsThem)
{
	struct atomic32 word = {0};

	(void)atomic32_load(&word, MO_RELAXED);
	EXPECT_EQ(host_hooks_armed, 0u);
	EXPECT_EQ(host_steps(), 0u);
	host_set_switch_ppm(1);
	(void)atomic32_load(&word, MO_RELAXED);
	EXPECT_EQ(host_steps(), 1u);
}

} // namespace
