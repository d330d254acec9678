/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Caches. The host's own are coherent, so nothing is to be done; but it is counted, and the oracle
 * asks whether the moment is right.
 */
#include "arch/host/internal.h"
#include "lib/bits.h"

/* Flushes come from any CPU, but the latest range is only looked at while there is one. */
static struct host_cache_stats done;
static bool by_address;

void host_cache_reset(void)
{
	static const struct host_cache_stats nothing;

	done = nothing;
	by_address = true;
}

void host_cache_set_by_address(bool on)
{
	by_address = on;
}

void host_cache_stats(struct host_cache_stats *stats)
{
	*stats = done;
}

static void count(uint64_t *counter, uint64_t n)
{
	__atomic_fetch_add(counter, n, __ATOMIC_RELAXED);
}

bool arch_cache_flush(vm_paddr_t pa, vm_size_t size)
{
	CHECK(is_aligned(pa | size, PAGE_SIZE));
	if (!by_address)
		return false;
	host_oracle_cache_flushed(pa, size);
	count(&done.ranges, 1);
	count(&done.pages, atop(size));
	__atomic_store_n(&done.pa, pa, __ATOMIC_RELAXED);
	__atomic_store_n(&done.size, size, __ATOMIC_RELAXED);
	return true;
}

void arch_cache_flush_all(void)
{
	count(&done.all, 1);
}
