/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench/kernel/switch.h"

#include "kernel/console.h"
#include "kernel/registry/sysctl.h"

static struct {
	const char *name;
	bool inverse;        /* 1 turns it off */
	const char *without; /* what a kernel that lacks it does */
	char before[SYSCTL_TEXT_MAX];
	bool changed;
	unsigned noted_for; /* the last case that was told that it is not there */
} switches[BENCH_SWITCHES] = {
    [BENCH_SWITCH_KMEM_CACHE] = {.name = "kmem.cache", .without = "keeps no mapped ranges"},
    [BENCH_SWITCH_KMEM_DEFER] = {.name = "vm.tlb.immediate",
				 .inverse = true,
				 .without = "flushes at every free"},
};

/* Each mode of a case asks. */
static void note_once(unsigned index, enum bench_switch which)
{
	if (switches[which].noted_for != index)
		console_printf("bench: note case=%u this kernel %s\n", index,
			       switches[which].without);
	switches[which].noted_for = index;
}

bool bench_switch_set(struct bench_run *run, enum bench_switch which, bool on)
{
	enum sysctl_status status;
	const char *name = switches[which].name;

	status = sysctl_read(name, switches[which].before, sizeof(switches[which].before));
	if (status == SYSCTL_UNKNOWN) {
		note_once(run->test->index, which);
		return true;
	}
	if (status == SYSCTL_OK)
		status = sysctl_write(name, on != switches[which].inverse ? "1" : "0");
	if (status != SYSCTL_OK)
		return bench_fail(run, "%s cannot be set: %s", name, sysctl_status_text(status));
	switches[which].changed = true;
	return true;
}

void bench_switch_restore(struct bench_run *run, enum bench_switch which)
{
	if (!switches[which].changed)
		return;
	switches[which].changed = false;
	if (sysctl_write(switches[which].name, switches[which].before) != SYSCTL_OK)
		bench_fail(run, "%s cannot be set back", switches[which].name);
}
