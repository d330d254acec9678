/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The zero region: one page of zeroes at every page of 2 MiB, so that code which needs a large
 * source of zeroes has one at the price of a page and a table.
 */
#include "lib/check.h"
#include "vm/pmap.h"
#include "vm/vm_kern_private.h"
#include "vm/vm_page.h"

const void *zero_region;

void kmem_init_zero_region(void)
{
	vm_offset_t addr = kmem_alloc_nofault(kernel_map, ZERO_REGION_SIZE);
	vm_page_t m = vm_page_alloc(NULL, 0, VM_ALLOC_NORMAL | VM_ALLOC_NOOBJ | VM_ALLOC_WIRED);
	int rv;

	if (addr == 0 || m == NULL)
		panic("kmem_init: no %s for the zero region", addr == 0 ? "addresses" : "page");
	pmap_zero_page(m);
	for (vm_offset_t va = addr; va < addr + ZERO_REGION_SIZE; va += PAGE_SIZE)
		pmap_qenter(va, &m, 1);
	/* The maximum falls too: nobody can make it writable again. */
	rv = vm_map_protect(kernel_map, addr, addr + ZERO_REGION_SIZE, VM_PROT_READ, true);
	if (rv != KERN_SUCCESS)
		panic("kmem_init: the zero region cannot be made read-only (error %d)", rv);
	zero_region = (const void *)addr;
}
