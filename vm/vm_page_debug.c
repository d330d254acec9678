/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Poison: what a free page holds at its two ends in a debug build, so that a write through a
 * pointer that outlived its page is found when the page is allocated again, at the latest. Only
 * the ends, since most structures begin or end at a page's edge, and four cache lines cost less
 * than sixty-four.
 */
#include "arch/physmap.h"
#include "lib/string.h"
#include "vm/vm_page_internal.h"

enum { POISON_EDGE = 64 }; /* bytes at each end */
#define POISON_WORD UINT64_C(0xdeadf4eedeadf4ee)

/* Offset of the nth word of the ends, or PAGE_SIZE after the last one. */
static unsigned edge_offset(unsigned n)
{
	unsigned words = POISON_EDGE / sizeof(uint64_t);

	if (n < words)
		return n * sizeof(uint64_t);
	if (n < 2 * words)
		return (unsigned)PAGE_SIZE - POISON_EDGE + (n - words) * sizeof(uint64_t);
	return (unsigned)PAGE_SIZE;
}

#ifdef QUIRE_DEBUG
void vm_page_poison(vm_page_t m)
{
	char *page = (char *)arch_physmap(m->phys_addr);

	for (unsigned n = 0, offset; (offset = edge_offset(n)) < PAGE_SIZE; n++)
		*(uint64_t *)(void *)(page + offset) = POISON_WORD;
	m->flags = (uint8_t)((m->flags & ~PG_ZERO) | PG_POISONED);
}
#endif

static bool edges_hold(vm_page_t m, uint64_t expected, struct vm_page_damage *damage)
{
	const char *page = (const char *)arch_physmap(m->phys_addr);

	for (unsigned n = 0, offset; (offset = edge_offset(n)) < PAGE_SIZE; n++) {
		uint64_t found = *(const uint64_t *)(const void *)(page + offset);

		if (found != expected) {
			*damage = (struct vm_page_damage){offset, expected, found};
			return false;
		}
	}
	return true;
}

bool vm_page_intact(vm_page_t m, struct vm_page_damage *damage)
{
	*damage = (struct vm_page_damage){0, 0, 0};
	if (m->flags & PG_POISONED)
		return edges_hold(m, POISON_WORD, damage);
#ifdef QUIRE_DEBUG
	if (m->flags & PG_ZERO)
		return edges_hold(m, 0, damage);
#endif
	return true;
}

const char *vm_page_state_name(unsigned state)
{
	static const char *const names[VM_PAGE_STATES] = {
	    "boot memory",  "free",   "in a magazine", "allocated",
	    "a page table", "a slab", "of a zone",     "retired",
	};

	return state < VM_PAGE_STATES ? names[state] : "in no known state";
}
