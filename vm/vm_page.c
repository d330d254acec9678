/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pages one by one and in runs, for those who use them.
 *
 * A page goes round: vm_phys -> magazine -> its owner -> magazine -> vm_phys. Each of the three
 * changes the state when the page reaches it; this file makes the owner's part of the descriptor
 * good on the way out and on the way back.
 *
 * Most calls are hits: a page in no object comes from the running CPU's magazine, or goes there.
 * vm_page_alloc and vm_page_free begin with that, in a few dozen instructions that touch the CPU's
 * stack, its magazine and the descriptor; all else is behind one branch.
 *
 * Locking: none of its own. An owner needs its object's lock, the allocators bring theirs.
 */
#include "vm/vm_page.h"

#include "lib/check.h"
#include "lib/trace.h"
#include "smp/percpu.h"
#include "smp/preempt.h"
#include "vm/pmap.h"
#include "vm/vm_kern_quarantine.h"
#include "vm/vm_magazine.h"
#include "vm/vm_object.h"
#include "vm/vm_page_internal.h"
#include "vm/vm_page_retire.h"
#include "vm/vm_pageout.h"
#include "vm/vm_phys_internal.h"

enum {
	/*
	 * Rounds of emptying all magazines and looking again. One is enough when nobody else is
	 * at work; each further one was spoiled by another CPU that took or cached what came out.
	 */
	ALLOC_DRAINS_MAX = 4,
};

struct vm_page_limits vm_page_limits;

/*
 * What is left for others, in pages.
 *
 * interrupt_free_min stays for those who cannot wait: interrupts, and operations that give memory
 * back and need a slab of map entries or index nodes to do so. Such an operation needs a slab of
 * each at most, hence 2; one CPU in many is in such an operation at a time, and pools have
 * reserves of their own, so 1/2048 of RAM (8 pages of 64 MiB) up to 64 pages is plenty.
 *
 * free_reserved stays, beyond that, for the kernel's own requests (class SYSTEM), so that pageable
 * memory cannot starve them: 1/256 of RAM up to 4 MiB. That is 72 pages of a 64 MiB machine with
 * both, less than half a percent of it.
 */
void vm_page_limits_init(uint64_t total_pages)
{
	uint64_t interrupt = total_pages / 2048, system = total_pages / 256;

	if (interrupt < 2)
		interrupt = 2;
	if (interrupt > 64)
		interrupt = 64;
	if (system < 2)
		system = 2;
	if (system > 1024)
		system = 1024;
	vm_page_limits.interrupt_free_min = interrupt;
	vm_page_limits.free_reserved = interrupt + system;
}

uint64_t vm_page_class_floor(int req)
{
	switch (req & VM_ALLOC_CLASS_MASK) {
	case VM_ALLOC_NORMAL:
		return vm_page_limits.free_reserved;
	case VM_ALLOC_SYSTEM:
		return vm_page_limits.interrupt_free_min;
	case VM_ALLOC_INTERRUPT:
		return 0;
	default:
		panic("page request %#x has no class", (unsigned)req);
	}
}

/* --- Between the allocators and an owner --- */

/* Own domain first; those after it are for when its memory is short. */
static vm_page_t page_from_domains(int req, uint64_t floor)
{
	unsigned domains = vm_phys_domain_count(), local = vm_magazine_local_domain();
	vm_page_t m = NULL;

	if (req & VM_ALLOC_ZERO)
		m = vm_magazine_alloc_zero(local);
	for (unsigned i = 0; m == NULL && i < domains; i++)
		m = vm_magazine_alloc((local + i) % domains, floor);
	for (unsigned i = 0; m == NULL && i < domains; i++)
		m = vm_magazine_alloc_zero((local + i) % domains);
	return m;
}

uint64_t vm_page_reclaim_caches(void)
{
	uint64_t pages = kmem_quarantine_flush();

	if (vm_magazine_cached() != 0)
		pages += vm_magazine_drain();
	if (pages != 0)
		trace(TRACE_DRAIN, pages, 0);
	return pages;
}

/* Page tables, nodes and entries come on top of what was asked for. */
enum { RETRY_OVERHEAD_PAGES = 16 };

