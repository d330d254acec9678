/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench/peers/linux/module/symbols.h"

#include <linux/kprobes.h>

void *(*linux_vmalloc_node)(unsigned long size, unsigned long align, gfp_t gfp, int node,
			    const void *caller);
void (*linux_flush_tlb_kernel_range)(unsigned long start, unsigned long end);

static void *find(const char *name)
{
	struct kprobe probe = {.symbol_name = name, .flags = KPROBE_FLAG_DISABLED};
	void *address;
	int error = register_kprobe(&probe);

	if (error != 0) {
		pr_err("bench: error: this kernel has no %s: %pe\n", name, ERR_PTR(error));
		return NULL;
	}
	address = probe.addr;
	unregister_kprobe(&probe);
	return address;
}

bool symbols_find(void)
{
	linux_vmalloc_node = find("__vmalloc_node");
	linux_flush_tlb_kernel_range = find("flush_tlb_kernel_range");
	return linux_vmalloc_node != NULL && linux_flush_tlb_kernel_range != NULL;
}
