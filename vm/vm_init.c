/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The start of the memory system, lowest layer first.
 */
#include "arch/bootinfo.h"
#include "arch/mmu.h"
#include "smp/shootdown.h"
#include "smp/smp.h"
#include "vm/mag_cache_private.h"
#include "vm/pmap.h"
#include "vm/uma.h"
#include "vm/vm.h"
#include "vm/vm_boot.h"
#include "vm/vm_kern.h"
#include "vm/vm_kern_cache.h"
#include "vm/vm_kern_quarantine.h"
#include "vm/vm_magazine.h"
#include "vm/vm_map.h"
#include "vm/vm_object.h"
#include "vm/vm_pageable.h"
#include "vm/vm_pageout.h"
#include "vm/vm_phys.h"
#include "vm/vm_swap.h"
#include "vm/vm_sysctl.h"

static void *shootdown_memory(size_t bytes)
{
	return vm_boot_alloc(bytes, CACHE_LINE, "shootdown request lines");
}

void vm_init(void)
{
	vm_boot_init();
	/* What is kept per CPU comes from the boot allocator: ask before the hand-over. */
	shootdown_init(smp_cpu_count(), shootdown_memory);
	kmem_quarantine_init(smp_cpu_count());
	mag_pool_init();
	vm_magazine_init(smp_cpu_count());
	vm_phys_init();
	vm_pageout_init();
	vm_object_init();
	uma_startup();
	pmap_init();
	swap_init(arch_boot_info()->ram_bytes);
	vm_map_startup();
	kmem_init(arch_mmu_image_end(), VM_MAX_KERNEL_ADDRESS);
	vm_pageable_init();
	vm_pageout_set_scanner(vm_pageable_scan);
	vm_sysctl_init();
	kmem_quarantine_sysctl_init();
}

bool vm_idle(void)
{
	return kmem_quarantine_idle() || vm_magazine_idle() || kmem_cache_idle();
}