bool vm_page_reclaim_for(int req, uint64_t npages)
{
	uint64_t needed = vm_page_class_floor(req) + npages + RETRY_OVERHEAD_PAGES;

	return mag_cache_can_drain() && vm_phys_free_total() < needed &&
	       vm_page_reclaim_caches() != 0;
}

vm_page_t vm_page_take(int req)
{
	uint64_t floor = vm_page_class_floor(req);
	vm_page_t m = page_from_domains(req, floor);

	for (unsigned i = 0; m == NULL && i < ALLOC_DRAINS_MAX; i++) {
		uint64_t drained = vm_page_reclaim_caches();

		m = page_from_domains(req, floor);
		if (drained == 0)
			break;
	}
	if (m == NULL)
		vm_pageout_deficit(1);
	return m;
}

/* The page is the caller's from here on. */
static void page_prepare(vm_page_t m, int req)
{
	CHECK_EQ(m->state, VM_PAGE_ALLOCATED);
	CHECK(m->object == NULL && m->wire_count == 0);
	vm_page_check_intact(m);
	m->flags &= PG_ZERO;
	if (req & VM_ALLOC_NODUMP)
		m->flags |= PG_NODUMP;
	m->oflags = VPO_UNMANAGED;
	m->valid = 0;
	m->wire_count = req & VM_ALLOC_WIRED ? 1 : 0;
}

/* Panics unless the page can be given back by somebody who holds it in `state`. */
static void page_check_free(vm_page_t m, enum vm_page_state state, const char *what)
{
	if (unlikely(m->state != state))
		panic("%s: page %#llx is %s", what, (unsigned long long)m->phys_addr,
		      vm_page_state_name(m->state));
	if (unlikely(m->wire_count != 0))
		panic("%s: page %#llx is wired %u times", what, (unsigned long long)m->phys_addr,
		      m->wire_count);
}

/* What the owner knew about the page is gone; so is its promise about zeroes. */
static inline void page_forget(vm_page_t m)
{
	m->object = NULL;
	m->pindex = 0;
	m->flags = 0;
	m->oflags = 0;
	m->wire_count = 0;
	m->valid = 0;
	CHECK_EQ(m->memattr, VM_MEMATTR_DEFAULT); /* the direct map has it too */
	vm_page_poison(m);
}

/* The last moment at which the page is only ours is the one to ask whether a TLB has it. */
static void page_release(vm_page_t m)
{
	arch_page_released(m->phys_addr, 1);
	if (unlikely(m->flags & PG_RETIRE)) {
		vm_page_retire_freed(m);
		return;
	}
	page_forget(m);
	vm_magazine_free(m);
}

static bool page_enter(vm_object_t object, vm_pindex_t pindex, vm_page_t m, int req)
{
	if (req & VM_ALLOC_NOOBJ)
		return true;
	if (object->type != OBJT_PHYS)
		m->oflags &= (uint8_t)~VPO_UNMANAGED;
	if (!(req & VM_ALLOC_NOBUSY))
		m->oflags |= VPO_BUSY;
	return vm_object_page_insert(object, m, pindex) == KERN_SUCCESS;
}

/* --- Allocation --- */

static __attribute__((noinline)) vm_page_t page_alloc_slow(vm_object_t object, vm_pindex_t pindex,
							   int req)
{
	vm_page_t m = vm_page_take(req);

	if (m == NULL)
		return NULL;
	page_prepare(m, req);
	if (page_enter(object, pindex, m, req))
		return m;
	page_release(m);
	return NULL;
}

/* Requests without any of these need nothing but a page. */
#define ALLOC_SIMPLE_MASK (~(VM_ALLOC_CLASS_MASK | VM_ALLOC_WIRED))

/* What a page from a magazine gets. page_forget left the rest as it has to be. */
static inline void page_start(vm_page_t m, int req)
{
	ASSERT(m->state == VM_PAGE_MAGAZINE && m->object == NULL && m->wire_count == 0);
	vm_page_check_intact(m);
	m->state = VM_PAGE_ALLOCATED;
	m->memattr = VM_MEMATTR_DEFAULT;
	m->flags = 0;
	m->oflags = VPO_UNMANAGED;
	m->wire_count = (unsigned)req / VM_ALLOC_WIRED & 1;
}

