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
 *	TAG_NONE	not a matter of the caches
 *	TAG_USED + n	first page of n that belong to somebody
 *	TAG_CACHED + n	first page of n that lie in a cache
 *	TAG_ZEROED + n	the same, and all of them are known to be zero
 *	TAG_INSIDE	a later page of such a range
 *
 *    The tag of a range is written by whoever has the range, so it needs no lock. It is what tells
 *    a free of exactly one allocation from all other frees: a second free finds TAG_CACHED, a free
 *    from the middle TAG_INSIDE, another size a number that is not its own. All of those take the
 *    long way, which knows what to do with them.
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

#include "arch/physmap.h"
#include "lib/bits.h"
#include "lib/check.h"
#include "lib/planted.h"
#include "smp/percpu.h"
#include "smp/preempt.h"
#include "smp/smp.h"
#include "vm/pmap.h"
#include "vm/vm_kern_private.h"
#include "vm/vm_magazine.h"
#include "vm/vm_page.h"
#include "vm/vm_pageout_internal.h"
#include "vm/vm_phys.h"
#include "vm/vm_report.h"

enum {
	TAG_NONE = 0,
	TAG_USED = 0x20,
	TAG_CACHED = 0x40,
	TAG_ZEROED = TAG_CACHED | 0x20,
	TAG_INSIDE = 0x80,
	TAG_PAGES = 0x1f, /* the number in the first two kinds */

	IMPORT_PAGES = 64, /* taken at a time, when there is plenty */
	RAM_SHARE = 128,   /* one in so many pages of RAM may lie in the caches of one size */
	CACHES_MAX = 2 * KMEM_CACHE_PAGES_MAX,

	ZERO_WANTED = 8, /* ranges of one size that idle CPUs zero ahead, at most */

	/* Not a matter of the caches: see 6. */
	FLAGS_UNCACHED = M_EXEC | M_NODUMP,
};

/* (a) atomic  (c) constant after init  (r) whoever has the range */
static struct {
	vm_map_t map;       /* (c) kmem_map; NULL before and without memory for tags */
	struct atomic32 on; /* (a) else the long way for everybody */
	vm_offset_t base;   /* (c) */
	uint64_t count;     /* (c) tags: pages of kmem_map */
	uint8_t *tags;      /* (c); (r) what they say; NULL: no memory for them */
	uintptr_t
	    tag_of_page_0; /* (c) where the first page of all the address space would have it */
} kc;

static struct mag_cache caches[KMEM_CACHE_PAGES_MAX]; /* by pages - 1 */

/*
 * Known to be zero, for sizes that are powers of two, and how many of each were asked for and not
 * there: (a) atomic.
 */
static struct mag_cache zeroed[KMEM_CACHE_PAGES_MAX];
static struct atomic32 zero_wanted[KMEM_CACHE_PAGES_MAX]; /* (a) */

/*
 * Of the caches' stacks in each CPU's area: side by side, a hit finds its own with one load. While
 * the caches are off, where there is always nothing and no room, so that hits need not ask.
 */
static struct atomic32 stacks[KMEM_CACHE_PAGES_MAX]; /* (a) */

/* --- Hits --- */

/* Relaxed: whoever sees the old value does what was right a moment ago, and still is valid. */
static inline uint32_t stack_of(uint64_t which)
{
	return atomic32_load(&stacks[which], MO_RELAXED);
}

/* By number of pages less one, which is what the size gives without a special case for 0. */
static inline uint64_t size_class(vm_size_t size)
{
	return (size - 1) >> PAGE_SHIFT;
}

static inline uint8_t *tag_of(vm_offset_t addr)
{
	return (uint8_t *)(kc.tag_of_page_0 + (addr >> PAGE_SHIFT));
}

static inline void tag_write(vm_offset_t addr, unsigned kind, uint64_t which)
{
	*tag_of(addr) = (uint8_t)(kind + 1 + which);
}

static bool has_zeroed(uint64_t which)
{
	return is_pow2(which + 1);
}

static void *zeroed_alloc(uint64_t which)
{
	void *item = mag_cache_alloc(&zeroed[which]);

	return item != NULL ? item : mag_cache_alloc_cached(&zeroed[which]);
}

