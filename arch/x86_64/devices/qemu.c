/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch/x86_64/devices/qemu.h"

#include "arch/x86_64/devices/devices.h"
#include "arch/x86_64/devices/io.h"
#include "arch/x86_64/firmware/fwcfg.h"
#include "lib/panic.h"
#include "lib/string.h"

enum {
	/* QEMU docs/specs/fw_cfg.rst */
	PORT_FWCFG_SELECT = 0x510,
	PORT_FWCFG_DATA = 0x511,

	/* Device isa-debug-exit, at the place where -device isa-debug-exit,iobase=0xf4 puts it. It
	 * reads as 0; an empty port reads as all ones. */
	PORT_EXIT = 0xf4,

	/* PM1a control block of the machines pc and q35, and a wish for state S5 written there
	 * (ACPI 6.5 section 4.8.3.2.1: SLP_TYPx 0, as QEMU's \_S5 says, and SLP_EN). */
	PORT_PM1A_CONTROL = 0x604,
	PM1_SLEEP_S5 = 0x2000,
};

static bool qemu_found;
static bool exit_found;

static void ports_select(void *ctx, uint16_t key)
{
	(void)ctx;
	io_out16(PORT_FWCFG_SELECT, key);
}

static uint8_t ports_read(void *ctx)
{
	(void)ctx;
	return io_in8(PORT_FWCFG_DATA);
}

static const struct fwcfg ports = {ports_select, ports_read, NULL};

void qemu_init(void)
{
	qemu_found = fwcfg_present(&ports);
	exit_found = qemu_found && io_in8(PORT_EXIT) == 0;
}

static void report_line(void *ctx, const char *line)
{
	(void)ctx;
	kprintf("%s\n", line);
}

size_t devices_cmdline(char *buf, size_t size)
{
	struct fw_report report = {.show = report_line};
	struct fwcfg_file file;

	if (size > 0)
		buf[0] = '\0';
	if (size == 0 || !qemu_found || !fwcfg_find(&ports, FWCFG_CMDLINE, &file, &report))
		return 0;
	return fwcfg_read_string(&ports, &file, buf, size);
}

bool qemu_has_exit(void)
{
	return exit_found;
}

void qemu_exit(uint8_t status)
{
	if (exit_found)
		io_out8(PORT_EXIT, status);
}

void qemu_power_off(void)
{
	if (qemu_found)
		io_out16(PORT_PM1A_CONTROL, PM1_SLEEP_S5);
}
