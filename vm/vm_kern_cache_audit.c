/* SPDX-License-Identifier: BSD-2-Clause */
/* The audit of the kmem caches: tags, caches and page tables tell the same story. */
#include "arch/physmap.h"
#include "vm/pmap.h"
#include "vm/vm_kern_cache_private.h"
#include "vm/vm_magazine.h"
#include "vm/vm_report.h"

struct audit {
	void (*report)(const char *line);
	uint64_t npages;
	unsigned tag;     /* that each range must have */
	uint64_t visited; /* ranges */
	unsigned broken;
};

static bool page_is_zero(vm_paddr_t pa)
{
	const uint64_t *words = (const uint64_t *)arch_physmap(pa);

	for (unsigned i = 0; i < PAGE_SIZE / sizeof(*words); i++)
		if (words[i] != 0)
			return false;
	return true;
}

static void audit_page(struct audit *audit, vm_offset_t va, int cpu)
{
	vm_paddr_t pa = pmap_kextract(va);

	if (pa == 0)
		audit->broken +=
		    vm_report(audit->report, "kmem cache of CPU %d: %#lx is not mapped", cpu,
			      (unsigned long)va);
	else if ((audit->tag & KMEM_TAG_ZEROED) == KMEM_TAG_ZEROED && !page_is_zero(pa))
		audit->broken += vm_report(audit->report, "kmem cache of CPU %d: %#lx is not zero",
					   cpu, (unsigned long)va);
}

static void audit_range(void *arg, void *item, int cpu)
{
	struct audit *audit = (struct audit *)arg;
	vm_offset_t addr = (vm_offset_t)item;
	uint64_t index = atop(addr - kmem_caches.base);

	audit->visited++;
	if (index + audit->npages > kmem_caches.count || !is_aligned(addr, PAGE_SIZE)) {
		audit->broken += vm_report(audit->report, "kmem cache of CPU %d: %#lx is no range",
					   cpu, (unsigned long)addr);
		return;
	}
	if (kmem_caches.tags[index] != audit->tag)
		audit->broken +=
		    vm_report(audit->report, "kmem cache of CPU %d: %#lx has the tag %#x", cpu,
			      (unsigned long)addr, kmem_caches.tags[index]);
	for (uint64_t i = 0; i < audit->npages; i++)
		audit_page(audit, addr + ptoa(i), cpu);
}

static unsigned audit_tags(const struct audit *audit)
{
	uint64_t tagged = 0;

	for (uint64_t i = 0; i < kmem_caches.count; i++)
		tagged += kmem_caches.tags[i] == audit->tag;
	if (tagged == audit->visited)
		return 0;
	return vm_report(audit->report, "kmem caches: %lu ranges have the tag %#x, %lu are there",
			 (unsigned long)tagged, audit->tag, (unsigned long)audit->visited);
}

static unsigned audit_cache(struct mag_cache *cache, uint64_t npages, unsigned tag,
			    void (*report)(const char *line))
{
	struct audit audit = {report, npages, tag + (unsigned)npages, 0, 0};
	unsigned broken = mag_cache_audit(cache, report);

	mag_cache_visit(cache, audit_range, &audit);
	return broken + audit.broken + audit_tags(&audit);
}

unsigned kmem_cache_audit(void (*report)(const char *line))
{
	unsigned broken = 0;

	if (kmem_caches.tags == NULL)
		return 0;
	vm_magazine_pause();
	for (uint64_t npages = 1; npages <= KMEM_CACHE_PAGES_MAX; npages++) {
		broken +=
		    audit_cache(&kmem_caches.any[npages - 1], npages, KMEM_TAG_CACHED, report);
		if (kmem_has_zeroed(npages - 1))
			broken += audit_cache(&kmem_caches.zeroed[npages - 1], npages,
					      KMEM_TAG_ZEROED, report);
	}
	vm_magazine_resume();
	return broken;
}