static void *miss(uint64_t which, int flags)
{
	void *item;

	if (flags & M_WAITOK)
		sleep_check("kmem_malloc(M_WAITOK)");
	item = mag_cache_alloc_cached(&caches[which]);
	if (item == NULL && has_zeroed(which))
		item = zeroed_alloc(which);
	if (item == NULL)
		item = mag_cache_alloc_slow(&caches[which], flags);
	/* What is missing may lie in the caches of other sizes. */
	if (item == NULL && mag_cache_can_drain() && kmem_cache_drain() != 0)
		item = mag_cache_alloc_slow(&caches[which], flags);
	return item;
}

static void zero_range(vm_offset_t addr, uint64_t npages)
{
	for (uint64_t i = 0; i < npages; i++)
		pmap_zero_page(PHYS_TO_VM_PAGE(pmap_kextract(addr + ptoa(i))));
}

/* A range that is known to be zero, or 0; then idle CPUs are to make one. */
static vm_offset_t malloc_zeroed(uint64_t which)
{
	vm_offset_t addr;

	if (!has_zeroed(which))
		return 0;
	addr = (vm_offset_t)zeroed_alloc(which);
	if (addr != 0)
		tag_write(addr, TAG_USED, which);
	/* Relaxed, and not exact: a hint for idle CPUs. */
	else if (atomic32_load(&zero_wanted[which], MO_RELAXED) < ZERO_WANTED)
		atomic32_add(&zero_wanted[which], 1, MO_RELAXED);
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

	if (map != kc.map || which >= KMEM_CACHE_PAGES_MAX || (flags & FLAGS_UNCACHED) != 0 ||
	    !kmem_cache_enabled())
		return kmem_malloc_uncached(map, size, flags, __builtin_return_address(0));
	addr = flags & M_ZERO ? malloc_zeroed(which) : 0;
	if (addr != 0)
		return addr;
	addr = (vm_offset_t)mag_cache_alloc(&caches[which]);
	if (addr == 0)
		addr = (vm_offset_t)miss(which, flags);
	if (addr == 0)
		return 0;
	tag_write(addr, TAG_USED, which);
	if (flags & M_ZERO)
		zero_range(addr, which + 1);
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
		mag_cache_free_slow(&caches[which], (void *)addr);
		return;
	}
	tag_write(addr, TAG_USED, which);
	kmem_free_then(map, addr, size, NULL, __builtin_return_address(0));
}

QUIRE_FRAMELESS ARCH_RESTARTABLE vm_offset_t kmem_malloc(vm_map_t map, vm_size_t size, int flags)
{
	uint64_t which = size_class(size);
	vm_offset_t addr;

	if (unlikely(map != kc.map || which >= KMEM_CACHE_PAGES_MAX ||
		     (flags & (FLAGS_UNCACHED | M_ZERO)) != 0))
		return malloc_slow(map, size, flags);
	addr = (vm_offset_t)arch_stack_pop(stack_of(which));
	if (unlikely(addr == 0))
		return malloc_slow(map, size, flags);
	*tag_of(addr) -= TAG_CACHED - TAG_USED;
	return addr;
}

QUIRE_FRAMELESS ARCH_RESTARTABLE void kmem_free(vm_map_t map, vm_offset_t addr, vm_size_t size)
{
	uint64_t which = size_class(size), at = addr - kc.base;
	/* Rotated, an address inside a page is a number beyond all tags. */
	uint64_t index = at >> PAGE_SHIFT | at << (64 - PAGE_SHIFT);

	if (unlikely(map != kc.map || index >= kc.count ||
		     kc.tags[index] != TAG_USED + 1 + which)) {
		free_slow(map, addr, size);
		return;
	}
	if (!PLANTED(kmem_tag_after_push))
		kc.tags[index] = (uint8_t)(TAG_CACHED + 1 + which);
	if (unlikely(!arch_stack_push(stack_of(which), (void *)addr)))
		free_miss(map, addr, size, which);
	if (PLANTED(kmem_tag_after_push)) {
		arch_cpu_relax(); /* an interrupt comes, */
		arch_cpu_relax(); /* and then another CPU goes on */
		kc.tags[index] = (uint8_t)(TAG_CACHED + 1 + which);
	}
}

/* --- Ranges come and go --- */

