/* SPDX-License-Identifier: BSD-2-Clause */
/* The quarantine for people: figures, settings, and its audit. */
#include "kernel/registry/sysctl.h"
#include "lib/bits.h"
#include "vm/pmap.h"
#include "vm/vm_kern_quarantine_private.h"
#include "vm/vm_report.h"

void kmem_quarantine_stats(struct kmem_quarantine_stats *stats)
{
	struct quarantine_shared *shared = &quarantine_shared;

	*stats = (struct kmem_quarantine_stats){
	    .flushes = atomic64_load(&shared->flushes, MO_RELAXED),
	    .limit_flushes = atomic64_load(&shared->limit_flushes, MO_RELAXED),
	    .pages_max = atomic64_load(&shared->pages_max, MO_RELAXED),
	    .pages_now = kmem_quarantine_pages(),
	    .pages_limit = shared->pages_limit,
	};
	for (unsigned cpu = 0; cpu < shared->cpu_count; cpu++) {
		const struct quarantine *q = &shared->cpus[cpu];

		stats->ranges += atomic64_load(&q->ranges_put, MO_RELAXED);
		stats->pages += atomic64_load(&q->pages_put, MO_RELAXED);
		stats->runs += atomic64_load(&q->runs, MO_RELAXED);
		stats->batches += atomic64_load(&q->batches, MO_RELAXED);
	}
}

/* --- Audit --- */

struct audit {
	void (*report)(const char *line);
	unsigned broken;
};

static void audit_range(struct audit *audit, const struct quarantine_range *range)
{
	for (vm_offset_t va = range->start; va < range->end; va += PAGE_SIZE)
		if (pmap_extract(range->map->pmap, va) != 0)
			audit->broken +=
			    vm_report(audit->report, "quarantine: %#lx is mapped in %s",
				      (unsigned long)va, range->map->name);
}

/* Pages of a batch. */
static uint64_t audit_batch(struct audit *audit, const struct quarantine_batch *batch)
{
	uint64_t pages = 0;

	for (unsigned i = 0; i < batch->count; i++) {
		const struct quarantine_range *range = &batch->ranges[i];

		audit_range(audit, range);
		pages += atop(range->end - range->start);
	}
	if (pages > batch->pages)
		audit->broken += vm_report(audit->report,
					   "quarantine: a batch of %lu pages says that it has %lu",
					   (unsigned long)pages, (unsigned long)batch->pages);
	return pages;
}

static void audit_cpu(struct audit *audit, unsigned cpu)
{
	struct quarantine *q = &quarantine_shared.cpus[cpu];
	const struct quarantine_batch *batch, *before = NULL;
	uint64_t pages = 0;

	spin_lock(&q->lock);
	if (q->open != NULL)
		pages += audit_batch(audit, q->open);
	if (q->run.map != NULL)
		pages += atop(q->run.end - q->run.start);
	STAILQ_FOREACH (batch, &q->sealed, link) {
		pages += audit_batch(audit, batch);
		if (before != NULL && (int64_t)(batch->generation - before->generation) < 0)
			audit->broken += vm_report(
			    audit->report,
			    "quarantine: cpu %u has a batch of an older generation behind one",
			    cpu);
		before = batch;
	}
	if (pages != atomic64_load(&q->pages, MO_RELAXED))
		audit->broken += vm_report(
		    audit->report, "quarantine: cpu %u holds %lu pages, counted are %lu", cpu,
		    (unsigned long)pages, (unsigned long)atomic64_load(&q->pages, MO_RELAXED));
	spin_unlock(&q->lock);
}

unsigned kmem_quarantine_audit(void (*report)(const char *line))
{
	struct audit audit = {.report = report};

	for (unsigned cpu = 0; cpu < quarantine_shared.cpu_count; cpu++)
		audit_cpu(&audit, cpu);
	return audit.broken;
}

/* --- Settings and figures by name --- */

static enum sysctl_status immediate_access(struct sysctl_oid *oid, bool write, uint64_t *value,
					   char *text, size_t text_size)
{
	(void)oid;
	(void)text;
	(void)text_size;
	if (write)
		kmem_quarantine_set_immediate(*value != 0);
	else
		*value = kmem_quarantine_immediate();
	return SYSCTL_OK;
}

static enum sysctl_status stat_read(struct sysctl_oid *oid, bool write, uint64_t *value, char *text,
				    size_t text_size)
{
	struct kmem_quarantine_stats stats;

	(void)write;
	(void)text;
	(void)text_size;
	kmem_quarantine_stats(&stats);
	*value = *(const uint64_t *)((const char *)&stats + (uintptr_t)oid->arg);
	return SYSCTL_OK;
}

#define STAT_NODE(var, name, field, descr)                                                         \
	static SYSCTL_PROC(var, "vm.quarantine." name, SYSCTL_TYPE_U64, SYSCTL_RD, stat_read,      \
			   (void *)offsetof(struct kmem_quarantine_stats, field), descr)

static SYSCTL_PROC(immediate_node, "vm.tlb.immediate", SYSCTL_TYPE_BOOL, SYSCTL_RW,
		   immediate_access, NULL,
		   "a free makes every CPU forget at once, instead of waiting until they have");
STAT_NODE(now_node, "pages", pages_now, "pages that are freed and wait until no CPU knows them");
STAT_NODE(max_node, "pages_max", pages_max, "the most pages that ever waited");
STAT_NODE(limit_node, "pages_limit", pages_limit, "more than these may not wait");
STAT_NODE(ranges_node, "ranges", ranges, "frees that waited");
STAT_NODE(total_node, "pages_total", pages, "pages of these frees");
STAT_NODE(runs_node, "runs", runs, "pieces of address space given back after waiting");
STAT_NODE(batches_node, "batches", batches, "generations of the TLB that were begun for them");
STAT_NODE(flushes_node, "flushes", flushes, "times that all of it was flushed for a shortage");
STAT_NODE(limit_flushes_node, "limit_flushes", limit_flushes, "the same, at the limit of pages");

static struct sysctl_oid *const nodes[] = {
    &immediate_node, &now_node,  &max_node,     &limit_node,   &ranges_node,
    &total_node,     &runs_node, &batches_node, &flushes_node, &limit_flushes_node,
};

void kmem_quarantine_sysctl_init(void)
{
	(void)sysctl_register_all(nodes, nitems(nodes));
}
