/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine's end, and what it says about itself. */
#include <execinfo.h>
#include <unistd.h>

#include "arch/host/internal.h"
#include "arch/system.h"

enum { BACKTRACE_MAX = 64 };

/* The status becomes the test program's: EXPECT_EXIT sees it. */
void arch_power_off(enum arch_exit status)
{
	_exit((int)status);
}

/* As an emulator that was told not to reboot. */
void arch_reboot(void)
{
	_exit(0);
}

bool arch_has_exit_device(void)
{
	return true;
}

void arch_backtrace(unsigned max, void (*emit)(void *ctx, uintptr_t pc), void *ctx)
{
	void *frames[BACKTRACE_MAX];
	int count = backtrace(frames, max < BACKTRACE_MAX ? (int)max : BACKTRACE_MAX);

	for (int i = 0; i < count; i++)
		emit(ctx, (uintptr_t)frames[i]);
}

/* There are no traps here, but a page fault's address is in the panic's own message. */
void arch_print_trap_state(void (*print)(const char *fmt, ...))
{
	if (host_machine != NULL && host_core->percpu->irq_depth != 0)
		print("in interrupt, depth %u\n", host_core->percpu->irq_depth);
}

const char *arch_cpu_description(void)
{
	return "simulated x86-64 CPU, host machine";
}

const char *arch_firmware_description(void)
{
	return "unknown";
}
