/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the page allocator's files say to each other; nobody else includes this.
 */
#ifndef QUIRE_VM_VM_PAGE_INTERNAL_H
#define QUIRE_VM_VM_PAGE_INTERNAL_H

#include "vm/vm_page.h"

#ifdef __cplusplus
extern "C" {
#endif

/* m->flags of a page in an allocator, debug builds: its poison is in place. */
#define PG_POISONED 0x80

/* A word of the page that is not what it was left as. */
struct vm_page_damage {
	unsigned offset; /* bytes into the page */
	uint64_t expected, found;
};

/* Fills the page's ends with poison in a debug build; the page is then not zero. */
#ifdef QUIRE_DEBUG
void vm_page_poison(vm_page_t m);
#else
static inline void vm_page_poison(vm_page_t m)
{
	(void)m;
}
#endif

/* False, and what is wrong, when a poisoned page or one that claims to be zero is not. */
bool vm_page_intact(vm_page_t m, struct vm_page_damage *damage);

/* Sets vm_page_limits for a machine with so many pages of RAM. */
void vm_page_limits_init(uint64_t total_pages);

/* How many free pages a request of this class leaves. Panics when req has no class. */
uint64_t vm_page_class_floor(int req);

/* The stack of each domain's pages in every CPU's area. Constant after vm_magazine_init. */
extern uint32_t vm_magazine_offsets[MAXMEMDOM];

/* Gives a page that is VM_PAGE_MAGAZINE already to its domain's cache. Any context. */
void vm_magazine_put(vm_page_t m);

/* Pages in all magazines: a sum over CPUs that go on meanwhile. */
uint64_t vm_magazine_cached(void);

/* "free", "allocated", ... for messages. */
const char *vm_page_state_name(unsigned state);

#ifdef __cplusplus
}
#endif

#endif
