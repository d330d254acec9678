/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Object caches for the cases: the counterparts of zones. SLAB_NOLEAKTRACE does nothing in a kernel
 * without kmemleak except that it keeps Linux from merging the cache with another one of this size.
 */
#ifndef QUIRE_BENCH_PEERS_LINUX_MODULE_ITEM_H
#define QUIRE_BENCH_PEERS_LINUX_MODULE_ITEM_H

#include <linux/slab.h>

#include "bench/peers/linux/module/harness.h"

/* NULL if memory is short. */
static inline struct kmem_cache *item_cache_new(const char *name, unsigned int size)
{
	return kmem_cache_create(name, size, 0, SLAB_NOLEAKTRACE, NULL);
}

/* Setup and teardown of a case whose run->state is one cache of items of what->size bytes. */
int item_setup(struct bench_run *run);
void item_teardown(struct bench_run *run);

static inline struct kmem_cache *item_cache_of(const struct bench_cpu *cpu)
{
	return cpu->run->state;
}

#endif
