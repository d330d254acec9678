/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Small leaves of memory that can be taken back: their accessed and dirty flags mean something.
 *
 * Hardware sets the flags at any time, without a lock (Intel SDM vol. 3A 4.8); software clears
 * them. The dirty flag is never lost: no function here replaces an entry by a value that was made
 * from an older reading without looking at what it replaced. All of them are for the owner of the
 * range (a locked or in-transition map entry).
 */
#ifndef QUIRE_VM_PMAP_PAGEABLE_H
#define QUIRE_VM_PMAP_PAGEABLE_H

#include "vm/pmap.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Maps the page at va, not wired, as accessed; dirty only if `written`: when it may hold something
 * else than zeroes. What is there already must be the same page with the same rights, and stays;
 * this CPU forgets what it remembers of it. KERN_RESOURCE_SHORTAGE when a table cannot be had,
 * which a grown range rules out. Any context in which spinlocks may be taken.
 */
int pmap_enter_pageable(pmap_t pmap, vm_offset_t va, vm_page_t m, vm_prot_t prot, bool written);

/*
 * Clears the accessed flag. CPUs that remember the translation go on using it and do not set the
 * flag again, so a page that is in use may look idle. Any context.
 */
void pmap_clear_accessed(pmap_t pmap, vm_offset_t va);

/*
 * Empties the leaf and returns what it was, flags included. Other CPUs still use what they
 * remember of it until they are made to forget, but none can write any more through a leaf that
 * was not dirty: that takes a walk, which finds nothing. Any context.
 */
pte_t pmap_take_leaf(pmap_t pmap, vm_offset_t va);

/* The way back, if nothing was entered at va since. */
void pmap_put_leaf_back(pmap_t pmap, vm_offset_t va, pte_t leaf);

/* Replaces a leaf by one for the same page; a dirty flag that came in between is kept. */
void pmap_change_leaf(pte_t *entry, pte_t now);

#ifdef __cplusplus
}
#endif

#endif
