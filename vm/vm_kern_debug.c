/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keeping freed ranges away.
 *
 * A range that is freed is emptied as always, and then its addresses are taken again, before the
 * map is unlocked, by an entry that nothing can be mapped in: a *grave*. Graves wait in a ring,
 * first in, first out; the oldest is given back when the ring is full or when graves cover more
 * than a quarter of the map. For each page two code addresses are kept: who allocated the range
 * that held it last, and who freed it (none: it is allocated).
 *
 * Locking: the ring and the records of free pages are guarded by the lock of kmem_map; those of an
 * allocated page belong to whoever has it.
 */
#include "vm/vm_kern_debug.h"

#include "arch/physmap.h"
#include "lib/bits.h"
#include "lib/format.h"
#include "lib/panic.h"
#include "lib/symbol.h"
#include "vm/pmap.h"
#include "vm/vm_kern_cache.h"
#include "vm/vm_kern_private.h"
#include "vm/vm_map_private.h"
#include "vm/vm_page.h"

enum {
	GRAVES = 4096,
	SHARE = 4, /* graves cover at most one part in so many of the map */
};

#define POISON UINT64_C(0xdeadbeeffeedface)

/* Who did it last to a page; freed_by is 0 while it is allocated, both are while it is not ours. */
struct record {
	uintptr_t allocated_by, freed_by;
};

struct grave {
	vm_offset_t start, end;
};

/* (a) atomic  (c) constant once it is on  (m) lock of kmem_map */
static struct {
	struct atomic32 on;          /* (a) */
	struct record *records;      /* (c) one for each page of kmem_map */
	struct grave graves[GRAVES]; /* (m) ring */
	unsigned first, count;       /* (m) */
	vm_size_t bytes;             /* (m) in graves */
} debug;

bool kmem_debug(void)
{
	return atomic32_load(&debug.on, MO_ACQUIRE) != 0;
}

static struct record *record_of(vm_offset_t va)
{
	if (debug.records == NULL || va < kmem_map->min_offset || va >= kmem_map->max_offset)
		return NULL;
	return &debug.records[atop(va - kmem_map->min_offset)];
}

/* --- Switch --- */

void kmem_debug_init(void)
{
	atomic32_store(&debug.on, 0, MO_RELAXED);
	debug.records = NULL;
	debug.first = debug.count = 0;
	debug.bytes = 0;
}

static struct record *records_alloc(void)
{
	vm_size_t bytes = atop(kmem_map->max_offset - kmem_map->min_offset) * sizeof(struct record);
	unsigned long npages = atop(round_page(bytes));
	vm_page_t run =
	    vm_page_alloc_contig(NULL, 0, VM_ALLOC_NORMAL | VM_ALLOC_NOOBJ | VM_ALLOC_WIRED, npages,
				 0, ~(vm_paddr_t)0, PAGE_SIZE, 0, VM_MEMATTR_DEFAULT);

	if (run == NULL)
		return NULL;
	for (unsigned long i = 0; i < npages; i++)
		pmap_zero_page(&run[i]);
	return (struct record *)arch_physmap(VM_PAGE_TO_PHYS(run));
}

void kmem_debug_set(bool on)
{
	if (on == kmem_debug())
		return;
	if (on && debug.records == NULL)
		debug.records = records_alloc();
	if (debug.records == NULL) {
		kprintf("vm: kmem.debug stays off: no memory for its records\n");
		return;
	}
	if (on)
		kmem_cache_enable(false);
	atomic32_store(&debug.on, on, MO_RELEASE);
	if (!on) {
		(void)kmem_debug_release();
		kmem_cache_enable(true);
	}
}

/* --- Records --- */

void kmem_debug_allocated(vm_offset_t addr, vm_size_t size, uintptr_t by)
{
	for (vm_offset_t va = addr; va < addr + size; va += PAGE_SIZE)
		*record_of(va) = (struct record){by, 0};
}

bool kmem_debug_is_grave(vm_offset_t start, vm_offset_t end)
{
	if (record_of(start) == NULL)
		return false;
	for (vm_offset_t va = start; va < end; va += PAGE_SIZE)
		if (record_of(va)->freed_by != 0)
			return true;
	return false;
}

bool kmem_debug_explain(vm_offset_t va, char *text, size_t size)
{
	const struct record *record = record_of(va);
	char by[SYMBOL_TEXT_SIZE], freed[SYMBOL_TEXT_SIZE];

	if (record == NULL || record->freed_by == 0)
		return false;
	format(text, size, "freed by %s, allocated before by %s",
	       symbol_text(record->freed_by, freed, sizeof(freed)),
	       record->allocated_by == 0 ? "somebody"
					 : symbol_text(record->allocated_by, by, sizeof(by)));
	return true;
}

/* --- Graves; map locked --- */

void kmem_debug_poison(vm_offset_t start, vm_offset_t end)
{
	for (vm_offset_t va = start; va < end; va += PAGE_SIZE) {
		vm_paddr_t pa = pmap_kextract(va);
		uint64_t *words = (uint64_t *)arch_physmap(pa);

		for (unsigned i = 0; pa != 0 && i < PAGE_SIZE / sizeof(*words); i++)
			words[i] = POISON;
	}
}

static vm_size_t grave_open(void)
{
	struct grave *grave = &debug.graves[debug.first];
	vm_size_t size = grave->end - grave->start;
	struct grave range = *grave;

	debug.first = (debug.first + 1) % GRAVES;
	debug.count--;
	debug.bytes -= size;
	for (vm_offset_t va = range.start; va < range.end; va += PAGE_SIZE)
		*record_of(va) = (struct record){0, 0};
	kmem_delete_certainly(kmem_map, range.start, range.end);
	return size;
}

void kmem_debug_bury(vm_offset_t start, vm_offset_t end, uintptr_t by)
{
	/* Without memory for the entry the range is free at once, as it would be otherwise. */
	if (vm_map_insert(kmem_map, NULL, 0, start, end, VM_PROT_NONE, VM_PROT_NONE, MAP_NOFAULT) !=
	    KERN_SUCCESS)
		return;
	for (vm_offset_t va = start; va < end; va += PAGE_SIZE)
		record_of(va)->freed_by = by;
	debug.graves[(debug.first + debug.count) % GRAVES] = (struct grave){start, end};
	debug.count++;
	debug.bytes += end - start;
	while (debug.count == GRAVES ||
	       debug.bytes > (kmem_map->max_offset - kmem_map->min_offset) / SHARE)
		(void)grave_open();
}

vm_size_t kmem_debug_release(void)
{
	vm_size_t bytes = 0;

	if (debug.records == NULL)
		return 0;
	vm_map_lock(kmem_map);
	while (debug.count > 0)
		bytes += grave_open();
	kmem_space_freed(kmem_map);
	vm_map_unlock(kmem_map);
	return bytes;
}
