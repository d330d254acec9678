/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/manual.h"

#include "lib/string.h"

static const struct manual manuals[] = {
    {"help", true, "", "help alloc", "explains the command alloc"},
    {"sysinfo", false, "", "sysinfo", "says what this machine is"},
    {"cpus", true, "", "cpus", "one line for each CPU"},
    {"threads", true, "", "threads", "one line for each thread, and what it waits for"},
    {"top", false, "  Keys: q ends it, space draws at once.\n", "top",
     "shows which CPUs and threads are busy, until q is pressed"},
    {"trace", true,
     "  on and off switch it, clear forgets what was recorded; a number shows so many events.\n",
     "trace on; alloc 64K; trace 20", "the last 20 events, the newest at the end"},
    {"log", true, "", "log", "everything that the kernel has said since it started"},
    {"options", true, "", "options", "what may stand on the line that the loader passes"},
    {"maps", true, "", "maps", "every range of kernel addresses that is in use"},
    {"vmstat", true, "", "vmstat -z", "the zones instead of the pages"},
    {"magazines", true, "", "magazines 0", "what CPU 0 keeps at hand"},
    {"zones", true, "", "zones", "the zones, and then the types of malloc"},
    {"pages", true, "", "pages", "free memory, by domain and size of block"},
    {"tlb", true, "", "tlb", "how often CPUs were asked to forget translations, and why"},
    {"audit", true, "", "audit", "checks everything, and says audit: ok"},
    {"alloc", false, "", "alloc 64K", "64 KiB of kernel memory, filled; free gives them back"},
    {"free", false, "", "free 0xffffc00000010000", "gives back what alloc said it has"},
    {"sysctl", true, "  -d explains the values instead of showing them.\n", "sysctl kmem.cache=off",
     "switches the kmem caches off, and says what it was before"},
    {"selftest", false, "", "selftest kmem tlb", "the cases whose names begin with these words"},
    {"stress", false,
     "  SECONDS is a number or \"forever\". WHAT are scenarios, or kinds of memory and acts; a\n"
     "  word that is none of them lists all. live draws a dashboard, plain does not; keys there:\n"
     "  1 to 5 pages, n more of a page, p pause, q end.\n",
     "stress 120 seed=7 rights remaps", "two scenarios in turn for two minutes"},
    {"bench", false, "", "bench --quick page", "the cases of the family page, with few samples"},
    {"panic", false, "", "panic", "stops the kernel, with everything that a panic says"},
    {"reboot", false, "", "reboot", "starts the machine again"},
    {"exit", false, "", "exit", "turns the machine off, or ends the emulator"},
};

const struct manual *manual_find(const char *name)
{
	for (size_t i = 0; i < nitems(manuals); i++)
		if (strcmp(manuals[i].name, name) == 0)
			return &manuals[i];
	return NULL;
}
