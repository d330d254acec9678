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

/*
 * Runs: neighbouring indices that lie in one leaf, at the cost of one walk.
 */
enum { VM_RADIX_RUN = 64 }; /* pages of the longest one: those from one multiple to the next */

/*
 * Takes the indices [index, index + n), which are free and lie in one leaf, n > 0, and returns
 * where the pages are to be written, one after the other, before anything else happens to the tree.
 * NULL when a node is missing and no memory is to be had: nothing changed. Panics when one of the
 * indices is taken.
 */
vm_page_t *vm_radix_place(struct vm_radix *tree, vm_pindex_t index, unsigned n);

/*
 * The pages from `index` on, as long as they are in one leaf and there is no gap: *n of them, 0
 * when there is none at index. They are what the tree has, and stay there until one of them is
 * taken out, whatever else changes.
 */
vm_page_t const *vm_radix_run(const struct vm_radix *tree, vm_pindex_t index, unsigned *n);

/* Takes n of them out, n > 0, all of which are there. Frees empty nodes. */
void vm_radix_remove_run(struct vm_radix *tree, vm_pindex_t index, unsigned n);

/* Checks shape and counts; returns broken rules, reported a line each. */
unsigned vm_radix_audit(const struct vm_radix *tree, void (*report)(const char *line));

#ifdef __cplusplus
}
#endif

#endif
