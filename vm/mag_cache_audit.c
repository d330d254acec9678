/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Looking at what magazine caches hold: each CPU at its own part, with interrupts disabled, one CPU
 * after the other; and the depot, by taking it apart and putting it together again.
 */
#include "smp/call.h"
#include "smp/smp.h"
#include "vm/mag_cache_private.h"
#include "vm/vm_report.h"

struct visit {
	struct mag_cache *cache;
	void (*visit)(void *arg, void *item, int cpu);
	void *arg;
};

static void visit_items(const struct visit *visit, void *const *items, unsigned count, int cpu)
{
	for (unsigned i = 0; i < count; i++)
		visit->visit(visit->arg, items[i], cpu);
}

static void visit_here(void *arg)
{
	const struct visit *visit = (const struct visit *)arg;
	const struct mag_cpu *part = mag_cpu_self(visit->cache);
	int cpu = (int)arch_cpu_id();

	if (part->loaded != NULL)
		visit_items(visit, part->loaded->rounds,
			    atomic32_load(&part->stack.count, MO_RELAXED), cpu);
	if (part->previous != NULL)
		visit_items(visit, part->previous->rounds, part->previous->count, cpu);
	for (const struct mag *mag = part->stash; mag != NULL; mag = mag_next(mag))
		visit_items(visit, mag->rounds, mag->count, cpu);
}

/* Each CPU after the other, so that the visits do not run beside each other. */
static void visit_cpus(struct visit *visit)
{
	struct cpuset online;
	bool irq_was_enabled;

	if (mag_cache_can_drain()) {
		smp_online_set(&online);
		CPUSET_FOREACH (cpu, &online)
			smp_call_one(cpu, visit_here, visit);
		return;
	}
	irq_was_enabled = arch_irq_save();
	visit_here(visit);
	arch_irq_restore(irq_was_enabled);
}

/*
 * Takes the magazines off the list, looks, and puts them back: or gives up what they hold, if
 * somebody came meanwhile who needs it and did not find it.
 */
static void visit_depot(const struct visit *visit)
{
	struct mag *chain = NULL, *mag;
	unsigned retries = 0;

	while ((mag = mag_list_pop(&visit->cache->full, &retries)) != NULL) {
		visit_items(visit, mag->rounds, mag->count, MAG_CACHE_DEPOT);
		mag_set_next(mag, chain);
		chain = mag;
	}
	while ((mag = chain) != NULL) {
		chain = mag_next(mag);
		(void)mag_list_push(&visit->cache->full, mag, UINT32_MAX, &retries);
	}
	if (mag_cache_is_short(visit->cache))
		(void)mag_cache_trim(visit->cache, 0);
}

void mag_cache_visit(struct mag_cache *cache, void (*visit)(void *arg, void *item, int cpu),
		     void *arg)
{
	struct visit v = {cache, visit, arg};

	if (cache->lines == 0)
		return;
	visit_cpus(&v);
	visit_depot(&v);
}

/* --- Audit --- */

struct audit {
	struct mag_cache *cache;
	void (*report)(const char *line);
	unsigned broken;
};

static void audit_loaded(struct audit *audit, const struct mag_cpu *part)
{
	const char *name = audit->cache->config.name;
	uint32_t count = atomic32_load(&part->stack.count, MO_RELAXED);
	uint32_t capacity = atomic32_load(&part->stack.capacity, MO_RELAXED);
	unsigned cpu = arch_cpu_id();

	if (count > MAG_ROUNDS || capacity > MAG_ROUNDS)
		audit->broken += vm_report(audit->report, "%s: CPU %u has %u of %u items", name,
					   cpu, count, capacity);
	if (part->loaded == NULL && (count != 0 || capacity != 0 || part->stack.slots != NULL))
		audit->broken += vm_report(audit->report, "%s: CPU %u has %u items and no magazine",
					   name, cpu, count);
	if (part->loaded != NULL && part->stack.slots != part->loaded->rounds)
		audit->broken +=
		    vm_report(audit->report, "%s: CPU %u uses a magazine not its own", name, cpu);
}

/* A chain has so many magazines, none of them used otherwise. *items: what they hold. */
static void audit_chain(struct audit *audit, const struct mag_cpu *part, const struct mag *chain,
			unsigned mags, uint32_t *items)
{
	const char *name = audit->cache->config.name;
	unsigned cpu = arch_cpu_id(), found = 0;

	for (; chain != NULL && found <= mags; chain = mag_next(chain), found++) {
		*items += chain->count;
		if (chain == part->loaded || chain == part->previous)
			audit->broken += vm_report(audit->report,
						   "%s: CPU %u has one magazine twice", name, cpu);
	}
	if (found != mags)
		audit->broken +=
		    vm_report(audit->report, "%s: CPU %u has %s than %u magazines in a chain", name,
			      cpu, found > mags ? "more" : "less", mags);
}

static void audit_reserve(struct audit *audit, const struct mag_cpu *part)
{
	const char *name = audit->cache->config.name;
	uint32_t items = part->previous != NULL ? part->previous->count : 0, spare = 0;
	unsigned cpu = arch_cpu_id();

	if (part->loaded != NULL && part->loaded == part->previous)
		audit->broken +=
		    vm_report(audit->report, "%s: CPU %u has one magazine twice", name, cpu);
	audit_chain(audit, part, part->stash, part->stash_mags, &items);
	audit_chain(audit, part, part->spares, part->spare_mags, &spare);
	if (items != atomic32_load(&part->reserve, MO_RELAXED) || spare != 0 ||
	    part->stash_mags > audit->cache->stash_limit || part->spare_mags > MAG_SPARES_MAX)
		audit->broken +=
		    vm_report(audit->report, "%s: CPU %u has %u items in reserve, %u in empty ones",
			      name, cpu, items, spare);
}

static void audit_here(void *arg)
{
	struct audit *audit = (struct audit *)arg;
	const struct mag_cpu *part = mag_cpu_self(audit->cache);

	audit_loaded(audit, part);
	audit_reserve(audit, part);
}

unsigned mag_cache_audit(struct mag_cache *cache, void (*report)(const char *line))
{
	struct audit audit = {cache, report, 0};
	struct cpuset online;
	bool irq_was_enabled;

	if (cache->lines == 0)
		return 0;
	if (mag_cache_can_drain()) {
		smp_online_set(&online);
		CPUSET_FOREACH (cpu, &online)
			smp_call_one(cpu, audit_here, &audit);
	} else {
		irq_was_enabled = arch_irq_save();
		audit_here(&audit);
		arch_irq_restore(irq_was_enabled);
	}
	return audit.broken;
}
