/* SPDX-License-Identifier: BSD-2-Clause */
/* What idle CPUs do with pages: zero some ahead of time, and stop while somebody counts. */
#include "arch/clock.h"
#include "arch/physmap.h"
#include "lib/check.h"
#include "smp/patience.h"
#include "smp/preempt.h"
#include "vm/vm_magazine_private.h"
#include "vm/vm_page_internal.h"
#include "vm/vm_pageout_internal.h"
#include "vm/vm_phys_internal.h"

/*
 * Who counts the pages must not miss one that is on its way from one cache to another. So he says
 * that he counts, and waits until nobody is at it.
 */
static struct {
	struct atomic32 pauses; /* by so many: idle CPUs keep still */
	struct atomic32 moving; /* idle CPUs that do not */
} zeroing;

void vm_magazine_zero_init(void)
{
	atomic32_store(&zeroing.pauses, 0, MO_RELAXED);
	atomic32_store(&zeroing.moving, 0, MO_RELAXED);
}

bool vm_magazine_paused(void)
{
	return atomic32_load(&zeroing.pauses, MO_RELAXED) != 0;
}

/* It takes microseconds; an emulator may leave the CPU alone for longer. */
#define PAUSE_WARN_NS  (5 * NS_PER_SECOND)
#define PAUSE_PANIC_NS (90 * NS_PER_SECOND)

/* The one that comes is in nobody's way; far above the marks at which the daemon begins to work. */
static vm_page_t zero_source(unsigned domain)
{
	struct vm_watermarks marks;
	vm_page_t m;

	if (vm_page_wanted())
		return NULL;
	vm_pageout_watermarks(domain, &marks);
	if (vm_phys_free_pages(domain) <= 2 * marks.high)
		return NULL;
	return vm_phys_alloc_batch_above(domain, &m, 1, 2 * marks.high) == 1 ? m : NULL;
}

bool vm_magazine_move_begin(void)
{
	/* With something in its hands, the thread does not wait until this CPU is idle again. */
	preempt_disable();
	/* Sequentially consistent, as in vm_magazine_pause: one of the two sees the other. */
	atomic32_add(&zeroing.moving, 1, MO_SEQ_CST);
	if (atomic32_load(&zeroing.pauses, MO_SEQ_CST) == 0)
		return true;
	vm_magazine_move_end();
	return false;
}

void vm_magazine_move_end(void)
{
	atomic32_sub(&zeroing.moving, 1, MO_RELEASE);
	preempt_enable();
}

bool vm_magazine_zero_one(void)
{
	unsigned domain = vm_magazine_local_domain();
	struct mag_cache *cache = &vm_magazines.caches[domain][VM_MAGAZINE_ZERO];
	vm_page_t m;

	if (vm_magazines.domains == 0 || !mag_cache_has_room(cache) || !vm_magazine_move_begin())
		return false;
	m = zero_source(domain);
	if (m != NULL) {
		m->state = VM_PAGE_MAGAZINE;
		arch_page_zero(VM_PAGE_TO_PHYS(m));
		m->flags = PG_ZERO;
		if (!mag_cache_free(cache, m))
			mag_cache_free_slow(cache, m);
	}
	vm_magazine_move_end();
	return m != NULL;
}

void vm_magazine_pause(void)
{
	struct patience patience;

	atomic32_add(&zeroing.pauses, 1, MO_SEQ_CST);
	if (!arch_irq_enabled() || in_interrupt())
		return;
	patience_start(&patience, PAUSE_WARN_NS, PAUSE_PANIC_NS);
	/* Acquire: pairs with the release in vm_magazine_move_end. */
	while (atomic32_load(&zeroing.moving, MO_SEQ_CST) != 0) {
		enum patience_verdict verdict = patience_turn(&patience);

		if (verdict == PATIENCE_OUT)
			panic("vm_magazine_pause: an idle CPU does not finish its page");
		if (verdict != PATIENCE_WAIT)
			kprintf("vm: an idle CPU zeroes one page for %u ms\n",
				(unsigned)(patience_waited_ns(&patience) / NS_PER_MS));
	}
}

void vm_magazine_resume(void)
{
	CHECK_NE(atomic32_sub(&zeroing.pauses, 1, MO_RELEASE), 0);
}
