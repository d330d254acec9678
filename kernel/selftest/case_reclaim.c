/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Taking memory back: out of every CPU's caches, from those who are told that it is short, and
 * from pageable memory that was never written; nothing that was written is ever lost.
 */
#include "arch/cpu.h"
#include "kernel/pattern.h"
#include "kernel/sched/thread.h"
#include "kernel/selftest/selftest.h"
#include "smp/smp.h"
#include "vm/pmap.h"
#include "vm/vm_audit.h"
#include "vm/vm_kern.h"
#include "vm/vm_kern_quarantine.h"
#include "vm/vm_magazine.h"
#include "vm/vm_pageable.h"
#include "vm/vm_pageout.h"
#include "vm/vm_phys.h"

enum { PAGES = 8, ROUNDS = 6 };

static volatile uint64_t *word(vm_offset_t addr, unsigned page)
{
	return (volatile uint64_t *)(addr + ptoa(page));
}

static void watermarks(void)
{
	for (unsigned domain = 0; domain < vm_phys_domain_count(); domain++) {
		struct vm_watermarks marks;

		vm_pageout_watermarks(domain, &marks);
		SELFTEST_CHECK(marks.min > 0 && marks.min <= marks.low && marks.low <= marks.high);
		SELFTEST_CHECK(marks.high < vm_phys_total_pages(domain));
	}
}

/* --- Caches --- */

/* Fills the CPU's own. */
static void cache_on(unsigned index, unsigned count)
{
	vm_offset_t addr = kmem_alloc(kernel_map, ptoa(PAGES));

	(void)index;
	(void)count;
	SELFTEST_CHECK(addr != 0);
	kmem_free(kernel_map, addr, ptoa(PAGES));
}

static void caches(void)
{
	struct vm_accounting before, after;
	uint64_t drained;

	selftest_parallel(cache_on);
	(void)kmem_quarantine_flush();
	vm_magazine_pause(); /* idle CPUs would fill theirs again */
	vm_accounting(&before);
	drained = vm_pageout_grow_cache(0, 0, UINT64_MAX);
	vm_accounting(&after);
	vm_magazine_resume();
	SELFTEST_CHECK(after.magazines == 0);
	SELFTEST_CHECK((drained != 0) == (before.magazines != 0));
	SELFTEST_CHECK(before.free + before.magazines == after.free);
	SELFTEST_CHECK(vm_pageout_grow_cache(2, PAGE_SIZE, PAGE_SIZE) == 0);
	SELFTEST_CHECK(vm_pageout_grow_cache(2, ~(vm_paddr_t)0 - PAGE_SIZE, UINT64_MAX) == 0);
}

/* --- The event --- */

/* Only what the shell's thread sees: the page daemon may fire the event at any time. */
static struct thread *caller;
static unsigned calls[2];
static bool in_order;

static void first_handler(void *arg)
{
	(void)arg;
	if (thread_current() == caller)
		calls[0]++;
}

static void last_handler(void *arg)
{
	(void)arg;
	if (thread_current() != caller)
		return;
	calls[1]++;
	in_order &= calls[0] == calls[1];
	thread_sleep_ns(1); /* handlers may */
}

static void lowmem(void)
{
	struct eventhandler_entry first, last;
	eventhandler_tag tags[2];

	caller = thread_current();
	calls[0] = calls[1] = 0;
	in_order = true;
	tags[1] = EVENTHANDLER_REGISTER_ENTRY(vm_lowmem, &last, last_handler, NULL,
					      EVENTHANDLER_PRI_LAST);
	tags[0] = EVENTHANDLER_REGISTER_ENTRY(vm_lowmem, &first, first_handler, NULL,
					      EVENTHANDLER_PRI_FIRST);
	vm_pageout_lowmem();
	(void)vm_pageout_grow_cache(1, 0, UINT64_MAX);
	EVENTHANDLER_DEREGISTER(vm_lowmem, tags[0]);
	EVENTHANDLER_DEREGISTER(vm_lowmem, tags[1]);
	vm_pageout_lowmem();
	SELFTEST_CHECK(calls[0] == 2 && calls[1] == 2 && in_order);
}

