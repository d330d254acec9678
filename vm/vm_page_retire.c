/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Taking bad pages out of use.
 *
 * A free page is allocated as a run of one page at that address, and never given back; no part of
 * vm_phys has to know. A page in use gets the mark PG_RETIRE, which sends its release past the
 * quick path of vm_page_free and to vm_page_retire_freed, at no cost to pages without it.
 *
 * The flags belong to the page's owner, who may write them at the moment at which the mark is set,
 * and then the mark is gone. So the page stays in a table until it has left, and the mark is set
 * again. The owner never loses anything: the mark is set by a compare and exchange of the word
 * that he writes with one store.
 *
 * Rejected: a list of bad pages that each release asks, which costs every release something; a
 * lock around the flags, which costs more.
 */
#include "vm/vm_page_retire.h"

#include "arch/atomic.h"
#include "lib/check.h"
#include "vm/vm_magazine.h"
#include "vm/vm_page_internal.h"
#include "vm/vm_phys.h"
#include "vm/vm_report.h"

/* (a) the page's address with bit 0 set, or 0 */
static struct atomic64 waiting[VM_PAGE_RETIRE_MAX]; /* (a) */
static struct atomic64 retired;                     /* (a) */

enum { WAITS = 1 };

void vm_page_retire_init(void)
{
	for (unsigned i = 0; i < VM_PAGE_RETIRE_MAX; i++)
		atomic64_store(&waiting[i], 0, MO_RELAXED);
	atomic64_store(&retired, 0, MO_RELAXED);
}

static bool table_change(uint64_t from, uint64_t to)
{
	for (unsigned i = 0; i < VM_PAGE_RETIRE_MAX; i++) {
		uint64_t expected = from;

		if (atomic64_load(&waiting[i], MO_RELAXED) == from &&
		    atomic64_cas(&waiting[i], &expected, to, MO_RELAXED))
			return true;
	}
	return false;
}

static bool table_has(vm_paddr_t pa)
{
	for (unsigned i = 0; i < VM_PAGE_RETIRE_MAX; i++)
		if (atomic64_load(&waiting[i], MO_RELAXED) == (pa | WAITS))
			return true;
	return false;
}

/* The page is ours alone. */
static void page_leaves(vm_page_t m)
{
	m->state = VM_PAGE_RETIRED;
	m->flags = 0;
	m->oflags = 0;
	m->valid = 0;
	(void)table_change(m->phys_addr | WAITS, 0);
	atomic64_add(&retired, 1, MO_RELAXED);
}

void vm_page_retire_freed(vm_page_t m)
{
	CHECK_EQ(m->wire_count, 0);
	CHECK_EQ(m->memattr, VM_MEMATTR_DEFAULT);
	m->object = NULL;
	m->pindex = 0;
	page_leaves(m);
}

static bool take_free(vm_page_t m)
{
	vm_paddr_t pa = m->phys_addr;

	if (vm_phys_alloc_contig(1, pa, pa + PAGE_SIZE, PAGE_SIZE, 0) == NULL)
		return false;
	page_leaves(m);
	return true;
}

/* Sets the mark unless the page is in an allocator; true if it is there now. */
static bool mark(vm_page_t m)
{
	struct vm_page_word word = vm_page_word_get(m), marked;

	for (unsigned tries = 0; tries < 4; tries++) {
		if (word.state == VM_PAGE_FREE || word.state == VM_PAGE_MAGAZINE)
			return false;
		marked = word;
		marked.flags |= PG_RETIRE;
		if (vm_page_word_cas(m, &word, marked))
			return true;
	}
	return false; /* its owner is busy with it: the next try will find it at rest */
}

static bool try_to_take(vm_page_t m)
{
	if (take_free(m))
		return true;
	if (mark(m))
		return false;
	(void)vm_magazine_drain();
	return take_free(m);
}

enum vm_page_retirement vm_page_retire(vm_paddr_t pa)
{
	vm_page_t m = PHYS_TO_VM_PAGE(trunc_page(pa));

	if (m == NULL)
		return VM_PAGE_RETIRE_NONE;
	if (m->state == VM_PAGE_RETIRED)
		return VM_PAGE_RETIRE_DONE;
	if (m->state == VM_PAGE_BOOT || m->state == VM_PAGE_TABLE)
		return VM_PAGE_RETIRE_KEPT;
	/* In the table first: a page that is freed at once takes itself out again. */
	if (!table_has(m->phys_addr) && !table_change(0, m->phys_addr | WAITS))
		return VM_PAGE_RETIRE_FULL;
	return try_to_take(m) ? VM_PAGE_RETIRE_DONE : VM_PAGE_RETIRE_LATER;
}

unsigned vm_page_retire_again(void)
{
	for (unsigned i = 0; i < VM_PAGE_RETIRE_MAX; i++) {
		uint64_t entry = atomic64_load(&waiting[i], MO_RELAXED);

		if (entry != 0)
			(void)try_to_take(PHYS_TO_VM_PAGE(entry & ~(uint64_t)WAITS));
	}
	return vm_page_retire_waiting();
}

uint64_t vm_page_retired_count(void)
{
	return atomic64_load(&retired, MO_RELAXED);
}

unsigned vm_page_retire_waiting(void)
{
	unsigned count = 0;

	for (unsigned i = 0; i < VM_PAGE_RETIRE_MAX; i++)
		count += atomic64_load(&waiting[i], MO_RELAXED) != 0;
	return count;
}

const char *vm_page_retirement_text(enum vm_page_retirement how)
{
	static const char *const texts[] = {
	    "it is out of use",
	    "it is in use, and will be out of use when it is freed",
	    "it holds page tables or boot data and stays in use",
	    "it is no memory of this kernel",
	    "too many pages wait to be freed already",
	};

	return (unsigned)how < nitems(texts) ? texts[how] : "?";
}

unsigned vm_page_retire_audit(uint64_t in_state, void (*report)(const char *line))
{
	uint64_t counted = vm_page_retired_count();

	if (in_state == counted)
		return 0;
	return vm_report(report, "pages: %lu say that they are retired, %lu were",
			 (unsigned long)in_state, (unsigned long)counted);
}
