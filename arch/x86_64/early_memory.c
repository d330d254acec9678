/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch/x86_64/early_memory.h"

#include "arch/physmap.h"
#include "lib/panic.h"
#include "lib/string.h"

static vm_paddr_t range_start, range_end; /* what is left */
static vm_paddr_t taken_end;

void early_memory_init(const struct boot_info *info, vm_paddr_t limit)
{
	for (unsigned i = 0; i < info->range_count; i++) {
		const struct boot_range *range = &info->ranges[i];
		vm_paddr_t end = range->end < limit ? range->end : limit;

		if (range->start < end && end - range->start > range_end - range_start) {
			range_start = range->start;
			range_end = end;
		}
	}
	if (range_end == range_start)
		panic("boot: no usable memory below %#lx", (unsigned long)limit);
	taken_end = range_end;
}

vm_paddr_t early_alloc(vm_size_t bytes)
{
	bytes = round_page(bytes);
	if (bytes > early_memory_left())
		panic("boot: out of memory: %lu bytes wanted, %lu left", (unsigned long)bytes,
		      (unsigned long)early_memory_left());
	range_end -= bytes;
	memset(arch_physmap(range_end), 0, bytes);
	return range_end;
}

vm_size_t early_memory_left(void)
{
	return range_end - range_start;
}

struct keep_range early_memory_finish(void)
{
	range_start = range_end;
	return (struct keep_range){range_end, taken_end};
}
