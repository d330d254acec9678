/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The audit of the whole memory system.
 *
 * Each part checks its own structure; this file checks what holds between them: what a map entry
 * says, what its object holds, what the page table maps and what the page descriptors claim must
 * be the same story, and every page of RAM must have exactly one place in it.
 */
#include "vm/vm_audit.h"

#include "smp/shootdown.h"
#include "smp/smp.h"
#include "vm/pmap.h"
#include "vm/uma.h"
#include "vm/vm_kern.h"
#include "vm/vm_kern_cache.h"
#include "vm/vm_kern_quarantine.h"
#include "vm/vm_magazine.h"
#include "vm/vm_map_private.h"
#include "vm/vm_object.h"
#include "vm/vm_page.h"
#include "vm/vm_page_retire.h"
#include "vm/vm_pageable.h"
#include "vm/vm_phys.h"
#include "vm/vm_report.h"

/* What the walk over all maps has seen. */
struct audit {
	void (*report)(const char *line);
	unsigned broken;
	uint64_t resident[2];   /* pages of kernel_object and kmem_object that entries wire */
	uint64_t references[2]; /* entries that refer to each */
};

static vm_object_t const audited_objects[2] = {kernel_object, kmem_object};

static void check_descriptors(struct audit *audit)
{
	uint64_t states[VM_PAGE_STATES], total = 0, sum = 0, free = 0;

	for (unsigned d = 0; d < vm_phys_domain_count(); d++) {
		audit->broken += vm_phys_audit(d, audit->report);
		total += vm_phys_total_pages(d);
		free += vm_phys_free_pages(d);
	}
	vm_page_count_states(states);
	for (unsigned i = 0; i < VM_PAGE_STATES; i++)
		sum += states[i];
	if (sum != total)
		audit->broken += vm_report(audit->report, "pages: %lu have a state, RAM has %lu",
					   (unsigned long)sum, (unsigned long)total);
	if (states[VM_PAGE_FREE] != free)
		audit->broken += vm_report(
		    audit->report, "pages: %lu say that they are free, the allocator counts %lu",
		    (unsigned long)states[VM_PAGE_FREE], (unsigned long)free);
	audit->broken += vm_page_retire_audit(states[VM_PAGE_RETIRED], audit->report);
	audit->broken += vm_magazine_audit(audit->report);
}

static void check_wired_page(struct audit *audit, vm_map_entry_t entry, vm_offset_t va)
{
	vm_object_t object = entry->object.vm_object;
	vm_pindex_t pindex = atop(entry->offset + (va - entry->start));
	unsigned level = 0;
	pte_t leaf = pmap_leaf(kernel_pmap, va, &level);
	vm_paddr_t pa = pmap_kextract(va);
	vm_page_t m;

	VM_OBJECT_WLOCK(object);
	m = vm_object_page_find(object, pindex);
	VM_OBJECT_WUNLOCK(object);
	if (m == NULL) {
		audit->broken +=
		    vm_report(audit->report, "wired %#lx has no page", (unsigned long)va);
		return;
	}
	if (m->object != object || m->pindex != pindex || m->state != VM_PAGE_ALLOCATED)
		audit->broken += vm_report(
		    audit->report, "page of %#lx says it is elsewhere (state %u, index %lu)",
		    (unsigned long)va, m->state, (unsigned long)m->pindex);
	if (m->wire_count != 1 || (m->oflags & VPO_BUSY) != 0 || m->valid != VM_PAGE_BITS_ALL)
		audit->broken += vm_report(
		    audit->report, "page of wired %#lx: wire count %u, oflags %#x, valid %#x",
		    (unsigned long)va, m->wire_count, m->oflags, m->valid);
	/* Where all access is forbidden the page stays, and nothing maps it. */
	if (entry->protection == VM_PROT_NONE) {
		if (leaf != 0)
			audit->broken += vm_report(
			    audit->report, "wired %#lx is mapped, but its range allows no access",
			    (unsigned long)va);
		return;
	}
	if ((leaf & PTE_PRESENT) == 0 || pa != VM_PAGE_TO_PHYS(m))
		audit->broken += vm_report(audit->report, "wired %#lx maps %#lx, its page is %#lx",
					   (unsigned long)va, (unsigned long)pa,
					   (unsigned long)VM_PAGE_TO_PHYS(m));
	if (((leaf & PTE_WRITE) != 0) != ((entry->protection & VM_PROT_WRITE) != 0))
		audit->broken +=
		    vm_report(audit->report, "%#lx: page table and map differ about writing",
			      (unsigned long)va);
}

/* A wired entry has all its pages; one that is no longer wired keeps those that it has. */
static uint64_t entry_resident(vm_map_entry_t entry)
{
	vm_object_t object = entry->object.vm_object;
	vm_pindex_t first = atop(entry->offset), end = first + atop(entry->end - entry->start);
	uint64_t resident = 0;

	if (entry->wired_count != 0)
		return end - first;
	VM_OBJECT_WLOCK(object);
	for (vm_pindex_t i = first; i < end; i++)
		resident += vm_object_page_find(object, i) != NULL;
	VM_OBJECT_WUNLOCK(object);
	return resident;
}

