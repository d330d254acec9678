/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What scenarios of the quarantine share: memory that goes there when it is freed, and the question
 * whether all of it comes back.
 */
#ifndef QUIRE_TESTS_EXPLORE_SCENARIOS_QUARANTINE_WORLD_H
#define QUIRE_TESTS_EXPLORE_SCENARIOS_QUARANTINE_WORLD_H

#include "arch/atomic.h"
#include "arch/physmap.h"
#include "smp/tlb.h"
#include "tests/explore/scenarios/keep.h"
#include "tests/explore/scenarios/vm_world.h"
#include "vm/pmap.h"
#include "vm/vm_kern.h"
#include "vm/vm_kern_cache.h"
#include "vm/vm_kern_quarantine.h"

namespace quire
{

inline vm_offset_t quarantine_allocate(vm_size_t size)
{
	vm_offset_t va = kmem_malloc(kmem_map, size, M_NOWAIT | M_USE_RESERVE);

	if (va == 0)
		explore_fail("no memory");
	return va;
}

/* In create(). Tables, entries, nodes: what is kept once it has been needed is there already. */
inline void quarantine_prepare(unsigned ranges)
{
	vm_offset_t held[16];

	keep_shootdown_lines();
	vm_world_prepare();
	kmem_cache_enable(false);
	for (unsigned i = 0; i < ranges; i++)
		held[i] = quarantine_allocate(PAGE_SIZE);
	for (unsigned i = 0; i < ranges; i++)
		kmem_free(kmem_map, held[i], PAGE_SIZE);
	(void)vm_world_settle();
}

/* What CPUs may do at any time: they fetch the translation, and use it for nothing. */
inline void quarantine_read_ahead(vm_offset_t va)
{
	explore_step();
	(void)host_translate(va, HOST_READ, nullptr, nullptr);
}

/* Takes a page and looks whether what it writes goes there, and not to a page of before. */
inline void quarantine_use_new(unsigned cpu)
{
	vm_offset_t va = quarantine_allocate(PAGE_SIZE);
	uint64_t value = va ^ cpu;
	const uint64_t *word;

	host_store64(va, value);
	explore_step();
	word = static_cast<const uint64_t *>(arch_physmap(pmap_kextract(va)));
	if (*word != value || host_load64(va) != value)
		explore_fail("CPU %u writes %#lx at %#lx, and the page holds %#lx", cpu,
			     (unsigned long)value, (unsigned long)va, (unsigned long)*word);
	kmem_free(kmem_map, va, PAGE_SIZE);
}

inline void quarantine_complain(const char *line)
{
	explore_fail("%s", line);
}

/* In check(). */
inline void quarantine_check(uint64_t free_before)
{
	uint64_t free_after;

	(void)kmem_quarantine_audit(quarantine_complain);
	(void)shootdown_audit(quarantine_complain);
	free_after = vm_world_settle();
	if (kmem_quarantine_pages() != 0)
		explore_fail("%lu pages stay in quarantine",
			     (unsigned long)kmem_quarantine_pages());
	if (free_after != free_before)
		explore_fail("%lu pages are free, %lu were", (unsigned long)free_after,
			     (unsigned long)free_before);
}

} // namespace quire

#endif
