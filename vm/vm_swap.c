/* SPDX-License-Identifier: BSD-2-Clause */
#include "vm/vm_swap.h"

#include "arch/hook.h"
#include "lib/check.h"
#include "smp/spinlock.h"

/* All guarded by the lock. */
static struct spinlock swap_lock = SPINLOCK_INIT("swap accounting", LOCK_RANK_SWAP);
static vm_size_t reserved_bytes;
static vm_size_t limit_bytes;

void swap_init(vm_size_t limit)
{
	reserved_bytes = 0;
	limit_bytes = limit;
}

bool swap_reserve(vm_size_t size)
{
	bool fits;

	CHECK_EQ(size & PAGE_MASK, 0);
	if (arch_fault_point("swap_reserve"))
		return false;
	spin_lock(&swap_lock);
	fits = reserved_bytes <= limit_bytes && size <= limit_bytes - reserved_bytes;
	if (fits)
		reserved_bytes += size;
	spin_unlock(&swap_lock);
	return fits;
}

void swap_release(vm_size_t size)
{
	spin_lock(&swap_lock);
	if (size > reserved_bytes)
		panic("swap_release(%#lx): only %#lx bytes are reserved", (unsigned long)size,
		      (unsigned long)reserved_bytes);
	reserved_bytes -= size;
	spin_unlock(&swap_lock);
}

vm_size_t swap_reserved(void)
{
	vm_size_t size;

	spin_lock(&swap_lock);
	size = reserved_bytes;
	spin_unlock(&swap_lock);
	return size;
}

vm_size_t swap_limit(void)
{
	vm_size_t size;

	spin_lock(&swap_lock);
	size = limit_bytes;
	spin_unlock(&swap_lock);
	return size;
}

void swap_set_limit(vm_size_t size)
{
	spin_lock(&swap_lock);
	limit_bytes = size;
	spin_unlock(&swap_lock);
}
