/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kmem caches.
 *
 * 1. Purpose. Most kernel memory is freed and wanted again a moment later. Unmapping it means a
 *    TLB shootdown, mapping it again a walk through map, object and page table; keeping it as it
 *    is means neither.
 *
 * 2. Structures. For each size of 1 to 16 pages a magazine cache (mag_cache.h) of ranges. A hit is
 *    one restartable sequence and one byte: each page of kmem_map has a *tag*.
 *
 *	KMEM_TAG_NONE	not a matter of the caches
 *	KMEM_TAG_USED + n	first page of n that belong to somebody
 *	KMEM_TAG_CACHED + n	first page of n that lie in a cache
 *	KMEM_TAG_ZEROED + n	the same, and all of them are known to be zero
 *	KMEM_TAG_INSIDE	a later page of such a range
 *
 *    The tag of a range is written by whoever has the range, so it needs no lock. It is what tells
 *    a free of exactly one allocation from all other frees: a second free finds a cached range, a
 *    free from the middle a page inside of one, another size a number that is not its own. All of
 *    those take the long way, which knows what to do with them.
 *
 * 3. Filling. A miss that finds nothing in the depot takes several ranges in one piece of address
 *    space: one entry, neighbouring page-table entries and tags, which then are one CPU's. When
 *    that much is not to be had, it takes the one range that was asked for, as if there were no
 *    caches.
 *
 * 4. Emptying. Ranges go back side by side where they lie side by side, with one shootdown for
 *    each such piece. Reclaim does it on every CPU's behalf; so does an allocation that fails.
 *
 * 5. Zeroes. For 1, 2, 4, 8 and 16 pages there is a second cache, of ranges that are known to be
 *    zero. An idle CPU fills its part, as many as requests with M_ZERO have missed there. A request
 *    that may get anything takes one only before it would have to import.
 *
 * 6. What is not cached: executable memory, memory that is left out of dumps, other maps, and
 *    everything while kmem.debug is on.
 *
 * 7. Two frees of one range at the very same time on two CPUs are not told apart; one after the
 *    other are. Rejected for it: a locked instruction on each hit.
 */
#include "vm/vm_kern_cache.h"

#include "lib/planted.h"
#include "smp/preempt.h"
#include "vm/vm_kern_cache_private.h"

/* Not a matter of the caches: see 6. */
enum { FLAGS_UNCACHED = M_EXEC | M_NODUMP };

struct kmem_caches kmem_caches;
struct atomic32 kmem_cache_stacks[KMEM_CACHE_PAGES_MAX];

/* Relaxed: whoever sees the old value does what was right a moment ago, and still is valid. */
static inline uint32_t stack_of(uint64_t which)
{
	return atomic32_load(&kmem_cache_stacks[which], MO_RELAXED);
}

/* By number of pages less one, which is what the size gives without a special case for 0. */
static inline uint64_t size_class(vm_size_t size)
{
	return (size - 1) >> PAGE_SHIFT;
}

static void *zeroed_alloc(uint64_t which)
{
	void *item = mag_cache_alloc(&kmem_caches.zeroed[which]);

	return item != NULL ? item : mag_cache_alloc_cached(&kmem_caches.zeroed[which]);
}

static void *miss(uint64_t which, int flags)
{
	void *item;

	if (flags & M_WAITOK)
		sleep_check("kmem_malloc(M_WAITOK)");
	item = mag_cache_alloc_cached(&kmem_caches.any[which]);
	if (item == NULL && kmem_has_zeroed(which))
		item = zeroed_alloc(which);
	if (item == NULL)
		item = mag_cache_alloc_slow(&kmem_caches.any[which], flags);
	/* What is missing may lie in the caches of other sizes. */
	if (item == NULL && mag_cache_can_drain() && kmem_cache_drain() != 0)
		item = mag_cache_alloc_slow(&kmem_caches.any[which], flags);
	return item;
}

/* A range that is known to be zero, or 0; then idle CPUs are to make one. */
static vm_offset_t malloc_zeroed(uint64_t which)
{
	vm_offset_t addr;

	if (!kmem_has_zeroed(which))
		return 0;
	addr = (vm_offset_t)zeroed_alloc(which);
	if (addr != 0)
		kmem_tag_write(addr, KMEM_TAG_USED, which);
	/* Relaxed, and not exact: a hint for idle CPUs. */
	else if (atomic32_load(&kmem_caches.zero_wanted[which], MO_RELAXED) < KMEM_ZERO_WANTED)
		atomic32_add(&kmem_caches.zero_wanted[which], 1, MO_RELAXED);
	return addr;
}

