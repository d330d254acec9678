/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the page allocator's files say to each other; nobody else includes this.
 */
#ifndef QUIRE_VM_VM_PAGE_INTERNAL_H
#define QUIRE_VM_VM_PAGE_INTERNAL_H

#include "lib/check.h"
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

/*
 * The bytes of a descriptor that change together, as one word: what most pages have when they are
 * freed, and what they get. The owner loads and stores it; a mark of vm_page_retire.c comes in by
 * a compare and exchange.
 */
struct vm_page_word {
	uint8_t state;
	vm_memattr_t memattr;
	uint8_t flags;
	uint8_t oflags;
	uint32_t wire_count;
};

static inline struct vm_page_word vm_page_word_get(const struct vm_page *m)
{
	struct vm_page_word word;

	__builtin_memcpy(&word, &m->state, sizeof(word));
	return word;
}

/* Stores `desired` if the word is *expected; else *expected becomes what it is. */
bool vm_page_word_cas(vm_page_t m, struct vm_page_word *expected, struct vm_page_word desired);

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

/* Debug builds: was it left alone while it was free? */
static inline void vm_page_check_intact(vm_page_t m)
{
#ifdef QUIRE_DEBUG
	struct vm_page_damage damage;

	if (unlikely(!vm_page_intact(m, &damage)))
		panic("page %#llx was written while it was free: offset %u, expected %#llx, "
		      "found %#llx",
		      (unsigned long long)m->phys_addr, damage.offset,
		      (unsigned long long)damage.expected, (unsigned long long)damage.found);
#else
	(void)m;
#endif
}

/* Are those bits of the page's word that `which` has as in `wanted`? */
static inline bool vm_page_word_matches(const struct vm_page *m, struct vm_page_word which,
					struct vm_page_word wanted)
{
	uint64_t is, mask, value;

	__builtin_memcpy(&is, &m->state, sizeof(is));
	__builtin_memcpy(&mask, &which, sizeof(mask));
	__builtin_memcpy(&value, &wanted, sizeof(value));
	return (is & mask) == value;
}

static inline void vm_page_word_set(vm_page_t m, struct vm_page_word word)
{
	__builtin_memcpy(&m->state, &word, sizeof(word));
}

/* A page in no object, unwired, from wherever there is one; NULL when there is none, and the page
 * daemon knows. Any context. */
vm_page_t vm_page_take(int req);

/*
 * vm_page_batch.c: gives back pages of an object, wired at most once, of the default memory type.
 * The caller has its lock and takes them out of its index next. No CPU may still reach them.
 */
void vm_page_free_taken(vm_page_t const *pages, unsigned n);

/* Sets vm_page_limits for a machine with so many pages of RAM. */
void vm_page_limits_init(uint64_t total_pages);

/* How many free pages a request of this class leaves. Panics when req has no class. */
uint64_t vm_page_class_floor(int req);

/* The stack of each domain's pages in every CPU's area. Constant after vm_magazine_init. */
extern uint32_t vm_magazine_offsets[MAXMEMDOM];

/* Gives a page that is VM_PAGE_MAGAZINE already to its domain's cache. Any context. */
void vm_magazine_put(vm_page_t m);
void vm_magazine_put_many(vm_page_t *pages, unsigned count);

/* Pages in all magazines: a sum over CPUs that go on meanwhile. */
uint64_t vm_magazine_cached(void);

/* "free", "allocated", ... for messages. */
const char *vm_page_state_name(unsigned state);

#ifdef __cplusplus
}
#endif

#endif
