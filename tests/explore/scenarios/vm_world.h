/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What scenarios of vm/ share: a machine with so little RAM that magazines hold two pages, and the
 * question whether every page has come back.
 */
#ifndef QUIRE_TESTS_EXPLORE_SCENARIOS_VM_WORLD_H
#define QUIRE_TESTS_EXPLORE_SCENARIOS_VM_WORLD_H

#include "arch/physmap.h"
#include "tests/explore/scenario.h"
#include "vm/mag_cache_private.h"
#include "vm/uma.h"
#include "vm/vm_kern_quarantine.h"
#include "vm/vm_magazine.h"
#include "vm/vm_page.h"
#include "vm/vm_phys.h"

namespace quire
{

/* For explore_scenario.configure. */
inline void vm_world_small(struct host_config *config)
{
	config->ranges[0].start = 1 << 20;
	config->ranges[0].end = (1 << 20) + (3 << 20);
	config->ranges[0].domain = 0;
	config->range_count = 1;
	config->image_size = 64 * 1024;
}

/* In create(): more magazines than any schedule uses at one time, so that none has to make some. */
inline void vm_world_prepare(void)
{
	struct mag *mags[32];

	for (struct mag *&mag : mags)
		mag = mag_pool_get();
	for (struct mag *mag : mags)
		if (mag != nullptr)
			mag_pool_put(mag);
}

/*
 * Puts all that CPUs keep back, so that each schedule begins alike; returns what is free then, and
 * what magazines are made of, which stays and may become more when many are in use at one time.
 */
inline uint64_t vm_world_settle(void)
{
	uma_reclaim();
	(void)kmem_quarantine_flush();
	return vm_phys_free_pages(0) + mag_pool_pages();
}

/* A word of the page by which its holders find out about each other. */
inline uint64_t *page_word(vm_page_t m)
{
	return static_cast<uint64_t *>(arch_physmap(VM_PAGE_TO_PHYS(m)));
}

} // namespace quire

#endif
