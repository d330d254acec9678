/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An index from page number to page: a radix tree of 64-way nodes, only as deep as its largest
 * index needs. Lookup touches one line per level, and neighbouring pages share their leaf node.
 */
#ifndef QUIRE_VM_VM_RADIX_H
#define QUIRE_VM_VM_RADIX_H

#include "vm/vm_param.h"

#ifdef __cplusplus
extern "C" {
#endif

struct vm_radix_node;

/* All guarded by whoever owns the tree. */
struct vm_radix {
	struct vm_radix_node *root;
	unsigned height; /* levels of nodes; 0: empty */
};

/* Once, before the first insert. */
void vm_radix_init(void);

/*
 * Puts `page` at `index`; KERN_RESOURCE_SHORTAGE when a node is missing and no memory is to be
 * had (nothing changed), KERN_INVALID_ARGUMENT when the index is taken.
 */
int vm_radix_insert(struct vm_radix *tree, vm_pindex_t index, vm_page_t page);

vm_page_t vm_radix_lookup(const struct vm_radix *tree, vm_pindex_t index);

/* The page at the smallest index >= `index`, or NULL; *found is its index. */
vm_page_t vm_radix_lookup_ge(const struct vm_radix *tree, vm_pindex_t index, vm_pindex_t *found);

/* Takes the page at `index` out and returns it; NULL when there is none. Frees empty nodes. */
vm_page_t vm_radix_remove(struct vm_radix *tree, vm_pindex_t index);

/* Checks shape and counts; returns broken rules, reported a line each. */
unsigned vm_radix_audit(const struct vm_radix *tree, void (*report)(const char *line));

#ifdef __cplusplus
}
#endif

#endif
