/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shell commands. The table stands in commands.c; each file cmd_*.c has those of one theme. What
 * the kernel does not depend on, but an image may hold all the same, adds its commands with
 * COMMAND_REGISTER: linking it in is enough.
 */
#ifndef QUIRE_KERNEL_COMMAND_H
#define QUIRE_KERNEL_COMMAND_H

#include "lib/types.h"

struct command {
	const char *name;
	const char *args; /* for the help; "" without */
	const char *help; /* one line */
	/* argv[0] is the name. Returns 0, or 1 after saying in one line why not. */
	int (*run)(int argc, char **argv);
};

/*
 * Makes `var`, a struct command with static storage, one of the shell's; at file scope. The linker
 * script gathers the entries. A name that is in the table already is never found here.
 */
#define COMMAND_REGISTER(var)                                                                      \
	static const struct command *const var##_entry                                             \
	    __attribute__((used, section(".quire_commands"))) = &(var)

/* All commands by number, from 0: the table's, then the registered ones; NULL after the last. */
const struct command *command_at(size_t index);

const struct command *command_find(const char *name);

/* Says how the command is used; returns 1. */
int command_usage(char **argv);

/* An argument as a number or a size (lib/parse.h); false after saying what is wrong with it. */
bool command_number(char **argv, const char *text, uint64_t *out);
bool command_size(char **argv, const char *text, uint64_t *out);

/* cmd_system.c */
int cmd_help(int argc, char **argv);
int cmd_sysinfo(int argc, char **argv);
int cmd_cpus(int argc, char **argv);
int cmd_threads(int argc, char **argv);
int cmd_log(int argc, char **argv);
int cmd_options(int argc, char **argv);
int cmd_panic(int argc, char **argv);
int cmd_reboot(int argc, char **argv);
int cmd_exit(int argc, char **argv);

/* cmd_memory.c */
int cmd_maps(int argc, char **argv);
int cmd_vmstat(int argc, char **argv);
int cmd_pages(int argc, char **argv);
int cmd_audit(int argc, char **argv);

/* cmd_tlb.c */
int cmd_tlb(int argc, char **argv);

/* cmd_caches.c */
int cmd_magazines(int argc, char **argv);

/* cmd_alloc.c */
int cmd_alloc(int argc, char **argv);
int cmd_free(int argc, char **argv);

/* cmd_zones.c */
int cmd_zones(int argc, char **argv);
/* Their tables, which vmstat -z and -m show one by one. */
void show_zones(void);
void show_malloc_types(void);

/* cmd_sysctl.c */
int cmd_sysctl(int argc, char **argv);

/* selftest/selftest.c */
int cmd_selftest(int argc, char **argv);

/* cmd_top.c, trace.c */
int cmd_top(int argc, char **argv);
int cmd_trace(int argc, char **argv);

/* stress/args.c */
int cmd_stress(int argc, char **argv);

#endif