ARCH_RESTARTABLE vm_page_t vm_page_alloc(vm_object_t object, vm_pindex_t pindex, int req)
{
	if (!(req & VM_ALLOC_NOOBJ))
		VM_OBJECT_ASSERT_WLOCKED(object);
	if (arch_fault_point("vm_page_alloc"))
		return NULL;
	ASSERT(vm_page_class_floor(req) != UINT64_MAX); /* it has a class */
	if (likely((req & ALLOC_SIMPLE_MASK) == VM_ALLOC_NOOBJ)) {
		vm_page_t m =
		    (vm_page_t)arch_stack_pop(arch_percpu_read(offsetof(struct percpu, vm_pages)));

		if (likely(m != NULL)) {
			page_start(m, req);
			return m;
		}
	}
	return page_alloc_slow(object, pindex, req);
}

/* Gives back a run of which the first `entered` pages are in the object. */
static void run_undo(vm_page_t run, unsigned long npages, unsigned long entered)
{
	for (unsigned long i = 0; i < npages; i++) {
		if (i < entered && run[i].object != NULL)
			vm_object_page_take(&run[i]);
		arch_page_released(run[i].phys_addr, 1);
		page_forget(&run[i]);
	}
	vm_phys_free_contig(run, npages);
}

vm_page_t vm_page_alloc_contig(vm_object_t object, vm_pindex_t pindex, int req,
			       unsigned long npages, vm_paddr_t low, vm_paddr_t high,
			       vm_size_t alignment, vm_size_t boundary, vm_memattr_t memattr)
{
	uint64_t floor = vm_page_class_floor(req);
	vm_page_t run;

	CHECK(memattr == VM_MEMATTR_DEFAULT || (req & VM_ALLOC_NOOBJ));
	if (!(req & VM_ALLOC_NOOBJ))
		VM_OBJECT_ASSERT_WLOCKED(object);
	if (arch_fault_point("vm_page_alloc_contig"))
		return NULL;
	run = vm_phys_alloc_contig_above(npages, low, high, alignment, boundary, floor);
	for (unsigned i = 0; run == NULL && i < ALLOC_DRAINS_MAX; i++) {
		if (vm_magazine_drain() == 0)
			break;
		run = vm_phys_alloc_contig_above(npages, low, high, alignment, boundary, floor);
	}
	if (run == NULL) {
		vm_pageout_deficit(npages);
		return NULL;
	}
	for (unsigned long i = 0; i < npages; i++)
		page_prepare(&run[i], req);
	if (memattr != VM_MEMATTR_DEFAULT &&
	    pmap_pages_set_memattr(run, npages, memattr) != KERN_SUCCESS) {
		run_undo(run, npages, 0);
		return NULL;
	}
	for (unsigned long i = 0; i < npages; i++) {
		if (!page_enter(object, pindex + i, &run[i], req)) {
			run_undo(run, npages, i);
			return NULL;
		}
	}
	return run;
}

vm_page_t vm_page_alloc_internal(enum vm_page_state state, int req)
{
	vm_page_t m;

	CHECK(state == VM_PAGE_TABLE || state == VM_PAGE_META);
	if (arch_fault_point("vm_page_alloc_internal"))
		return NULL;
	m = vm_page_take(req);
	if (m == NULL)
		return NULL;
	page_prepare(m, req | VM_ALLOC_WIRED);
	m->state = (uint8_t)state;
	return m;
}

/* --- Release --- */

/* A page of an object comes with a lock held, and then it is too late to ask other CPUs. */
static void page_restore_memattr(vm_page_t m)
{
	if (m->object != NULL)
		panic("vm_page_free: page %#llx is still in an object and of memory type %u",
		      (unsigned long long)m->phys_addr, m->memattr);
	pmap_pages_restore_memattr(m, 1);
}

/* All that is no hit: one function, so that hits need no stack frame. */
static __attribute__((noinline)) void page_free_slow(vm_page_t m, bool no_room)
{
	if (no_room) {
		vm_magazine_put(m);
		return;
	}
	page_check_free(m, VM_PAGE_ALLOCATED, "vm_page_free");
	if (unlikely(m->memattr != VM_MEMATTR_DEFAULT))
		page_restore_memattr(m);
	if (m->object != NULL) {
		VM_OBJECT_ASSERT_WLOCKED(m->object);
		vm_object_page_take(m);
	}
	page_release(m);
}

