/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory for a person: allocated from kernel_map, filled with a pattern, checked when freed. */
#include "kernel/command.h"
#include "kernel/console.h"
#include "kernel/pattern.h"
#include "lib/bits.h"
#include "vm/vm_kern.h"

enum { ALLOCS_MAX = 64 };

/* The shell is one thread. */
static struct {
	vm_offset_t addr; /* 0: free */
	vm_size_t size;   /* whole pages */
} allocs[ALLOCS_MAX];

static int alloc_find(vm_offset_t addr)
{
	for (int i = 0; i < ALLOCS_MAX; i++)
		if (allocs[i].addr == addr)
			return i;
	return -1;
}

static int alloc_refuse(uint64_t size, const char *why)
{
	console_printf("quire: alloc: %lu bytes: %s\n", (unsigned long)size, why);
	return 1;
}

int cmd_alloc(int argc, char **argv)
{
	int slot = alloc_find(0);
	vm_offset_t addr;
	uint64_t size;

	if (argc != 2)
		return command_usage(argv);
	if (!command_size(argv, argv[1], &size))
		return 1;
	if (size == 0)
		return alloc_refuse(size, "there is nothing to allocate");
	if (slot < 0)
		return alloc_refuse(size, "too many allocations, free one first");
	addr = kmem_alloc(kernel_map, size);
	if (addr == 0)
		return alloc_refuse(size, "there is not enough memory or address space");
	allocs[slot].addr = addr;
	allocs[slot].size = round_page(size);
	pattern_fill(addr, allocs[slot].size, addr);
	console_printf("alloc: %lu KiB at %#lx\n", (unsigned long)(allocs[slot].size >> 10),
		       (unsigned long)addr);
	return 0;
}

int cmd_free(int argc, char **argv)
{
	vm_offset_t bad;
	uint64_t addr;
	int slot;

	if (argc != 2)
		return command_usage(argv);
	if (!command_number(argv, argv[1], &addr))
		return 1;
	slot = addr != 0 ? alloc_find(addr) : -1;
	if (slot < 0) {
		console_printf("quire: free: alloc has given nothing at %#lx\n",
			       (unsigned long)addr);
		return 1;
	}
	bad = pattern_check(addr, allocs[slot].size, addr);
	kmem_free(kernel_map, addr, allocs[slot].size);
	console_printf("free: %lu KiB at %#lx, ", (unsigned long)(allocs[slot].size >> 10),
		       (unsigned long)addr);
	allocs[slot].addr = 0;
	if (bad != 0)
		console_printf("pattern broken at %#lx\n", (unsigned long)bad);
	else
		console_printf("pattern intact\n");
	return bad != 0;
}
