/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A page is found or made, and mapped, without letting the map's lock go: a removal, or the taking
 * back of pages, comes before all of it or after all of it, and never finds a page that is about
 * to be mapped. Nothing under the lock sleeps. What has to wait unlocks first, waits, and begins
 * anew.
 *
 * Where the translation that a CPU remembers allows less than the page table does, the CPU faults
 * although nothing is wrong (Intel SDM vol. 3A 4.10.4.3), and so it does when another CPU has just
 * mapped the page. The page table alone tells; no lock is needed to try again.
 */
#include "vm/vm_fault.h"

#include "kernel/sched/mutex.h"
#include "lib/format.h"
#include "smp/preempt.h"
#include "vm/pmap_pageable.h"
#include "vm/vm_fault_private.h"
#include "vm/vm_kern.h"
#include "vm/vm_map_private.h"
#include "vm/vm_object.h"
#include "vm/vm_page.h"
#include "vm/vm_pageout.h"

/* --- Bringing a page in; the map is locked and the entry in no transition --- */

/* A busy page of zeroes, or NULL. */
static vm_page_t page_new(vm_object_t object, vm_pindex_t pindex)
{
	vm_page_t m;

	VM_OBJECT_WLOCK(object);
	m = vm_page_alloc(object, pindex, VM_ALLOC_NORMAL | VM_ALLOC_ZERO);
	VM_OBJECT_WUNLOCK(object);
	if (m == NULL)
		return NULL;
	if ((m->flags & PG_ZERO) == 0)
		pmap_zero_page(m);
	m->valid = VM_PAGE_BITS_ALL;
	return m;
}

/* The new page was mapped, or, unless rv is KERN_SUCCESS, nobody has seen it. */
static void page_done(vm_object_t object, vm_page_t m, int rv)
{
	VM_OBJECT_WLOCK(object);
	vm_page_wakeup(m);
	if (rv != KERN_SUCCESS)
		vm_page_free(m);
	VM_OBJECT_WUNLOCK(object);
}

static int entry_fault(vm_map_t map, vm_map_entry_t entry, vm_offset_t va)
{
	vm_object_t object;
	vm_pindex_t pindex;
	vm_page_t m;
	int rv;

	if (map_entry_need_object(entry) != KERN_SUCCESS)
		return KERN_RESOURCE_SHORTAGE;
	object = entry->object.vm_object;
	pindex = atop(entry->offset + (va - entry->start));
	VM_OBJECT_WLOCK(object);
	m = vm_page_lookup(object, pindex);
	VM_OBJECT_WUNLOCK(object);
	/* A page that lost its mapping may have been written through it. */
	if (m != NULL)
		return pmap_enter_pageable(map->pmap, va, m, entry->protection, true);
	m = page_new(object, pindex);
	if (m == NULL)
		return KERN_RESOURCE_SHORTAGE;
	rv = pmap_enter_pageable(map->pmap, va, m, entry->protection, false);
	page_done(object, m, rv);
	return rv;
}

bool vm_fault_entry_is_pageable(vm_map_entry_t entry)
{
	if (entry->eflags & (MAP_ENTRY_NOFAULT | MAP_ENTRY_IS_SUB_MAP))
		return false;
	return entry->object.vm_object == NULL || entry->object.vm_object->type == OBJT_DEFAULT;
}

static int fault_locked(vm_map_t map, vm_offset_t va, vm_prot_t access)
{
	vm_map_entry_t entry;

	(void)map_transition_wait(map, va, va + PAGE_SIZE);
	if (!vm_map_lookup_entry(map, va, &entry) || !vm_fault_entry_is_pageable(entry))
		return KERN_INVALID_ADDRESS;
	if ((access & ~entry->protection) != 0 || entry->protection == VM_PROT_NONE)
		return KERN_PROTECTION_FAILURE;
	return entry_fault(map, entry, va);
}

vm_map_t vm_fault_lock_map(vm_map_t map, vm_offset_t va)
{
	vm_map_entry_t entry;

	for (;;) {
		vm_map_t submap;

		vm_map_lock(map);
		if (!vm_map_lookup_entry(map, va, &entry) ||
		    (entry->eflags & MAP_ENTRY_IS_SUB_MAP) == 0)
			return map;
		submap = entry->object.sub_map; /* there for ever */
		vm_map_unlock(map);
		map = submap;
	}
}

bool vm_fault_may_lock(void)
{
	return sleep_allowed() && mutex_highest_held().rank < LOCK_RANK_MAP;
}

int vm_fault(vm_map_t map, vm_offset_t va, vm_prot_t access)
{
	if (!vm_fault_may_lock())
		return KERN_RESOURCE_SHORTAGE;
	va = trunc_page(va);
	for (;;) {
		vm_map_t holder = vm_fault_lock_map(map, va);
		int rv = fault_locked(holder, va, access);

		vm_map_unlock(holder);
		if (rv != KERN_RESOURCE_SHORTAGE)
			return rv;
		vm_wait(VM_ALLOC_NORMAL);
		thread_yield(); /* there are pages, but others may be faster, again and again */
	}
}

/* --- The kernel's faults --- */

static vm_prot_t fault_access(const struct arch_fault *fault)
{
	if (fault->execute)
		return VM_PROT_EXECUTE;
	return fault->write ? VM_PROT_WRITE : VM_PROT_READ;
}

/* Would the access succeed, if it were made now? */
static bool permitted_by_now(const struct arch_fault *fault)
{
	unsigned level;
	pte_t leaf;

	if (fault->reserved || fault->va < VM_MIN_KERNEL_ADDRESS)
		return false;
	leaf = pmap_leaf(kernel_pmap, fault->va, &level);
	if (leaf == 0 || (fault->write && (leaf & PTE_WRITE) == 0) ||
	    (fault->execute && (leaf & PTE_NX) != 0))
		return false;
	arch_tlb_invalidate_page(fault->va);
	return true;
}

bool vm_fault_kernel(const struct arch_fault *fault, char *why, size_t why_size)
{
	int rv = KERN_INVALID_ADDRESS;

	if (kernel_map == NULL) {
		format(why, why_size, "there are no maps yet");
		return false;
	}
	if (permitted_by_now(fault))
		return true;
	if (!fault->reserved && fault->va >= kernel_map->min_offset &&
	    fault->va < kernel_map->max_offset)
		rv = vm_fault(kernel_map, fault->va, fault_access(fault));
	if (rv == KERN_SUCCESS)
		return true;
	vm_fault_explain(fault, why, why_size);
	return false;
}
