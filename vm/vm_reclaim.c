/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Emptying caches, all of them at once: for the page daemon, and for an allocation that fails.
 */
#include "vm/uma.h"
#include "vm/vm_magazine.h"

/*
 * Pools of small structures are not asked: they give a slab back when its last item is freed. The
 * empty ones that they keep are no more than their reserve once needed.
 */
void uma_reclaim(void)
{
	(void)vm_magazine_drain();
}