/*
 * Everything but a hit of memory that may hold anything, and every free that is not of exactly one
 * range. They are the last thing that the hot functions do, so they return to those functions'
 * callers, and the code address that they take is the caller's (where the compiler makes no jump
 * of it, kmem.debug names the hot function instead).
 */
static __attribute__((noinline)) vm_offset_t malloc_slow(vm_map_t map, vm_size_t size, int flags)
{
	uint64_t which = size_class(size);
	vm_offset_t addr;

	if (map != kmem_caches.map || which >= KMEM_CACHE_PAGES_MAX ||
	    (flags & FLAGS_UNCACHED) != 0 || !kmem_cache_enabled())
		return kmem_malloc_uncached(map, size, flags, __builtin_return_address(0));
	addr = flags & M_ZERO ? malloc_zeroed(which) : 0;
	if (addr != 0)
		return addr;
	addr = (vm_offset_t)mag_cache_alloc(&kmem_caches.any[which]);
	if (addr == 0)
		addr = (vm_offset_t)miss(which, flags);
	if (addr == 0)
		return 0;
	kmem_tag_write(addr, KMEM_TAG_USED, which);
	if (flags & M_ZERO)
		kmem_range_zero(addr, which + 1);
	return addr;
}

static __attribute__((noinline)) void free_slow(vm_map_t map, vm_offset_t addr, vm_size_t size)
{
	kmem_free_then(map, addr, size, NULL, __builtin_return_address(0));
}

/*
 * No room, perhaps because the caches are off. The range is tagged as cached already. The first
 * arguments are kmem_free's, so that nothing has to be moved before the jump.
 */
static __attribute__((noinline)) void free_miss(vm_map_t map, vm_offset_t addr, vm_size_t size,
						uint64_t which)
{
	if (kmem_cache_enabled()) {
		mag_cache_free_slow(&kmem_caches.any[which], (void *)addr);
		return;
	}
	kmem_tag_write(addr, KMEM_TAG_USED, which);
	kmem_free_then(map, addr, size, NULL, __builtin_return_address(0));
}

QUIRE_FRAMELESS ARCH_RESTARTABLE vm_offset_t kmem_malloc(vm_map_t map, vm_size_t size, int flags)
{
	uint64_t which = size_class(size);
	vm_offset_t addr;

	if (unlikely(map != kmem_caches.map || which >= KMEM_CACHE_PAGES_MAX ||
		     (flags & (FLAGS_UNCACHED | M_ZERO)) != 0))
		return malloc_slow(map, size, flags);
	addr = (vm_offset_t)arch_stack_pop(stack_of(which));
	if (unlikely(addr == 0))
		return malloc_slow(map, size, flags);
	*kmem_tag_of(addr) -= KMEM_TAG_CACHED - KMEM_TAG_USED;
	return addr;
}

QUIRE_FRAMELESS ARCH_RESTARTABLE void kmem_free(vm_map_t map, vm_offset_t addr, vm_size_t size)
{
	uint64_t which = size_class(size), at = addr - kmem_caches.base;
	/* Rotated, an address inside a page is a number beyond all tags. */
	uint64_t index = at >> PAGE_SHIFT | at << (64 - PAGE_SHIFT);

	if (unlikely(map != kmem_caches.map || index >= kmem_caches.count ||
		     kmem_caches.tags[index] != KMEM_TAG_USED + 1 + which)) {
		free_slow(map, addr, size);
		return;
	}
	if (!PLANTED(kmem_tag_after_push))
		kmem_caches.tags[index] = (uint8_t)(KMEM_TAG_CACHED + 1 + which);
	if (unlikely(!arch_stack_push(stack_of(which), (void *)addr)))
		free_miss(map, addr, size, which);
	if (PLANTED(kmem_tag_after_push)) {
		arch_cpu_relax(); /* an interrupt comes, */
		arch_cpu_relax(); /* and then another CPU goes on */
		kmem_caches.tags[index] = (uint8_t)(KMEM_TAG_CACHED + 1 + which);
	}
}
