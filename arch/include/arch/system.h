/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine as a whole: entry, end, and what a panic wants to know.
 */
#ifndef QUIRE_ARCH_SYSTEM_H
#define QUIRE_ARCH_SYSTEM_H

#include "lib/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Supplied by kernel/: the backend calls it once on the boot CPU, on a guarded stack, interrupts
 * disabled, with boot info, console, direct map, trap tables and per-CPU area 0 in place.
 */
QUIRE_NORETURN void kernel_main(void);

enum arch_exit {
	ARCH_EXIT_OK = 0x10,
	ARCH_EXIT_FAILED = 0x11, /* a command or a test failed */
	ARCH_EXIT_PANIC = 0x12,
};

/* Ends the machine: tells an emulator `status` where there is one, else powers off or halts. */
QUIRE_NORETURN void arch_power_off(enum arch_exit status);
QUIRE_NORETURN void arch_reboot(void);

/* Is there an emulator that takes an exit status? */
bool arch_has_exit_device(void);

/*
 * Calls emit for each return address of the running stack, innermost first, at most `max`;
 * stops at the first frame that is not on a known stack. Safe with a broken stack.
 */
void arch_backtrace(unsigned max, void (*emit)(void *ctx, uintptr_t pc), void *ctx);

/* Prints the registers of the trap that is being handled on this CPU, if there is one. */
void arch_print_trap_state(void (*print)(const char *fmt, ...) QUIRE_PRINTF(1, 2));

/* One line on what the CPU is (vendor, model name), and what the machine is. */
const char *arch_cpu_description(void);

/* A few words by which firmware names itself, or "unknown". Constant. */
const char *arch_firmware_description(void);

#ifdef __cplusplus
}
#endif

#endif
