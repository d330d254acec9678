/* SPDX-License-Identifier: BSD-2-Clause */
/* The ends of the machine. */
#include "arch/console.h"
#include "arch/cpu.h"
#include "arch/system.h"
#include "arch/x86_64/devices/io.h"
#include "arch/x86_64/devices/qemu.h"

enum {
	PORT_8042_COMMAND = 0x64,
	STATUS_8042_BUSY = 0x02,
	COMMAND_8042_RESET = 0xfe, /* pulls the processor's reset line */
	POLLS_8042 = 100000,
};

bool arch_has_exit_device(void)
{
	return qemu_has_exit();
}

void arch_power_off(enum arch_exit status)
{
	static const char goodbye[] = "It is now safe to turn off this machine.\n";

	arch_irq_disable();
	qemu_exit((uint8_t)status);
	qemu_power_off();
	arch_console_write(goodbye, sizeof(goodbye) - 1);
	arch_cpu_halt();
}

static void reset_by_keyboard_controller(void)
{
	for (unsigned i = 0; i < POLLS_8042; i++)
		if (!(io_in8(PORT_8042_COMMAND) & STATUS_8042_BUSY))
			break;
	io_out8(PORT_8042_COMMAND, COMMAND_8042_RESET);
	for (unsigned i = 0; i < POLLS_8042; i++)
		io_in8(PORT_8042_COMMAND);
}

/* An exception with no table of handlers is a shutdown, which PCs answer with a reset (Intel SDM
 * vol. 3A 6.15, "double fault"). */
static void reset_by_triple_fault(void)
{
	static const struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) no_table = {0, 0};

	__asm__ volatile("lidt %0\n\tint3" : : "m"(no_table));
}

void arch_reboot(void)
{
	arch_irq_disable();
	reset_by_keyboard_controller();
	reset_by_triple_fault();
	arch_cpu_halt();
}
