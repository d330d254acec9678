/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One CPU's TLB and paging-structure caches: what it remembers of the tables, until told to
 * forget. A hash table; unlimited unless its owner limits it.
 *
 * Intel SDM vol. 3A 4.10.2 (TLBs) and 4.10.3 (paging-structure caches). The kernel's translations
 * are all global, so no address-space identifiers are modelled.
 */
#ifndef QUIRE_ARCH_HOST_TLB_H
#define QUIRE_ARCH_HOST_TLB_H

#include "lib/types.h"

/* Rights collected over all levels. */
enum {
	TLB_WRITE = 1 << 0,
	TLB_EXECUTE = 1 << 1,
	TLB_USER = 1 << 2,
	TLB_DIRTY = 1 << 3, /* the leaf's dirty flag was set when it was read */
	TLB_ATTR_SHIFT = 4, /* from here on: the leaf's memory type, 3 bits */
};

/*
 * What is remembered. A leaf of level 1..3, or a table of level 1..3: the table that a walk of any
 * address in [va, va + size of an entry one level up) comes to.
 */
struct tlb_entry {
	vm_offset_t va;
	vm_paddr_t pa;
	uint8_t level;
	bool table;
	uint8_t rights;
};

static inline unsigned tlb_entry_attr(const struct tlb_entry *entry)
{
	return entry->rights >> TLB_ATTR_SHIFT;
}

enum { TLB_KINDS = 7 }; /* 1..3: leaves by level; 4..6: tables by level */

struct tlb_slot {
	uint64_t key; /* 0: empty */
	uint64_t value;
};

struct tlb {
	struct tlb_slot *slots;
	size_t slot_count; /* a power of two, or 0 */
	size_t used;
	size_t count[TLB_KINDS];
};

/* Called for every entry that comes (+1) or goes (-1). */
typedef void tlb_change(void *ctx, const struct tlb_entry *entry, int change);

void tlb_destroy(struct tlb *tlb);

bool tlb_find_leaf(const struct tlb *tlb, vm_offset_t va, struct tlb_entry *out);
bool tlb_find_table(const struct tlb *tlb, vm_offset_t va, unsigned level, struct tlb_entry *out);

/* Adds or replaces; entry->va may be any address that it covers. */
void tlb_insert(struct tlb *tlb, const struct tlb_entry *entry, tlb_change *change, void *ctx);

/* Drops every leaf for va, and, if asked, the tables on the way to it. */
void tlb_drop(struct tlb *tlb, vm_offset_t va, bool tables, tlb_change *change, void *ctx);

/* Drops the first entry at or after a slot that chance picked. */
void tlb_evict(struct tlb *tlb, uint64_t random, tlb_change *change, void *ctx);
void tlb_flush(struct tlb *tlb, tlb_change *change, void *ctx);

static inline size_t tlb_leaf_count(const struct tlb *tlb)
{
	return tlb->count[1] + tlb->count[2] + tlb->count[3];
}

/* Calls fn for every entry until it returns true; true if it did. */
bool tlb_scan(const struct tlb *tlb, bool (*fn)(void *ctx, const struct tlb_entry *entry),
	      void *ctx);

/* A checksum of the entries, whatever their order. */
uint64_t tlb_hash(const struct tlb *tlb);

/* Bytes that the entry covers. */
vm_size_t tlb_entry_size(const struct tlb_entry *entry);

#endif
