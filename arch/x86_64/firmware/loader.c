/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch/x86_64/firmware/loader.h"

#include "arch/x86_64/firmware/multiboot2.h"
#include "arch/x86_64/firmware/pvh.h"

static bool read_multiboot2(const struct fw_mem *mem, vm_paddr_t pa, struct boot_raw *raw,
			    struct fw_report *report)
{
	const void *head = fw_map(mem, pa, MULTIBOOT2_INFO_MIN);
	size_t size = head != NULL ? multiboot2_size(head) : 0;
	const void *all = fw_map(mem, pa, size);

	if (all == NULL) {
		fw_report_add(report, "multiboot2: no information of a sensible size at %#llx",
			      (unsigned long long)pa);
		return false;
	}
	return multiboot2_parse(all, size, raw, report);
}

bool loader_read(const struct fw_mem *mem, uint32_t magic, vm_paddr_t info, struct boot_raw *raw,
		 struct fw_report *report)
{
	boot_raw_init(raw);
	switch (magic) {
	case MULTIBOOT2_MAGIC:
		return read_multiboot2(mem, info, raw, report);
	case PVH_MAGIC:
		return pvh_parse(mem, info, raw, report);
	default:
		fw_report_add(report, "boot: magic %#x is of no loader that is known", magic);
		return false;
	}
}

unsigned loader_list_kept(const struct boot_raw *raw, struct keep_range *keep)
{
	unsigned count = 0;

	keep[count++] = (struct keep_range){0, LOADER_LOW_END};
	if (raw->fb.kind == BOOT_FB_RGB)
		keep[count++] = (struct keep_range){
		    raw->fb.base, raw->fb.base + (vm_paddr_t)raw->fb.pitch * raw->fb.height};
	for (unsigned i = 0; i < raw->module_count; i++)
		keep[count++] = (struct keep_range){raw->modules[i].start, raw->modules[i].end};
	return count;
}
