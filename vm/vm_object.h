/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Objects: sources of pages, each page at an index.
 *
 * kernel_object and kmem_object hold all wired kernel memory. Their pages are unmanaged, and the
 * index of a page is that of its address: (va - VM_MIN_KERNEL_ADDRESS) / PAGE_SIZE, in submaps
 * too, so that neighbouring allocations are neighbours here and can share a map entry.
 */
#ifndef QUIRE_VM_VM_OBJECT_H
#define QUIRE_VM_VM_OBJECT_H

#include "arch/atomic.h"
#include "smp/spinlock.h"
#include "vm/vm_param.h"
#include "vm/vm_radix.h"

#ifdef __cplusplus
extern "C" {
#endif

enum vm_object_type {
	OBJT_PHYS,    /* wired kernel memory: pages unmanaged, on no queue, never paged */
	OBJT_DEFAULT, /* anonymous, pageable */
};

/* (l) lock  (a) atomic  (c) constant after init */
struct vm_object {
	struct spinlock lock;         /* rank LOCK_RANK_OBJECT */
	enum vm_object_type type;     /* (c) */
	const char *name;             /* (c) for people */
	vm_pindex_t size;             /* (c) pages: indices are below it */
	struct atomic32 ref_count;    /* (a) */
	struct vm_radix index;        /* (l) */
	uint64_t resident_page_count; /* (l) */
};

extern struct vm_object kernel_object_store;
extern struct vm_object kmem_object_store;
#define kernel_object (&kernel_object_store)
#define kmem_object   (&kmem_object_store)

#define VM_OBJECT_WLOCK(object)          spin_lock(&(object)->lock)
#define VM_OBJECT_WUNLOCK(object)        spin_unlock(&(object)->lock)
#define VM_OBJECT_ASSERT_WLOCKED(object) ASSERT(spin_owned(&(object)->lock))

/* kernel_object and kmem_object; each starts with one reference that is never dropped. */
void vm_object_init(void);

/* A pageable object of `size` pages with one reference; NULL on shortage. Any context. */
vm_object_t vm_object_allocate(enum vm_object_type type, vm_pindex_t size);

/* Any context. */
void vm_object_reference(vm_object_t object);

/*
 * Drops a reference; the object is not locked. With the last one its pages are freed, which no
 * CPU can reach any more. kernel_object and kmem_object never lose their last one.
 */
void vm_object_deallocate(vm_object_t object);

/*
 * The page enters the object, which is locked, at an index that is free. KERN_SUCCESS, or
 * KERN_RESOURCE_SHORTAGE with nothing changed when the index needs memory.
 */
int vm_object_page_insert(vm_object_t object, vm_page_t m, vm_pindex_t pindex);

/* Takes the page out of its object, which is locked; its state is otherwise unchanged. */
void vm_object_page_take(vm_page_t m);

vm_page_t vm_object_page_find(vm_object_t object, vm_pindex_t pindex);

/*
 * Unwires and frees all pages with index in [start, end); the object is locked. No CPU may still
 * reach them: the mappings are gone and shot down.
 */
void vm_object_page_remove(vm_object_t object, vm_pindex_t start, vm_pindex_t end);

#ifdef __cplusplus
}
#endif

#endif
