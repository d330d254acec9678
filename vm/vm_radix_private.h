/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The nodes of a radix tree, for the files that walk them; nobody else includes this.
 */
#ifndef QUIRE_VM_VM_RADIX_PRIVATE_H
#define QUIRE_VM_VM_RADIX_PRIVATE_H

#include "vm/vm_radix.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
	RADIX_BITS = 6,
	RADIX_WAYS = 1 << RADIX_BITS,
	RADIX_HEIGHT_MAX = (64 + RADIX_BITS - 1) / RADIX_BITS, /* all bits of an index: 11 */
	/* At worst a root alone grows to full height, and then goes down to a new leaf. */
	RADIX_NEW_MAX = 2 * RADIX_HEIGHT_MAX,
};

/*
 * Bit i of `present` says that slots[i] is in use: finding the next one takes one instruction. A
 * slot that is not in use is NULL, so that a node which is empty is all zero, as its pool wants it.
 */
struct vm_radix_node {
	uint64_t present;
	void *slots[RADIX_WAYS]; /* nodes of the level below, or pages at level 0 */
};

static inline unsigned radix_slot_of(vm_pindex_t index, unsigned level)
{
	return (unsigned)(index >> (RADIX_BITS * level)) & (RADIX_WAYS - 1);
}

static inline bool radix_node_has(const struct vm_radix_node *node, unsigned slot)
{
	return (node->present >> slot) & 1;
}

static inline void radix_node_set(struct vm_radix_node *node, unsigned slot, void *item)
{
	node->slots[slot] = item;
	node->present |= (uint64_t)1 << slot;
}

static inline void radix_node_clear(struct vm_radix_node *node, unsigned slot)
{
	node->slots[slot] = NULL;
	node->present &= ~((uint64_t)1 << slot);
}

/* The leaf node of `index`, made when it is missing, perhaps empty then; NULL without memory, and
 * nothing has changed. */
struct vm_radix_node *radix_leaf_get(struct vm_radix *tree, vm_pindex_t index);

/* The same, but NULL when it is missing. */
struct vm_radix_node *radix_leaf_find(const struct vm_radix *tree, vm_pindex_t index);

/* The leaf of `index`, which is there, was emptied: it goes, and so does what it leaves empty. */
void radix_leaf_drop(struct vm_radix *tree, vm_pindex_t index);

#ifdef __cplusplus
}
#endif

#endif
