/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/stack.h"

#include "lib/check.h"
#include "vm/pmap.h"
#include "vm/vm_kern.h"
#include "vm/vm_page.h"

enum {
	/* The deepest path (a fault in an interrupt in a map operation, with a line of log being
	 * formatted) needs about 3 KiB; debug builds about twice that. */
	STACK_PAGES = 4,
	GUARD_PAGES = 1,
};

static void stack_pages_free(vm_page_t *pages, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		vm_page_unwire(pages[i]);
		vm_page_free(pages[i]);
	}
}

static bool stack_pages_alloc(vm_page_t *pages)
{
	for (unsigned i = 0; i < STACK_PAGES; i++) {
		pages[i] =
		    vm_page_alloc(NULL, 0, VM_ALLOC_NORMAL | VM_ALLOC_NOOBJ | VM_ALLOC_WIRED);
		if (pages[i] == NULL) {
			stack_pages_free(pages, i);
			return false;
		}
	}
	return true;
}

void *kstack_alloc(size_t *size)
{
	vm_page_t pages[STACK_PAGES];
	vm_offset_t range;

	if (!stack_pages_alloc(pages))
		return NULL;
	range = kmem_alloc_nofault(kernel_map, ptoa(GUARD_PAGES + STACK_PAGES));
	if (range == 0) {
		stack_pages_free(pages, STACK_PAGES);
		return NULL;
	}
	pmap_qenter(range + ptoa(GUARD_PAGES), pages, STACK_PAGES);
	*size = ptoa(STACK_PAGES);
	return (void *)(range + ptoa(GUARD_PAGES));
}

void kstack_free(void *base, size_t size)
{
	vm_offset_t va = (vm_offset_t)base;
	vm_page_t pages[STACK_PAGES];

	CHECK_EQ(size, ptoa(STACK_PAGES));
	for (unsigned i = 0; i < STACK_PAGES; i++) {
		pages[i] = PHYS_TO_VM_PAGE(pmap_kextract(va + ptoa(i)));
		CHECK(pages[i] != NULL);
	}
	pmap_qremove(va, STACK_PAGES);
	stack_pages_free(pages, STACK_PAGES);
	kmem_free(kernel_map, va - ptoa(GUARD_PAGES), ptoa(GUARD_PAGES + STACK_PAGES));
}
