/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Waiting for pages.
 *
 * A waiter sleeps until vm_phys has more free pages than its class must leave. It waits on that
 * condition: whoever wakes it looks at the condition first, and it looks again itself.
 *
 * No waiter is lost. A page may become free in vm_phys or in a magazine, of any CPU; nobody tells a
 * waiter which. Three facts suffice:
 *
 * 1 What is in a magazine comes out. The waiter adds itself to vm_page_waiters.count, and then has
 *   every CPU empty its magazines, in the handler of a cross-CPU call, and empties the depots. What
 *   a CPU put into a magazine before its handler ran is found there. After it has run, the CPU has
 *   no magazine with room: what is freed there takes the slow way, which reads the count, and the
 *   call has made the waiter's addition visible on that CPU. So it gives its pages on to vm_phys at
 *   once, and takes no more from there than the one that it needs. A thread that was interrupted
 *   by the handler with pages in its hands, which it had just imported or taken off a list, looks
 *   at the count again before it keeps them, or is about to give them to vm_phys anyway. So as long
 *   as somebody waits, a page at rest is in vm_phys, wherever it was freed, and one that is not yet
 *   there arrives (2). That CPUs can be called is one more reason why a waiter may hold no
 *   spinlock.
 *
 * 2 What arrives in vm_phys is seen by the waiter, or the waiter by the one who brings it. Both
 *   change the machine's count of free pages by a read-modify-write, acquire and release: the
 *   waiter adds 0 after its registration, the other adds its pages before it reads
 *   vm_page_waiters.count. Changes of one word have one order. If the pages were added first, the
 *   waiter sees them in the sum. If the waiter's 0 was first, the other one's addition acquires
 *   what the waiter released, namely its registration (other changes in between do not break the
 *   chain, they are read-modify-writes too). So relaxed loads of vm_page_waiters.count suffice.
 *
 * 3 Between the waiter's look and its sleep nobody who has seen it gets by: both look at the
 *   condition with page_wait.lock held, and the waiter goes to sleep before it gives that up. When
 *   several bring pages at once, each looks after its own addition, so the last look sees the sum
 *   of all.
 *
 * Locking. page_wait.lock has a higher rank than the locks of magazines and of vm_phys, which may
 * be held by whoever brings a page. So it cannot be held while magazines are emptied, and it need
 * not be: 1 holds for all the time between registration and return.
 */
#include "arch/clock.h"
#include "kernel/sched/sleepq.h"
#include "lib/check.h"
#include "lib/trace.h"
#include "smp/preempt.h"
#include "vm/vm_kern_quarantine.h"
#include "vm/vm_magazine.h"
#include "vm/vm_page_internal.h"
#include "vm/vm_pageout_internal.h"
#include "vm/vm_phys_internal.h"

/* Any machine that can go on at all frees a page in this time. One line in such a time, too. */
#define WATCH_NS UINT64_C(10000000000)

enum { CLASSES = VM_ALLOC_SYSTEM + 1 };

/* (l) lock  (a) atomic */
static struct {
	struct spinlock lock;
	unsigned sleeping[CLASSES]; /* (l) their addresses are the channels */
	uint64_t next_line_ns;      /* (l) no complaint before */
	struct atomic64 sleeps;     /* (a) statistics */
} page_wait = {.lock = SPINLOCK_INIT("page waiters", LOCK_RANK_PAGE_WAIT)};

struct vm_page_waiters vm_page_waiters;

/* (t) the waiting thread only */
struct waiter {
	int req_class;     /* (t) */
	uint64_t floor;    /* (t) pages that have to remain */
	uint64_t since_ns; /* (t) */
};

void vm_wait_init(void)
{
	atomic32_store(&vm_page_waiters.count, 0, MO_RELAXED);
	for (unsigned req_class = 0; req_class < CLASSES; req_class++)
		page_wait.sleeping[req_class] = 0;
	page_wait.next_line_ns = 0;
	atomic64_store(&page_wait.sleeps, 0, MO_RELAXED);
}

unsigned vm_pageout_waiters(void)
{
	return atomic32_load(&vm_page_waiters.count, MO_RELAXED);
}

uint64_t vm_wait_sleeps(void)
{
	return atomic64_load(&page_wait.sleeps, MO_RELAXED);
}

static const char *class_name(int req_class)
{
	static const char *const names[CLASSES] = {
	    [VM_ALLOC_NORMAL] = "normal",
	    [VM_ALLOC_INTERRUPT] = "interrupt",
	    [VM_ALLOC_SYSTEM] = "system",
	};

	return names[req_class];
}

/* --- The side that brings pages --- */

static void wake_those_who_can_go_on(void)
{
	uint64_t free;

	spin_lock(&page_wait.lock);
	free = vm_phys_free_total();
	for (int req_class = 0; req_class < CLASSES; req_class++)
		if (page_wait.sleeping[req_class] != 0 && free > vm_page_class_floor(req_class))
			wakeup(&page_wait.sleeping[req_class]);
	spin_unlock(&page_wait.lock);
}

void vm_pageout_page_freed(void)
{
	if (vm_page_wanted())
		wake_those_who_can_go_on();
}

/* --- The side that waits --- */

/* Names the waiter in the log, with the lock dropped meanwhile; not each of many, one at a time. */
static void complain_locked(const struct waiter *self)
{
	uint64_t now = arch_clock_ns();

	if (now - self->since_ns < WATCH_NS || now < page_wait.next_line_ns)
		return;
	page_wait.next_line_ns = now + WATCH_NS;
	spin_unlock(&page_wait.lock);
	kprintf("vm_wait: thread \"%s\" has waited %lu s for a page of class %s: %lu pages are "
		"free, it needs more than %lu; threads that wait: %u\n",
		thread_current()->name, (unsigned long)((now - self->since_ns) / 1000000000),
		class_name(self->req_class), (unsigned long)vm_phys_free_total(),
		(unsigned long)self->floor, vm_pageout_waiters());
	spin_lock(&page_wait.lock);
}

static void sleep_locked(const struct waiter *self)
{
	unsigned *sleeping = &page_wait.sleeping[self->req_class];

	atomic64_add(&page_wait.sleeps, 1, MO_RELAXED);
	++*sleeping;
	(void)sleep_on_spin(sleeping, &page_wait.lock, "free pages", WATCH_NS);
	--*sleeping;
}

void vm_wait(int req)
{
	struct waiter self = {
	    .req_class = req & VM_ALLOC_CLASS_MASK,
	    .floor = vm_page_class_floor(req),
	    .since_ns = arch_clock_ns(),
	};

	sleep_check("vm_wait");
	/* Pairs with the loads in vm_page_wanted, as said above. */
	atomic32_add(&vm_page_waiters.count, 1, MO_ACQ_REL);
	trace(TRACE_PAGE_WAIT, vm_phys_free_total(), 0);
	(void)kmem_quarantine_flush();
	(void)vm_magazine_drain();
	vm_pageout_deficit(1);
	spin_lock(&page_wait.lock);
	while (vm_phys_free_total_ordered() <= self.floor) {
		sleep_locked(&self);
		complain_locked(&self);
	}
	spin_unlock(&page_wait.lock);
	atomic32_sub(&vm_page_waiters.count, 1, MO_RELAXED);
}