static void tags_set(vm_offset_t addr, uint64_t npages)
{
	uint8_t *tag = &kc.tags[atop(addr - kc.base)];

	tag[0] = (uint8_t)(TAG_CACHED + npages);
	for (uint64_t i = 1; i < npages; i++)
		tag[i] = TAG_INSIDE;
}

static void tags_clear(vm_offset_t addr, uint64_t npages)
{
	uint8_t *tag = &kc.tags[atop(addr - kc.base)];

	for (uint64_t i = 0; i < npages; i++)
		tag[i] = TAG_NONE;
}

/* How many ranges at once. One is a duty and the others are a gain, not worth a reserve. */
static unsigned import_count(uint64_t npages, unsigned want, int flags)
{
	unsigned count = (unsigned)(IMPORT_PAGES / npages);

	if ((flags & M_USE_RESERVE) != 0 || vm_page_wanted())
		return 1;
	return count < want ? count : want;
}

static unsigned ranges_import(void *ctx, void **items, unsigned want, int flags)
{
	uint64_t npages = (uint64_t)(uintptr_t)ctx;
	unsigned count = import_count(npages, want, flags);
	int plain = flags & ~M_ZERO;
	vm_offset_t addr = 0;

	if (count > 1)
		addr = kmem_malloc_uncached(kmem_map, ptoa(npages) * count,
					    (plain & ~M_WAITOK) | M_NOWAIT,
					    (const void *)ranges_import);
	if (addr == 0) {
		count = 1;
		addr = kmem_malloc_uncached(kmem_map, ptoa(npages), plain,
					    (const void *)ranges_import);
	}
	if (addr == 0)
		return 0;
	for (unsigned i = 0; i < count; i++)
		tags_set(addr + ptoa(npages) * i, npages);
	/* The lowest address is the caller's; the others come off the stack from low to high. */
	items[0] = (void *)addr;
	for (unsigned i = 1; i < count; i++)
		items[i] = (void *)(addr + ptoa(npages) * (count - i));
	return count;
}

static void sort(void **items, unsigned count)
{
	for (unsigned i = 1; i < count; i++) {
		void *item = items[i];
		unsigned k = i;

		for (; k > 0 && items[k - 1] > item; k--)
			items[k] = items[k - 1];
		items[k] = item;
	}
}

static void ranges_release(void *ctx, void **items, unsigned count)
{
	uint64_t npages = (uint64_t)(uintptr_t)ctx;
	vm_size_t size = ptoa(npages);

	sort(items, count);
	for (unsigned i = 0, run; i < count; i += run) {
		vm_offset_t start = (vm_offset_t)items[i];

		for (run = 1; i + run < count; run++)
			if ((vm_offset_t)items[i + run] != start + size * run)
				break;
		tags_clear(start, npages * run);
		kmem_free_then(kmem_map, start, size * run, NULL, (const void *)ranges_release);
	}
}

static bool ranges_are_short(void *ctx)
{
	(void)ctx;
	return vm_page_wanted();
}

/* --- Idle CPUs --- */

/* False when a thread has become ready meanwhile: the range may hold anything then. */
static bool zero_unless_needed(vm_offset_t addr, uint64_t npages)
{
	for (uint64_t i = 0; i < npages; i++) {
		if (arch_percpu()->need_resched != 0)
			return false;
		zero_range(addr + ptoa(i), 1);
	}
	return true;
}

/* Others may be at it as well; a hint need not be exact, but must not fall below 0. */
static void wanted_less(uint64_t which)
{
	uint32_t wanted = atomic32_load(&zero_wanted[which], MO_RELAXED);

	if (wanted != 0)
		(void)atomic32_cas(&zero_wanted[which], &wanted, wanted - 1, MO_RELAXED);
}

static bool zero_one_of(uint64_t which)
{
	void *item = mag_cache_alloc(&caches[which]);
	struct mag_cache *to = &caches[which];

	if (item == NULL)
		return false;
	if (zero_unless_needed((vm_offset_t)item, which + 1)) {
		tag_write((vm_offset_t)item, TAG_ZEROED, which);
		wanted_less(which);
		to = &zeroed[which];
	}
	if (!mag_cache_free(to, item))
		mag_cache_free_slow(to, item);
	return true;
}