static void check_object_entry(struct audit *audit, vm_map_entry_t entry)
{
	for (unsigned i = 0; i < nitems(audited_objects); i++) {
		if (entry->object.vm_object != audited_objects[i])
			continue;
		audit->references[i]++;
		audit->resident[i] += entry_resident(entry);
		if (entry->offset != entry->start - VM_MIN_KERNEL_ADDRESS)
			audit->broken +=
			    vm_report(audit->report, "entry at %#lx has offset %#lx in %s",
				      (unsigned long)entry->start, (unsigned long)entry->offset,
				      audited_objects[i]->name);
	}
	if (entry->wired_count == 0)
		return;
	for (vm_offset_t va = entry->start; va < entry->end; va += PAGE_SIZE)
		check_wired_page(audit, entry, va);
}

static bool leaf_unexpected(void *ctx, vm_offset_t va, vm_size_t size, pte_t leaf)
{
	struct audit *audit = (struct audit *)ctx;

	(void)leaf;
	audit->broken +=
	    vm_report(audit->report, "%#lx (%#lx bytes) is mapped, but nothing wired is there",
		      (unsigned long)va, (unsigned long)size);
	return true;
}

/* What a map's entries claim, beside objects and page table. At rest the list stands still. */
static void check_map(struct audit *audit, vm_map_t map)
{
	vm_offset_t free_from = map->min_offset;
	vm_map_entry_t entry;

	TAILQ_FOREACH (entry, &map->entries, list) {
		pmap_walk(map->pmap, free_from, entry->start, leaf_unexpected, audit);
		free_from = entry->end;
		if (entry->eflags & MAP_ENTRY_IS_SUB_MAP)
			check_map(audit, entry->object.sub_map);
		else if (entry->object.vm_object != NULL)
			check_object_entry(audit, entry);
	}
	pmap_walk(map->pmap, free_from, map->max_offset, leaf_unexpected, audit);
}

static void check_object(struct audit *audit, unsigned i)
{
	vm_object_t object = audited_objects[i];
	uint32_t references = atomic32_load(&object->ref_count, MO_RELAXED);

	VM_OBJECT_WLOCK(object);
	audit->broken += vm_radix_audit(&object->index, audit->report);
	VM_OBJECT_WUNLOCK(object);
	if (object->resident_page_count != audit->resident[i])
		audit->broken += vm_report(audit->report, "%s holds %lu pages, entries wire %lu",
					   object->name, (unsigned long)object->resident_page_count,
					   (unsigned long)audit->resident[i]);
	/* One reference is the object's own, for ever. */
	if (references != audit->references[i] + 1)
		audit->broken +=
		    vm_report(audit->report, "%s has %u references, %lu entries refer to it",
			      object->name, references, (unsigned long)audit->references[i]);
}

static void check_cpus(struct audit *audit)
{
	struct cpuset online;

	smp_online_set(&online);
	if (cpuset_count(&online) != smp_online_count())
		audit->broken += vm_report(audit->report, "%u CPUs in the online set, %u counted",
					   cpuset_count(&online), smp_online_count());
	CPUSET_FOREACH (cpu, &online) {
		if (cpu >= smp_cpu_count() || percpu_of(cpu) == NULL)
			audit->broken +=
			    vm_report(audit->report, "cpu %u is online, but was never found", cpu);
	}
	audit->broken += shootdown_audit(audit->report);
}

unsigned vm_audit(void (*report)(const char *line))
{
	struct audit audit = {.report = report};

	/* As it is, and then out of the way: maps and objects take it for allocated. */
	audit.broken += kmem_quarantine_audit(report);
	(void)kmem_quarantine_flush();
	vm_magazine_pause();
	check_descriptors(&audit);
	audit.broken += vm_pool_audit(&map_entry_pool, report);
	audit.broken += uma_audit(report);
	audit.broken += kmem_cache_audit(report);
	audit.broken += vm_map_audit(kernel_map, report);
	check_map(&audit, kernel_map);
	for (unsigned i = 0; i < nitems(audited_objects); i++)
		check_object(&audit, i);
	audit.broken += pmap_audit(kernel_pmap, report);
	audit.broken += pmap_attr_audit(kernel_pmap, report);
	audit.broken += vm_pageable_audit(report);
	check_cpus(&audit);
	vm_magazine_resume();
	return audit.broken;
}

void vm_accounting(struct vm_accounting *acc)
{
	uint64_t states[VM_PAGE_STATES];

	vm_magazine_pause();
	vm_page_count_states(states);
	acc->boot = states[VM_PAGE_BOOT];
	acc->free = states[VM_PAGE_FREE];
	acc->magazines = states[VM_PAGE_MAGAZINE];
	acc->tables = states[VM_PAGE_TABLE];
	acc->meta = states[VM_PAGE_META];
	acc->zones = states[VM_PAGE_SLAB];
	acc->retired = states[VM_PAGE_RETIRED];
	acc->kmem_caches = kmem_cache_cached_pages();
	acc->quarantine = kmem_quarantine_pages();
	acc->allocated = states[VM_PAGE_ALLOCATED] - acc->kmem_caches - acc->quarantine;
	acc->total = 0;
	for (unsigned i = 0; i < VM_PAGE_STATES; i++)
		acc->total += states[i];
	vm_magazine_resume();
}
