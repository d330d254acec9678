/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs of a radix tree: what kernel memory comes and goes in. One walk serves up to 64 pages.
 */
#include "lib/check.h"
#include "vm/vm_radix_private.h"

_Static_assert((int)VM_RADIX_RUN == (int)RADIX_WAYS, "a run is what a leaf holds");

/* The bits of n slots, 1 to 64, from `slot` on. */
static uint64_t slots_mask(unsigned slot, unsigned n)
{
	return (~(uint64_t)0 >> (RADIX_WAYS - n)) << slot;
}

vm_page_t *vm_radix_place(struct vm_radix *tree, vm_pindex_t index, unsigned n)
{
	unsigned slot = radix_slot_of(index, 0);
	struct vm_radix_node *leaf;
	uint64_t mask;

	CHECK(n > 0 && n <= RADIX_WAYS - slot);
	leaf = radix_leaf_get(tree, index);
	if (leaf == NULL)
		return NULL;
	mask = slots_mask(slot, n);
	if (leaf->present & mask)
		panic("radix tree: %u indices from %#llx: one is taken", n,
		      (unsigned long long)index);
	leaf->present |= mask;
	return (vm_page_t *)(void *)&leaf->slots[slot];
}

vm_page_t const *vm_radix_run(const struct vm_radix *tree, vm_pindex_t index, unsigned *n)
{
	const struct vm_radix_node *leaf = radix_leaf_find(tree, index);
	unsigned slot = radix_slot_of(index, 0);
	uint64_t missing;

	*n = 0;
	if (leaf == NULL)
		return NULL;
	missing = ~leaf->present >> slot;
	*n = missing != 0 ? (unsigned)__builtin_ctzll(missing) : RADIX_WAYS - slot;
	return (vm_page_t const *)(const void *)&leaf->slots[slot];
}

void vm_radix_remove_run(struct vm_radix *tree, vm_pindex_t index, unsigned n)
{
	struct vm_radix_node *leaf = radix_leaf_find(tree, index);
	unsigned slot = radix_slot_of(index, 0);
	uint64_t mask;

	CHECK(leaf != NULL && n > 0 && n <= RADIX_WAYS - slot);
	mask = slots_mask(slot, n);
	CHECK_EQ(leaf->present & mask, mask);
	leaf->present &= ~mask;
#pragma GCC unroll 4
	for (unsigned i = 0; i < n; i++)
		leaf->slots[slot + i] = NULL;
	if (leaf->present == 0)
		radix_leaf_drop(tree, index);
}