/* --- Pageable memory --- */

static vm_offset_t shared;

/* Every CPU remembers the translation of every page; odd ones are written. */
static void touch_on(unsigned index, unsigned count)
{
	for (unsigned page = 0; page < PAGES; page++) {
		SELFTEST_CHECK(word(shared, page)[index] == 0);
		if (page % 2)
			word(shared, page)[index] = index + page + UINT64_C(1);
	}
	if (!selftest_barrier())
		return;
	for (unsigned i = 0; i < count; i++)
		SELFTEST_CHECK(word(shared, 1)[i] == i + UINT64_C(2));
}

static void still_on(unsigned index, unsigned count)
{
	(void)count;
	for (unsigned page = 0; page < PAGES; page++)
		SELFTEST_CHECK(word(shared, page)[index] ==
			       (page % 2 ? index + page + UINT64_C(1) : 0));
}

static void pageable_check(void)
{
	vm_offset_t reuse;

	selftest_parallel(touch_on);
	(void)vm_pageout_grow_cache(2, 0, UINT64_MAX);
	for (unsigned page = 0; page < PAGES; page++)
		SELFTEST_CHECK((pmap_kextract(shared + ptoa(page)) != 0) == (page % 2 != 0));
	/* Somebody else writes what was taken. */
	reuse = kmem_alloc(kernel_map, ptoa(4 * PAGES));
	SELFTEST_CHECK(reuse != 0);
	pattern_fill(reuse, ptoa(4 * PAGES), reuse);
	selftest_parallel(still_on);
	SELFTEST_CHECK(pattern_check(reuse, ptoa(4 * PAGES), reuse) == 0);
	kmem_free(kernel_map, reuse, ptoa(4 * PAGES));
}

static void pageable(void)
{
	struct vm_pageout_stats before, after;

	vm_pageout_stats(&before);
	shared = kmem_alloc_wait(pipe_map, ptoa(PAGES));
	SELFTEST_CHECK(shared != 0);
	pageable_check();
	kmem_free_wakeup(pipe_map, shared, ptoa(PAGES));
	vm_pageout_stats(&after);
	SELFTEST_CHECK(after.taken_pages >= before.taken_pages + PAGES / 2);
	vm_audit(selftest_report);
}

/* --- Use and reclaim at once --- */

/* A page is read for some rounds before it is written: it is taken now and then, until it is. */
static void use_round(vm_offset_t addr, unsigned index, unsigned round)
{
	for (unsigned page = 0; page < PAGES; page++) {
		uint64_t expected =
		    round <= page % ROUNDS ? 0 : (index + 1) * UINT64_C(1000) + page;

		SELFTEST_CHECK(*word(addr, page) == expected);
		if (round == page % ROUNDS)
			*word(addr, page) = (index + 1) * UINT64_C(1000) + page;
	}
}

static void use_on(unsigned index, unsigned count)
{
	vm_offset_t addr = kmem_alloc_wait(pipe_map, ptoa(PAGES));

	(void)count;
	SELFTEST_CHECK(addr != 0);
	for (unsigned round = 0; round < 2 * ROUNDS && !selftest_failed(); round++) {
		use_round(addr, index, round);
		(void)vm_pageable_scan(round % 3 == 0 ? PAGES : UINT64_MAX);
	}
	kmem_free_wakeup(pipe_map, addr, ptoa(PAGES));
}

static void in_use(void)
{
	struct vm_pageable_stats stats_before, stats_after;
	struct vm_accounting before, after;

	vm_accounting(&before);
	vm_pageable_stats(&stats_before);
	selftest_parallel(use_on);
	vm_pageable_stats(&stats_after);
	vm_accounting(&after);
	SELFTEST_CHECK(before.allocated == after.allocated);
	SELFTEST_CHECK(stats_after.taken > stats_before.taken);
	vm_audit(selftest_report);
}

const struct selftest_case selftest_reclaim[] = {
    {"reclaim.watermarks", watermarks}, {"reclaim.caches", caches}, {"reclaim.lowmem", lowmem},
    {"reclaim.pageable", pageable},     {"reclaim.in_use", in_use}, {NULL, NULL},
};