bool kmem_cache_idle(void)
{
	bool did = false;

	if (!kmem_cache_enabled() || vm_page_wanted() || !vm_magazine_move_begin())
		return false;
	for (uint64_t which = 0; which < KMEM_CACHE_PAGES_MAX && !did; which++)
		if (has_zeroed(which) && atomic32_load(&zero_wanted[which], MO_RELAXED) != 0)
			did = zero_one_of(which);
	vm_magazine_move_end();
	return did;
}

/* --- The long way asks --- */

static uint64_t tag_head(uint64_t index)
{
	while (kc.tags[index] == TAG_INSIDE)
		index--;
	return index;
}

bool kmem_cache_disown(vm_map_t map, vm_offset_t start, vm_offset_t end)
{
	uint64_t first, last;

	if (map != kmem_map || kc.tags == NULL || start < kc.base ||
	    end > kc.base + ptoa(kc.count) || start >= end)
		return true;
	first = atop(start - kc.base);
	last = atop(end - kc.base) - 1;
	for (uint64_t i = first; i <= last; i++)
		if ((kc.tags[tag_head(i)] & TAG_CACHED) != 0)
			return false;
	for (uint64_t i = first; i <= last; i++) {
		uint64_t head = tag_head(i);

		if (kc.tags[head] != TAG_NONE)
			tags_clear(kc.base + ptoa(head), kc.tags[head] & TAG_PAGES);
	}
	return true;
}

/* --- Control --- */

/* From boot on, in the direct map: a tag must not need the mappings that it speaks of. */
static uint8_t *tags_alloc(uint64_t count)
{
	unsigned long npages = atop(round_page(count));
	vm_page_t run =
	    vm_page_alloc_contig(NULL, 0, VM_ALLOC_SYSTEM | VM_ALLOC_NOOBJ | VM_ALLOC_WIRED, npages,
				 0, ~(vm_paddr_t)0, PAGE_SIZE, 0, VM_MEMATTR_DEFAULT);

	if (run == NULL)
		return NULL;
	for (unsigned long i = 0; i < npages; i++)
		pmap_zero_page(&run[i]);
	return (uint8_t *)arch_physmap(VM_PAGE_TO_PHYS(run));
}

static void cache_init(uint64_t npages, uint64_t ram_pages)
{
	static const char *const names[KMEM_CACHE_PAGES_MAX] = {
	    "kmem 1", "kmem 2",  "kmem 3",  "kmem 4",  "kmem 5",  "kmem 6",  "kmem 7",  "kmem 8",
	    "kmem 9", "kmem 10", "kmem 11", "kmem 12", "kmem 13", "kmem 14", "kmem 15", "kmem 16",
	};
	struct mag_cache_config config = {
	    .name = names[npages - 1],
	    .rounds_min = 2,
	    .rounds_max = MAG_ROUNDS,
	    .items_max = ram_pages / RAM_SHARE / npages + 1,
	    .import = ranges_import,
	    .release = ranges_release,
	    .is_short = ranges_are_short,
	    .ctx = (void *)(uintptr_t)npages,
	};

	/* Without a place in the CPUs' areas each call takes the long way. */
	(void)mag_cache_init(&caches[npages - 1], &config);
	atomic32_store(&zero_wanted[npages - 1], 0, MO_RELAXED);
	if (!has_zeroed(npages - 1))
		return;
	config.items_max = (uint64_t)ZERO_WANTED * 2 * smp_cpu_count();
	config.import = NULL;
	(void)mag_cache_init(&zeroed[npages - 1], &config);
}

void kmem_cache_init(void)
{
	uint64_t ram_pages = 0;

	for (unsigned domain = 0; domain < vm_phys_domain_count(); domain++)
		ram_pages += vm_phys_total_pages(domain);
	kc.map = NULL;
	atomic32_store(&kc.on, 0, MO_RELAXED);
	kc.base = kmem_map->min_offset;
	kc.count = atop(kmem_map->max_offset - kmem_map->min_offset);
	kc.tags = tags_alloc(kc.count);
	kc.tag_of_page_0 = (uintptr_t)kc.tags - (kc.base >> PAGE_SHIFT);
	if (kc.tags == NULL) {
		kprintf(
		    "vm: no memory for the tags of kmem_map: kmem_malloc works without caches\n");
		return;
	}
	for (uint64_t npages = 1; npages <= KMEM_CACHE_PAGES_MAX; npages++)
		cache_init(npages, ram_pages);
	kmem_cache_enable(true);
	kc.map = kmem_map;
}

