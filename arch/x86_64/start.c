/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The boot CPU, from boot.S to kernel_main().
 *
 * 1. Something to be heard by (serial port) and to survive exceptions with (descriptor tables).
 * 2. With the boot code's tables, which reach 4 GiB: everything that the loader and firmware left
 *    in memory is read, and never again.
 * 3. The tables that stay. From here on only RAM, image and known devices are mapped.
 * 4. Interrupt controllers, clock, the other CPUs' needs. What was taken from memory so far is
 *    kept out of arch_boot_info().
 */
#include "arch/phase.h"
#include "arch/system.h"
#include "arch/x86_64/apic.h"
#include "arch/x86_64/boot_collect.h"
#include "arch/x86_64/clock.h"
#include "arch/x86_64/cpu_local.h"
#include "arch/x86_64/cpus.h"
#include "arch/x86_64/devices/devices.h"
#include "arch/x86_64/early_memory.h"
#include "arch/x86_64/features.h"
#include "arch/x86_64/kernel_space.h"
#include "arch/x86_64/legacy.h"
#include "arch/x86_64/machine_check.h"
#include "arch/x86_64/platform.h"
#include "arch/x86_64/restart.h"
#include "arch/x86_64/stack_protector.h"
#include "arch/x86_64/traps.h"
#include "lib/panic.h"

QUIRE_NORETURN void start(uint32_t entry, uint32_t info);

/* Pixels are written in bursts and never read back. */
static void map_framebuffer(void)
{
	const struct boot_framebuffer *fb = &arch_boot_info()->fb;
	vm_memattr_t attr =
	    fb->kind == BOOT_FB_RGB ? VM_MEMATTR_WRITE_COMBINING : VM_MEMATTR_UNCACHEABLE;

	if (fb->kind == BOOT_FB_NONE)
		return;
	if (!kernel_space_map_device(fb->base, (vm_size_t)fb->pitch * fb->height, attr)) {
		kprintf("boot: the framebuffer at %#lx cannot be mapped: no screen\n", fb->base);
		boot_collect_drop_framebuffer();
	}
}

static void take_memory(void)
{
	early_memory_init(arch_boot_info(), BOOT_MAPPED_END);
	kernel_space_init(boot_collect_ram());
	map_framebuffer();
	devices_init(arch_boot_info());
}

static void start_interrupts(void)
{
	legacy_mask_8259();
	legacy_mask_ioapics(&platform.madt);
	apic_init();
	apic_enable();
}

void start(uint32_t entry, uint32_t info)
{
	phase_begin();
	devices_early_init();
	cpu_local_init_boot();
	restart_init();
	idt_init();
	idt_load();
	stack_protector_seed();
	features_init();
	boot_collect(entry, info);
	take_memory();
	arch_phase_end("firmware tables");
	start_interrupts();
	clock_init();
	timer_init();
	arch_phase_end("clock");
	cpus_init(boot_collect_low_page());
	machine_check_enable();
	boot_collect_ranges(early_memory_finish());
	arch_phase_end("CPU areas");
	kernel_main();
}
