/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch/x86_64/kernel_space.h"

#include "arch/x86_64/early_memory.h"
#include "arch/x86_64/features.h"
#include "arch/x86_64/image.h"
#include "arch/x86_64/paging.h"
#include "arch/x86_64/regs.h"
#include "lib/check.h"

static vm_offset_t space_end; /* where the image and what stands behind it ends */

vm_offset_t arch_mmu_image_end(void)
{
	return space_end;
}

static void map_image_part(const char *start, const char *end, unsigned rights)
{
	CHECK(paging_map((vm_offset_t)start, image_paddr(start), (vm_size_t)(end - start), rights,
			 VM_MEMATTR_DEFAULT));
}

static void map_image(void)
{
	map_image_part(image_text_start, image_rodata_start, MAP_EXECUTE);
	map_image_part(image_rodata_start, image_data_start, MAP_READ);
	map_image_part(image_data_start, boot_stack_guard, MAP_WRITE);
	map_image_part(boot_stack_guard + PAGE_SIZE, image_end, MAP_WRITE);
	space_end = (vm_offset_t)image_end;
}

static void map_direct(vm_paddr_t start, vm_paddr_t end, unsigned rights)
{
	if (start < end)
		CHECK(paging_map(PHYSMAP_BASE + start, start, end - start, rights,
				 VM_MEMATTR_DEFAULT));
}

static vm_paddr_t clamp(vm_paddr_t pa, vm_paddr_t low, vm_paddr_t high)
{
	return pa < low ? low : pa > high ? high : pa;
}

/*
 * Only RAM: a cacheable translation of anything else lets the CPU read ahead into devices, and a
 * large page must not span memory of two types (Intel SDM vol. 3A 12.11.9). The image's code and
 * constants stay read-only through this way too.
 */
static void map_ram(const struct boot_info *ram)
{
	for (unsigned i = 0; i < ram->range_count; i++) {
		const struct boot_range *r = &ram->ranges[i];
		vm_paddr_t ro_start = clamp(image_paddr(image_text_start), r->start, r->end);
		vm_paddr_t ro_end = clamp(image_paddr(image_data_start), r->start, r->end);

		map_direct(r->start, ro_start, MAP_WRITE);
		map_direct(ro_start, ro_end, MAP_READ);
		map_direct(ro_end, r->end, MAP_WRITE);
	}
}

void kernel_space_init(const struct boot_info *ram)
{
	paging_create_root();
	map_ram(ram);
	kprintf("memory: direct map: %lu pages of 1 GiB, %lu of 2 MiB, %lu of 4 KiB; %d levels of "
		"tables%s\n",
		paging_mapped(3), paging_mapped(2), paging_mapped(1), MMU_LEVELS,
		cpu_features.levels_5 ? " (the CPU could do 5)" : "");
	map_image();
	features_enable();
	cr3_write(kernel_root);
}

bool kernel_space_map_device(vm_paddr_t pa, vm_size_t size, vm_memattr_t attr)
{
	vm_paddr_t start = trunc_page(pa), end = round_page(pa + size);

	if (size == 0 || end <= start || end > PHYSMAP_END - PHYSMAP_BASE)
		return false;
	return paging_map(PHYSMAP_BASE + start, start, end - start, MAP_WRITE, attr);
}

vm_offset_t kernel_space_create_stack(vm_size_t size)
{
	vm_offset_t start = space_end + PAGE_SIZE;

	CHECK(start + size <= VM_MAX_KERNEL_ADDRESS);
	CHECK(paging_map(start, early_alloc(size), size, MAP_WRITE, VM_MEMATTR_DEFAULT));
	space_end = start + size;
	return space_end;
}
