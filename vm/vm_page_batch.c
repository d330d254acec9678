/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many pages of one object at once: up to 64 come out of the running CPU's magazine in one go, get
 * their descriptors written in one loop and stand in one leaf of the object's index; and the same
 * the other way.
 *
 * A magazine's items are the CPU's restartable stack. Here interrupts are disabled instead, so that
 * no sequence can be under way, and the count changes once. What the magazine does not have, or has
 * no room for, goes one by one through vm_page_take and vm_magazine_put, which exchange magazines;
 * after that there are many at hand again.
 */
#include "lib/check.h"
#include "smp/percpu.h"
#include "vm/vm_magazine.h"
#include "vm/vm_object.h"
#include "vm/vm_page_internal.h"
#include "vm/vm_page_retire.h"
#include "vm/vm_phys.h"

/* --- The running CPU's magazine --- */

static struct arch_stack *stack_at(size_t offset)
{
	return (struct arch_stack *)percpu_at((uint32_t)offset);
}

static vm_page_t *stack_slot(const struct arch_stack *stack, uint32_t i)
{
	return (vm_page_t *)(void *)(stack->slots + i);
}

static inline void pages_copy(vm_page_t *to, vm_page_t const *from, unsigned n)
{
#pragma GCC unroll 4
	for (unsigned i = 0; i < n; i++)
		to[i] = from[i];
}

/* Takes up to n, those that would come first if they came one by one. */
static unsigned stack_take(size_t offset, vm_page_t *pages, unsigned n)
{
	bool irq_was_enabled = arch_irq_save();
	struct arch_stack *stack = stack_at(offset);
	uint32_t count = atomic32_load(&stack->count, MO_RELAXED);

	if (n > count)
		n = count;
	pages_copy(pages, stack_slot(stack, count - n), n);
	atomic32_store(&stack->count, count - n, MO_RELAXED);
	atomic64_store(&stack->pops, atomic64_load(&stack->pops, MO_RELAXED) + n, MO_RELAXED);
	arch_irq_restore(irq_was_enabled);
	return n;
}

/* Adds as many as there is room for. */
static unsigned stack_put(size_t offset, vm_page_t const *pages, unsigned n)
{
	bool irq_was_enabled = arch_irq_save();
	struct arch_stack *stack = stack_at(offset);
	uint32_t count = atomic32_load(&stack->count, MO_RELAXED);
	uint32_t capacity = atomic32_load(&stack->capacity, MO_RELAXED);
	uint32_t room = capacity > count ? capacity - count : 0;

	if (n > room)
		n = room;
	pages_copy(stack_slot(stack, count), pages, n);
	atomic32_store(&stack->count, count + n, MO_RELAXED);
	arch_irq_restore(irq_was_enabled);
	return n;
}

/* --- Allocation --- */

/* How many of n pages may be had, by the fault injection. */
static unsigned pages_permitted(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (arch_fault_point("vm_page_alloc"))
			return i;
	return n;
}

/* Known zero pages of this CPU's domain, as far as there are any. */
static unsigned zero_pages_take(vm_page_t *pages, unsigned n)
{
	unsigned local = vm_magazine_local_domain(), got = 0;

	while (got < n && (pages[got] = vm_magazine_alloc_zero(local)) != NULL)
		got++;
	return got;
}

/* Up to n pages in no object; the first *zeroes of them are known to be zero. */
static unsigned pages_take(vm_page_t *pages, int req, unsigned n, unsigned *zeroes)
{
	unsigned got;

	n = pages_permitted(n);
	*zeroes = req & VM_ALLOC_ZERO ? zero_pages_take(pages, n) : 0;
	got = *zeroes;
	for (;;) {
		got += stack_take(percpu_self()->vm_pages, pages + got, n - got);
		if (got == n)
			return got;
		pages[got] = vm_page_take(req & ~VM_ALLOC_ZERO);
		if (pages[got] == NULL)
			return got;
		got++;
	}
}

/* Pages whose descriptors are those of pages in magazines go there. */
static void pages_give(vm_page_t const *pages, unsigned n)
{
	while (n > 0) {
		unsigned domain = pages[0]->domain, alike = 1, put;

		if (vm_phys_domain_count() == 1)
			alike = n;
		while (alike < n && pages[alike]->domain == domain)
			alike++;
		put = stack_put(vm_magazine_offsets[domain], pages, alike);
		if (put < alike)
			vm_magazine_put(pages[put++]);
		pages += put;
		n -= put;
	}
}

/* Pages that nobody has had yet go back. */
static void pages_untake(vm_page_t *pages, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		pages[i]->state = VM_PAGE_MAGAZINE;
	pages_give(pages, n);
}

