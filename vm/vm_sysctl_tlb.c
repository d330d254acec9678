/* SPDX-License-Identifier: BSD-2-Clause */
/* What TLB shootdown shows by name: vm.tlb, read-only. Sums over all CPUs since boot. */
#include "arch/ipi.h"
#include "kernel/registry/sysctl.h"
#include "lib/format.h"
#include "smp/shootdown.h"
#include "smp/tlb.h"
#include "vm/vm_sysctl.h"

enum figure {
	FIGURE_PAGES = SHOOTDOWN_REASONS, /* below: requests of that reason */
	FIGURE_FULL,
	FIGURE_TARGETS,
	FIGURE_LEFT_OUT,
	FIGURE_ALONE,
	FIGURE_SERVED,
	FIGURE_RESENDS,
	FIGURE_MAX_WAIT,
	FIGURE_IPIS,
	FIGURE_GENERATION,
	FIGURE_PASSED,
	FIGURE_FLUSHES,
	FIGURE_LAZY_ENTERED,
	FIGURE_LAZY_FLUSHES,
};

static uint64_t figure_of_requests(const struct shootdown_stats *stats, enum figure figure)
{
	if ((unsigned)figure < SHOOTDOWN_REASONS)
		return stats->requests[figure];
	switch (figure) {
	case FIGURE_PAGES:
		return stats->pages;
	case FIGURE_FULL:
		return stats->full_flushes;
	case FIGURE_TARGETS:
		return stats->targets;
	case FIGURE_LEFT_OUT:
		return stats->left_out;
	case FIGURE_ALONE:
		return stats->local_only;
	case FIGURE_SERVED:
		return stats->served;
	case FIGURE_RESENDS:
		return stats->resends;
	default:
		return stats->max_wait_ns;
	}
}

static uint64_t figure_of_generations(const struct tlb_stats *stats, enum figure figure)
{
	switch (figure) {
	case FIGURE_GENERATION:
		return tlb_generation_now();
	case FIGURE_PASSED:
		return tlb_generation_known_passed();
	case FIGURE_FLUSHES:
		return stats->flushes;
	case FIGURE_LAZY_ENTERED:
		return stats->lazy_entered;
	case FIGURE_LAZY_FLUSHES:
		return stats->lazy_flushes;
	default:
		return arch_ipi_commands();
	}
}

static enum sysctl_status figure_read(struct sysctl_oid *oid, bool write, uint64_t *value,
				      char *text, size_t text_size)
{
	enum figure figure = (enum figure)(uintptr_t)oid->arg;
	struct shootdown_stats requests;
	struct tlb_stats generations;

	(void)write;
	(void)text;
	(void)text_size;
	if (figure < FIGURE_IPIS) {
		shootdown_stats(&requests);
		*value = figure_of_requests(&requests, figure);
	} else {
		tlb_stats(&generations);
		*value = figure_of_generations(&generations, figure);
	}
	return SYSCTL_OK;
}

/* "1024:3 2048:17": from that many nanoseconds up to twice that, so many requests. */
static enum sysctl_status waits_read(struct sysctl_oid *oid, bool write, uint64_t *value,
				     char *text, size_t text_size)
{
	struct shootdown_stats stats;
	size_t used = 0;

	(void)oid;
	(void)write;
	(void)value;
	text[0] = 0;
	shootdown_stats(&stats);
	for (unsigned i = 0; i < SHOOTDOWN_WAIT_BUCKETS && used < text_size; i++)
		if (stats.waits[i] != 0)
			used +=
			    format(text + used, text_size - used, "%s%lu:%lu", used == 0 ? "" : " ",
				   1ul << i, (unsigned long)stats.waits[i]);
	return SYSCTL_OK;
}

#define FIGURE_NODE(var, name, figure, descr)                                                      \
	static SYSCTL_PROC(var, "vm.tlb." name, SYSCTL_TYPE_U64, SYSCTL_RD, figure_read,           \
			   (void *)(uintptr_t)(figure), descr)

FIGURE_NODE(free_node, "requests.free", SHOOTDOWN_FREE, "shootdowns of memory that was freed");
FIGURE_NODE(protect_node, "requests.protect", SHOOTDOWN_PROTECT,
	    "shootdowns because rights were taken away");
FIGURE_NODE(demote_node, "requests.demote", SHOOTDOWN_DEMOTE,
	    "shootdowns because a large page became small ones");
FIGURE_NODE(qremove_node, "requests.qremove", SHOOTDOWN_QREMOVE,
	    "shootdowns of temporary mappings");
FIGURE_NODE(memattr_node, "requests.memattr", SHOOTDOWN_MEMATTR,
	    "shootdowns because a page changed its memory type");
FIGURE_NODE(forced_node, "requests.forced", SHOOTDOWN_FORCED,
	    "generations that somebody could not wait for");
FIGURE_NODE(pages_node, "pages", FIGURE_PAGES, "pages in shootdowns");
FIGURE_NODE(full_node, "full", FIGURE_FULL, "shootdowns that dropped everything");
FIGURE_NODE(targets_node, "targets", FIGURE_TARGETS,
	    "CPUs that were asked, summed over shootdowns");
FIGURE_NODE(left_out_node, "left_out", FIGURE_LEFT_OUT,
	    "CPUs that were not asked because they idled, summed over shootdowns");
FIGURE_NODE(alone_node, "alone", FIGURE_ALONE, "shootdowns that had to ask nobody");
FIGURE_NODE(served_node, "served", FIGURE_SERVED, "requests that CPUs carried out for others");
FIGURE_NODE(resends_node, "resends", FIGURE_RESENDS, "interrupts that had to be sent again");
FIGURE_NODE(max_wait_node, "max_wait_ns", FIGURE_MAX_WAIT, "the longest shootdown");
FIGURE_NODE(ipis_node, "ipis", FIGURE_IPIS, "interrupt commands given, for whatever purpose");
FIGURE_NODE(generation_node, "generation", FIGURE_GENERATION, "the generation that began last");
FIGURE_NODE(passed_node, "passed", FIGURE_PASSED, "the latest one known to have passed");
FIGURE_NODE(flushes_node, "flushes", FIGURE_FLUSHES, "full flushes, for whatever reason");
FIGURE_NODE(lazy_entered_node, "lazy_entered", FIGURE_LAZY_ENTERED,
	    "times that a CPU idled, so that it need not be asked");
FIGURE_NODE(lazy_flushes_node, "lazy_flushes", FIGURE_LAZY_FLUSHES,
	    "times that it had to flush afterwards");
static SYSCTL_PROC(waits_node, "vm.tlb.waits_ns", SYSCTL_TYPE_STRING, SYSCTL_RD, waits_read, NULL,
		   "shootdowns that asked somebody, by how long they took: powers of two");

static struct sysctl_oid *const nodes[] = {
    &free_node,       &protect_node, &demote_node,  &qremove_node,      &memattr_node,
    &forced_node,     &pages_node,   &full_node,    &targets_node,      &left_out_node,
    &alone_node,      &served_node,  &resends_node, &max_wait_node,     &ipis_node,
    &generation_node, &passed_node,  &flushes_node, &lazy_entered_node, &lazy_flushes_node,
    &waits_node,
};

void vm_sysctl_tlb_init(void)
{
	(void)sysctl_register_all(nodes, nitems(nodes));
}
