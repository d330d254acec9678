/* SPDX-License-Identifier: BSD-2-Clause */
/* What the kernel options said. Written once at boot, constant from then on. */
#ifndef QUIRE_KERNEL_CONFIG_H
#define QUIRE_KERNEL_CONFIG_H

#include "kernel/options.h"
#include "lib/types.h"
#include "vm/vm_kern.h"

enum panic_action {
	PANIC_DEFAULT, /* exit after run=, else halt */
	PANIC_HALT,
	PANIC_EXIT, /* end the emulator, if it is one that can be ended; else halt */
	PANIC_REBOOT,
};

struct kernel_config {
	struct vm_kern_map_sizes maps; /* 0: the default */
	bool has_run;
	char run[OPTION_VALUE_MAX];   /* commands to execute instead of a shell */
	char start[OPTION_VALUE_MAX]; /* commands to execute before the shell; "": none */
	enum panic_action panic;
	bool quiet;
	bool sabotage; /* smp/shootdown.h: shootdown_sabotage */
};

const struct kernel_config *kernel_config(void);

/* Reads the options; what is wrong with them goes to the log. Boot CPU, right after smp_init. */
void config_init(const char *cmdline);

/*
 * Sets the sysctls that options name, as a.b=value; what is wrong with them goes to the log. Thread
 * context, when all sysctls are registered.
 */
void config_apply_tunables(const char *cmdline);

/* Shows the options that there are. */
void config_help(void);

#endif
