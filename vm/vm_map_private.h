/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the address map share. Every function here wants the map locked.
 */
#ifndef QUIRE_VM_VM_MAP_PRIVATE_H
#define QUIRE_VM_VM_MAP_PRIVATE_H

#include "vm/vm_map.h"
#include "vm/vm_pool.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * In the cow argument of vm_map_insert: the range becomes an entry of its own, whatever its
 * neighbours are. Who asks for that puts it in transition before the map is unlocked.
 */
#define MAP_INSERT_ALONE 0x1000000

/* vm_map_tree.c: the sorted list, the tree, and the gaps; counts and size follow. */
void map_tree_init(vm_map_t map);
void map_tree_link(vm_map_t map, vm_map_entry_t prev, vm_map_entry_t entry);
void map_tree_unlink(vm_map_t map, vm_map_entry_t entry);
/* Moves the entry's end, within the gap behind it. */
void map_tree_set_end(vm_map_t map, vm_map_entry_t entry, vm_offset_t end);
/* The first entry that ends above addr, or NULL. */
vm_map_entry_t map_tree_first_above(vm_map_t map, vm_offset_t addr);
/* The entry's largest gap as its children and own gap say; for the audit. */
vm_size_t map_tree_max_gap(vm_map_entry_t entry);

/* vm_map.c: entries from the pool, the split halves, references. */
extern struct vm_pool map_entry_pool;
void map_entry_dispose(vm_map_entry_t entry);
int map_entry_clip_start(vm_map_t map, vm_map_entry_t entry, vm_offset_t addr, int how);
int map_entry_clip_end(vm_map_t map, vm_map_entry_t entry, vm_offset_t addr, int how);

/*
 * [start, end), which begins where `prev` ends, or anywhere behind it, is free, and its page table
 * is grown: gives it to the pages of `object` that are wired there, from `offset` on. Takes the
 * reference itself if it needs one. `prev` is the entry before, or NULL. KERN_RESOURCE_SHORTAGE
 * without memory for an entry; nothing is changed then.
 */
int map_insert_wired(vm_map_t map, vm_map_entry_t prev, vm_object_t object, vm_ooffset_t offset,
		     vm_offset_t start, vm_offset_t end, vm_prot_t prot);

/*
 * Does the entry hold wired pages of a kernel object, at the indices of their addresses, with this
 * protection? Then what map_insert_wired would put behind it is put there by map_entry_extend.
 */
static inline bool map_entry_is_wired_kernel(const struct vm_map_entry *entry, vm_object_t object,
					     vm_prot_t prot)
{
	return entry->object.vm_object == object && entry->eflags == 0 &&
	       entry->protection == prot && entry->max_protection == VM_PROT_ALL &&
	       entry->wired_count == 1 && !entry->charged && !entry->has_memattr &&
	       entry->offset == entry->start - VM_MIN_KERNEL_ADDRESS;
}

/* Moves the entry's end into the gap behind it, and merges it with what it meets. */
void map_entry_extend(vm_map_t map, vm_map_entry_t entry, vm_offset_t end);

/* KERN_SUCCESS and the entry before, or the error of vm_map_insert for these bounds. */
int map_range_free(vm_map_t map, vm_offset_t start, vm_offset_t end, vm_map_entry_t *prev);

/* vm_map_findspace from the map's beginning; *prev is the entry before the place, or NULL. */
int map_findspace_behind(vm_map_t map, vm_size_t length, vm_offset_t *addr, vm_map_entry_t *prev);

/* vm_map_transition.c: who works on a range while the map is unlocked. */

/*
 * Waits until nobody works on any entry of [start, end). True when it had to: the map was
 * unlocked meanwhile, and whatever the caller knew of the range is to be looked up again.
 */
bool map_transition_wait(vm_map_t map, vm_offset_t start, vm_offset_t end);

/*
 * Splits the entries at both ends and marks all in [start, end) as the caller's. Nothing in the
 * range is in transition. KERN_RESOURCE_SHORTAGE with nothing changed. `how` is VM_POOL_*.
 */
int map_transition_begin(vm_map_t map, vm_offset_t start, vm_offset_t end, int how);

/* Clears the marks of [start, end), merges what has become equal, wakes who waited. */
void map_transition_end(vm_map_t map, vm_offset_t start, vm_offset_t end);

/* Is all of [start, end) in entries, none of them a submap? */
bool map_range_covered(vm_map_t map, vm_offset_t start, vm_offset_t end);

/* vm_map_findspace for a multiple of 2 MiB. */
int map_findspace_aligned(vm_map_t map, vm_offset_t start, vm_size_t length, vm_offset_t *addr);

/* Is every entry of the covered range [start, end) as `is` wants it? */
bool map_range_all(vm_map_t map, vm_offset_t start, vm_offset_t end, bool (*is)(vm_map_entry_t));

bool map_range_has_submap(vm_map_t map, vm_offset_t start, vm_offset_t end);

/* vm_map_submap.c */
void map_submap_startup(void);

/* Gives a pageable entry that has no object yet one of its own. KERN_RESOURCE_SHORTAGE. */
int map_entry_need_object(vm_map_entry_t entry);

/* A thread that waits for space in kmem_alloc_wait; on its stack. */
struct vm_map_waiter {
	TAILQ_ENTRY(vm_map_waiter) link;
	vm_size_t size; /* bytes */
};

/* vm_map_wire for a locked map; it is locked again on return. */
int map_wire_locked(vm_map_t map, vm_offset_t start, vm_offset_t end);

#ifdef __cplusplus
}
#endif

#endif