_Static_assert(sizeof(struct vm_page_word) == 8 && offsetof(struct vm_page, state) % 8 == 0 &&
		   offsetof(struct vm_page, memattr) == offsetof(struct vm_page, state) + 1 &&
		   offsetof(struct vm_page, flags) == offsetof(struct vm_page, state) + 2 &&
		   offsetof(struct vm_page, oflags) == offsetof(struct vm_page, state) + 3 &&
		   offsetof(struct vm_page, wire_count) == offsetof(struct vm_page, state) + 4,
	       "a window into struct vm_page");

bool vm_page_word_cas(vm_page_t m, struct vm_page_word *expected, struct vm_page_word desired)
{
	uint64_t is, wanted;
	bool done;

	__builtin_memcpy(&is, expected, sizeof(is));
	__builtin_memcpy(&wanted, &desired, sizeof(wanted));
	done = atomic64_cas((struct atomic64 *)(void *)&m->state, &is, wanted, MO_RELAXED);
	__builtin_memcpy(expected, &is, sizeof(is));
	return done;
}

/* NULL for the object is looked at apart; `valid` says nothing about such a page. */
static inline bool page_is_simple(const struct vm_page *m)
{
	const struct vm_page_word every = {0xff, 0xff, 0xff, 0xff, UINT32_MAX};
	const struct vm_page_word simple = {
	    .state = VM_PAGE_ALLOCATED,
	    .memattr = VM_MEMATTR_DEFAULT,
	    .oflags = VPO_UNMANAGED,
	};

	return vm_page_word_matches(m, every, simple) && m->object == NULL;
}

/* As page_forget, for such a page. */
static inline void page_end(vm_page_t m)
{
	struct vm_page_word word = {.state = VM_PAGE_MAGAZINE, .memattr = VM_MEMATTR_DEFAULT};

	vm_page_poison(m);
#ifdef QUIRE_DEBUG
	word.flags = PG_POISONED;
#endif
	vm_page_word_set(m, word);
}

ARCH_RESTARTABLE void vm_page_free(vm_page_t m)
{
	bool no_room = false;

	if (likely(page_is_simple(m))) {
		arch_page_released(m->phys_addr, 1);
		page_end(m);
		if (likely(arch_stack_push(vm_magazine_offsets[m->domain], m)))
			return;
		no_room = true;
	}
	page_free_slow(m, no_room);
}

void vm_page_free_internal(vm_page_t m)
{
	CHECK_EQ(m->wire_count, 1);
	m->wire_count = 0;
	page_check_free(m, VM_PAGE_META, "vm_page_free_internal");
	m->state = VM_PAGE_ALLOCATED;
	page_release(m);
}

/* --- An owner's page --- */

void vm_page_wire(vm_page_t m)
{
	CHECK_NE(m->wire_count, UINT32_MAX);
	m->wire_count++;
}

void vm_page_unwire(vm_page_t m)
{
	if (unlikely(m->wire_count == 0))
		panic("vm_page_unwire: page %#llx is not wired", (unsigned long long)m->phys_addr);
	m->wire_count--;
}

void vm_page_wakeup(vm_page_t m)
{
	ASSERT((m->oflags & VPO_BUSY) != 0);
	m->oflags &= (uint8_t)~VPO_BUSY;
}

vm_page_t vm_page_lookup(vm_object_t object, vm_pindex_t pindex)
{
	VM_OBJECT_ASSERT_WLOCKED(object);
	return vm_object_page_find(object, pindex);
}

/* --- Counts --- */

void vm_page_count_states(uint64_t *counts)
{
	for (unsigned state = 0; state < VM_PAGE_STATES; state++)
		counts[state] = 0;
	for (unsigned i = 0; i < vm_phys_segment_count(); i++) {
		const struct vm_phys_segment *segment = vm_phys_segment(i);
		uint64_t npages = atop(segment->end - segment->start);

		for (uint64_t p = 0; p < npages; p++) {
			CHECK_LT(segment->first[p].state, VM_PAGE_STATES);
			counts[segment->first[p].state]++;
		}
	}
}

uint64_t vm_page_free_count(void)
{
	return vm_phys_free_total() + vm_magazine_cached();
}
