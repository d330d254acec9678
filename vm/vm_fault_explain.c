/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What was wrong with an access that faulted: for the one who reads the panic.
 */
#include "lib/format.h"
#include "smp/preempt.h"
#include "vm/vm_fault_private.h"
#include "vm/vm_kern_private.h"
#include "vm/vm_map_private.h"

static const char *access_name(const struct arch_fault *fault)
{
	if (fault->execute)
		return "execute";
	return fault->write ? "write" : "read";
}

/* Why the page of a pageable range was not brought in; `allowed`: it could have been. */
static const char *pageable_cause(const struct arch_fault *fault, bool allowed)
{
	if (allowed)
		return "not permitted: pageable memory, protected against it";
	if (in_interrupt())
		return "nothing is mapped: pageable memory, touched by an interrupt handler";
	if (spin_held_count() != 0)
		return "nothing is mapped: pageable memory, touched with a spinlock held";
	if (!fault->irq_enabled)
		return "nothing is mapped: pageable memory, touched with interrupts disabled";
	if (!sleep_allowed())
		return "nothing is mapped: pageable memory, touched where threads may not sleep";
	return "nothing is mapped: pageable memory, touched with a lock of the memory system held";
}

static const char *entry_cause(const struct arch_fault *fault, vm_map_entry_t entry, bool allowed)
{
	if (entry->eflags & MAP_ENTRY_NOFAULT)
		return fault->present ? "not permitted in a no-fault range"
				      : "nothing is mapped in a no-fault range";
	if (vm_fault_entry_is_pageable(entry))
		return pageable_cause(fault, allowed);
	if (fault->present)
		return "not permitted: kernel memory, protected against it";
	return entry->wired_count != 0
		   ? "nothing is mapped: kernel memory, wired, without access"
		   : "nothing is mapped: kernel memory, not wired (yet, or any more)";
}

static bool in_zero_region(vm_offset_t va)
{
	vm_offset_t start = (vm_offset_t)zero_region;

	return start != 0 && va >= start && va < start + ZERO_REGION_SIZE;
}

static const char *cause_name(const struct arch_fault *fault, vm_map_t map, bool allowed)
{
	vm_map_entry_t entry;

	if (fault->reserved)
		return "a page table has a reserved bit set";
	if (in_zero_region(fault->va) && fault->write)
		return "not permitted: the zero region is read-only for ever";
	if (vm_map_lookup_entry(map, fault->va, &entry))
		return entry_cause(fault, entry, allowed);
	return fault->present ? "not permitted there" : "nothing is mapped";
}

/* Where no lock may be taken: the machine is about to stop, and a wild guess is worth the risk. */
static vm_map_t map_without_lock(vm_offset_t va)
{
	vm_map_t map = kernel_map;
	vm_map_entry_t entry;

	while (vm_map_lookup_entry(map, va, &entry) && (entry->eflags & MAP_ENTRY_IS_SUB_MAP) != 0)
		map = entry->object.sub_map;
	return map;
}

void vm_fault_explain(const struct arch_fault *fault, char *why, size_t why_size)
{
	bool locked = vm_fault_may_lock();
	vm_map_t map =
	    locked ? vm_fault_lock_map(kernel_map, fault->va) : map_without_lock(fault->va);
	bool freed;
	char where[160];

	freed = kmem_debug_explain(fault->va, where, sizeof(where));
	if (!freed)
		vm_map_describe(map, fault->va, where, sizeof(where));
	format(why, why_size, "%s of %#lx: %s; %s: %s", access_name(fault),
	       (unsigned long)fault->va, cause_name(fault, map, locked),
	       freed ? "it was" : "address is in", where);
	if (locked)
		vm_map_unlock(map);
}
