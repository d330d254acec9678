/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of kernel memory share. */
#ifndef QUIRE_VM_VM_KERN_PRIVATE_H
#define QUIRE_VM_VM_KERN_PRIVATE_H

#include "vm/vm_kern.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Removes a range that is the caller's. Map locked, unlocked in between, and locked on return. */
void kmem_delete_certainly(vm_map_t map, vm_offset_t start, vm_offset_t end);

/* kmem_malloc past the caches, for the function at `caller`. */
vm_offset_t kmem_malloc_uncached(vm_map_t map, vm_size_t size, int flags, const void *caller);

/*
 * vm_kern_cache.c: [start, end) is about to be freed the long way; the caches have nothing more to
 * do with it. False when they hold some of it: it is free already. Any map. Any context.
 */
bool kmem_cache_disown(vm_map_t map, vm_offset_t start, vm_offset_t end);

/* kmem_free past the caches, for `caller`, and then(map) while the map is still locked. */
void kmem_free_then(vm_map_t map, vm_offset_t addr, vm_size_t size, void (*then)(vm_map_t map),
		    const void *caller);

/*
 * vm_kern_quarantine.c: [start, end), which the caller frees, is unmapped and given back when no
 * CPU remembers it. False, with nothing changed, when it must go the immediate way, or is not
 * allocated at all. Any map.
 */
bool kmem_quarantine_put(vm_map_t map, vm_offset_t start, vm_offset_t end);

/* Was some of it freed, and waits in quarantine? Slow, unless all of it is mapped. */
bool kmem_quarantine_holds(vm_map_t map, vm_offset_t start, vm_offset_t end);

/*
 * Somebody names [start, end), nothing locked. What of it is free already is made so for the map as
 * well, so that the answer is the same as if frees did not wait.
 */
void kmem_quarantine_settle(vm_map_t map, vm_offset_t start, vm_offset_t end);

/* From here on frees may wait. */
void kmem_quarantine_set_limits(uint64_t ram_pages);

/* vm_kern_debug.c, when kmem_map is there: off, with nothing kept away. */
void kmem_debug_init(void);

/*
 * vm_kern_debug.c, for ranges of kmem_map while kmem.debug is on. A range was allocated; holds
 * something that is freed already; is about to be freed, and is in ours; was emptied, and is to be
 * kept away (the last two: map locked, bury unlocks it in between).
 */
void kmem_debug_allocated(vm_offset_t addr, vm_size_t size, uintptr_t by);
bool kmem_debug_is_grave(vm_offset_t start, vm_offset_t end);
void kmem_debug_poison(vm_offset_t start, vm_offset_t end);
void kmem_debug_bury(vm_offset_t start, vm_offset_t end, uintptr_t by);

/* Who freed what was at va, and who had it; false when nothing is known. Any context. */
bool kmem_debug_explain(vm_offset_t va, char *text, size_t size);

/* Takes the entry of [start, end) away; nothing is mapped in it, and nobody waits for it. */
void kmem_discard_entry(vm_map_t map, vm_offset_t start, vm_offset_t end);

/*
 * Something could not be had. Gives back what is kept for no more than speed; true if it is worth a
 * second try. Any context; false where CPUs cannot be asked.
 */
bool kmem_try_again(int req, uint64_t npages);

/* The VM_ALLOC_ request that malloc flags stand for. */
int kmem_page_request(int flags);

/* Adds the fresh, unwired entry [addr, addr + size) for `object`, at the offset of its address; not
 * merged with its neighbours, so put it in transition. Map locked. KERN_* of vm_map_insert; nothing
 * is changed on failure. */
int kmem_insert(vm_map_t map, vm_object_t object, vm_offset_t addr, vm_size_t size, vm_prot_t prot);

/* vm_kern_zero.c: makes zero_region. */
void kmem_init_zero_region(void);

/* Wakes who waits in kmem_malloc for address space of the map. */
void kmem_space_freed(vm_map_t map);

#ifdef __cplusplus
}
#endif

#endif
