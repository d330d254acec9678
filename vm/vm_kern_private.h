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

/* kmem_free, and then(map) while the map is still locked. */
void kmem_free_then(vm_map_t map, vm_offset_t addr, vm_size_t size, void (*then)(vm_map_t map));

/* Takes the entry of [start, end) away; nothing is mapped in it, and nobody waits for it. */
void kmem_discard_entry(vm_map_t map, vm_offset_t start, vm_offset_t end);

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