/* All caches, in out[CACHES_MAX]; returns how many. */
static unsigned collect(struct mag_cache **out)
{
	unsigned n = 0;

	for (unsigned i = 0; i < KMEM_CACHE_PAGES_MAX; i++) {
		out[n++] = &caches[i];
		if (has_zeroed(i))
			out[n++] = &zeroed[i];
	}
	return n;
}

uint64_t kmem_cache_drain(void)
{
	struct mag_cache *all[CACHES_MAX];
	uint64_t before;

	if (kc.tags == NULL)
		return 0;
	before = kmem_cache_cached_pages();
	(void)mag_cache_drain_many(all, collect(all));
	return before;
}

void kmem_cache_enable(bool on)
{
	if (kc.tags == NULL)
		return;
	atomic32_store(&kc.on, on, MO_RELAXED);
	for (unsigned i = 0; i < KMEM_CACHE_PAGES_MAX; i++)
		atomic32_store(&stacks[i], on ? caches[i].offset : PERCPU_ZERO_OFFSET, MO_RELAXED);
	if (!on)
		(void)kmem_cache_drain();
}

bool kmem_cache_enabled(void)
{
	return atomic32_load(&kc.on, MO_RELAXED) != 0;
}

/* --- Figures --- */

uint64_t kmem_cache_cached_pages(void)
{
	uint64_t pages = 0;

	if (kc.tags == NULL)
		return 0;
	for (uint64_t npages = 1; npages <= KMEM_CACHE_PAGES_MAX; npages++) {
		pages += npages * mag_cache_cached(&caches[npages - 1]);
		if (has_zeroed(npages - 1))
			pages += npages * mag_cache_cached(&zeroed[npages - 1]);
	}
	return pages;
}

void kmem_cache_stats(unsigned npages, int cpu, struct mag_cache_stats *stats)
{
	CHECK(npages >= 1 && npages <= KMEM_CACHE_PAGES_MAX);
	*stats = (struct mag_cache_stats){0};
	if (kc.tags != NULL)
		mag_cache_sum(&caches[npages - 1], cpu, stats);
}

void kmem_cache_zeroed_stats(unsigned npages, int cpu, struct mag_cache_stats *stats)
{
	CHECK(npages >= 1 && npages <= KMEM_CACHE_PAGES_MAX);
	*stats = (struct mag_cache_stats){0};
	if (kc.tags != NULL && has_zeroed(npages - 1))
		mag_cache_sum(&zeroed[npages - 1], cpu, stats);
}

/* --- Audit --- */

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
	else if ((audit->tag & TAG_ZEROED) == TAG_ZEROED && !page_is_zero(pa))
		audit->broken += vm_report(audit->report, "kmem cache of CPU %d: %#lx is not zero",
					   cpu, (unsigned long)va);
}

static void audit_range(void *arg, void *item, int cpu)
{
	struct audit *audit = (struct audit *)arg;
	vm_offset_t addr = (vm_offset_t)item;
	uint64_t index = atop(addr - kc.base);

	audit->visited++;
	if (index + audit->npages > kc.count || !is_aligned(addr, PAGE_SIZE)) {
		audit->broken += vm_report(audit->report, "kmem cache of CPU %d: %#lx is no range",
					   cpu, (unsigned long)addr);
		return;
	}
	if (kc.tags[index] != audit->tag)
		audit->broken +=
		    vm_report(audit->report, "kmem cache of CPU %d: %#lx has the tag %#x", cpu,
			      (unsigned long)addr, kc.tags[index]);
	for (uint64_t i = 0; i < audit->npages; i++)
		audit_page(audit, addr + ptoa(i), cpu);
}

static unsigned audit_tags(const struct audit *audit)
{
	uint64_t tagged = 0;

	for (uint64_t i = 0; i < kc.count; i++)
		tagged += kc.tags[i] == audit->tag;
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

	if (kc.tags == NULL)
		return 0;
	vm_magazine_pause();
	for (uint64_t npages = 1; npages <= KMEM_CACHE_PAGES_MAX; npages++) {
		broken += audit_cache(&caches[npages - 1], npages, TAG_CACHED, report);
		if (has_zeroed(npages - 1))
			broken += audit_cache(&zeroed[npages - 1], npages, TAG_ZEROED, report);
	}
	vm_magazine_resume();
	return broken;
}