static struct vm_page_word word_of_new(vm_object_t object, int req)
{
	struct vm_page_word word = {
	    .state = VM_PAGE_ALLOCATED,
	    .memattr = VM_MEMATTR_DEFAULT,
	    .flags = req & VM_ALLOC_NODUMP ? PG_NODUMP : 0,
	    .oflags = req & VM_ALLOC_NOBUSY ? 0 : VPO_BUSY,
	    .wire_count = req & VM_ALLOC_WIRED ? 1 : 0,
	};

	if (object->type == OBJT_PHYS)
		word.oflags |= VPO_UNMANAGED;
	return word;
}

static void pages_start(vm_object_t object, vm_pindex_t pindex, int req, vm_page_t const *pages,
			vm_page_t *places, unsigned n)
{
	const struct vm_page_word word = word_of_new(object, req);

#pragma GCC unroll 4
	for (unsigned i = 0; i < n; i++) {
		vm_page_t m = pages[i];

		ASSERT(m->state == VM_PAGE_MAGAZINE || m->state == VM_PAGE_ALLOCATED);
		ASSERT(m->object == NULL && m->wire_count == 0);
		vm_page_check_intact(m);
		vm_page_word_set(m, word);
		m->object = object;
		m->pindex = pindex + i;
		m->valid = VM_PAGE_BITS_ALL;
		places[i] = m;
	}
}

vm_page_t const *vm_page_alloc_leaf(vm_object_t object, vm_pindex_t pindex, int req, unsigned *n)
{
	vm_page_t pages[VM_RADIX_RUN], *places;
	unsigned zeroes, got = pages_take(pages, req, *n, &zeroes);

	*n = 0;
	if (got == 0)
		return NULL;
	places = vm_radix_place(&object->index, pindex, got);
	if (places == NULL) {
		pages_untake(pages, got);
		return NULL;
	}
	pages_start(object, pindex, req, pages, places, got);
	for (unsigned i = 0; i < zeroes; i++)
		pages[i]->flags |= PG_ZERO;
	object->resident_page_count += got;
	*n = got;
	return places;
}

unsigned vm_page_alloc_run(vm_object_t object, vm_pindex_t pindex, int req, unsigned n)
{
	unsigned got = 0;

	VM_OBJECT_ASSERT_WLOCKED(object);
	ASSERT(vm_page_class_floor(req) != UINT64_MAX); /* it has a class */
	CHECK(!(req & VM_ALLOC_NOOBJ));
	CHECK(n > 0 && pindex < object->size && n <= object->size - pindex);
	while (got < n) {
		unsigned leaf = VM_RADIX_RUN - (unsigned)((pindex + got) % VM_RADIX_RUN);
		unsigned want = leaf < n - got ? leaf : n - got, part = want;

		(void)vm_page_alloc_leaf(object, pindex + got, req, &part);
		got += part;
		if (part < want)
			break;
	}
	return got;
}

/* --- Release --- */

/* Allocated, of the default memory type, wired once or not at all, not marked to be retired. */
static inline bool page_may_go(const struct vm_page *m)
{
	const struct vm_page_word which = {
	    .state = 0xff, .memattr = 0xff, .flags = PG_RETIRE, .wire_count = ~(uint32_t)1};
	const struct vm_page_word wanted = {.state = VM_PAGE_ALLOCATED,
					    .memattr = VM_MEMATTR_DEFAULT};

	return vm_page_word_matches(m, which, wanted);
}

/* A page that may not go back leaves for good, if that is why. */
static __attribute__((noinline)) void page_leave(vm_page_t m)
{
	CHECK_EQ(m->state, VM_PAGE_ALLOCATED);
	CHECK_EQ(m->memattr, VM_MEMATTR_DEFAULT);
	/* The range that wired it is going away; a second holder would be left behind. */
	CHECK_LE(m->wire_count, 1);
	CHECK_NE(m->flags & PG_RETIRE, 0);
	arch_page_released(m->phys_addr, 1);
	m->wire_count = 0;
	vm_page_retire_freed(m);
}

void vm_page_free_taken(vm_page_t const *pages, unsigned n)
{
	struct vm_page_word word = {.state = VM_PAGE_MAGAZINE, .memattr = VM_MEMATTR_DEFAULT};
	unsigned given = 0;

#ifdef QUIRE_DEBUG
	word.flags = PG_POISONED;
#endif
#pragma GCC unroll 4
	for (unsigned i = 0; i < n; i++) {
		vm_page_t m = pages[i];

		if (unlikely(!page_may_go(m))) {
			pages_give(pages + given, i - given);
			page_leave(m);
			given = i + 1;
			continue;
		}
		/* The last moment at which the page is only ours: has a TLB got it? */
		arch_page_released(m->phys_addr, 1);
		m->object = NULL;
		m->pindex = 0;
		m->valid = 0;
		vm_page_poison(m);
		vm_page_word_set(m, word);
	}
	pages_give(pages + given, n - given);
}
