/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mapped kernel memory: vmalloc and vfree. vfree leaves the flush of the TLBs for later, when
 * 32 MiB times the bits of the number of CPUs have come together, and gives the pages back at once;
 * the strict case has it flushed before it goes on, by vm_unmap_aliases.
 */
#include <linux/mm.h>
#include <linux/vmalloc.h>

#include "bench/peers/linux/module/harness.h"

static int pair_sample(struct bench_cpu *cpu)
{
	unsigned int ops = cpu->run->ops;
	unsigned long bytes = cpu->run->what->size * PAGE_SIZE;

	for (unsigned int i = 0; i < ops; i++) {
		void *memory = vmalloc(bytes);

		if (unlikely(memory == NULL))
			return -ENOMEM;
		vfree(memory);
	}
	return 0;
}

static int zero_sample(struct bench_cpu *cpu)
{
	unsigned int ops = cpu->run->ops;
	unsigned long bytes = cpu->run->what->size * PAGE_SIZE;

	for (unsigned int i = 0; i < ops; i++) {
		void *memory = vzalloc(bytes);

		if (unlikely(memory == NULL))
			return -ENOMEM;
		vfree(memory);
	}
	return 0;
}

static __always_inline int touched_pairs(const struct bench_cpu *cpu, bool strict)
{
	unsigned int ops = cpu->run->ops;

	for (unsigned int i = 0; i < ops; i++) {
		char *memory = vmalloc(PAGE_SIZE);

		if (unlikely(memory == NULL))
			return -ENOMEM;
		WRITE_ONCE(*memory, 1);
		vfree(memory);
		if (strict)
			vm_unmap_aliases();
	}
	return 0;
}

static int deferred_sample(struct bench_cpu *cpu)
{
	return touched_pairs(cpu, false);
}

static int strict_sample(struct bench_cpu *cpu)
{
	return touched_pairs(cpu, true);
}

const struct bench_case kmem_cases[] = {
    LINUX_CASE(KMEM_1, .ops = 200, .quick_ops = 50, .ops_divided = true, .size = 1,
	       .sample = pair_sample),
    LINUX_CASE(KMEM_4, .ops = 200, .quick_ops = 50, .ops_divided = true, .size = 4,
	       .sample = pair_sample),
    LINUX_CASE(KMEM_16, .ops = 100, .quick_ops = 20, .ops_divided = true, .size = 16,
	       .sample = pair_sample),
    LINUX_CASE(KMEM_64, .ops = 40, .quick_ops = 10, .ops_divided = true, .size = 64,
	       .sample = pair_sample),
    LINUX_CASE(KMEM_256, .ops = 20, .quick_ops = 5, .ops_divided = true, .size = 256,
	       .sample = pair_sample),
    LINUX_CASE(KMEM_ALLOC_1, .ops = 100, .quick_ops = 20, .ops_divided = true, .size = 1,
	       .sample = zero_sample),
    LINUX_CASE(KMEM_ALLOC_16, .ops = 50, .quick_ops = 10, .ops_divided = true, .size = 16,
	       .sample = zero_sample),
    LINUX_CASE(KMEM_DEFERRED, .ops = 200, .quick_ops = 50, .ops_divided = true,
	       .sample = deferred_sample),
    LINUX_CASE(KMEM_STRICT, .ops = 200, .quick_ops = 50, .ops_divided = true,
	       .sample = strict_sample),
    LINUX_CASE(KMEM_1000, .ops = 1000, .quick_ops = 100, .ops_divided = true,
	       .sample = deferred_sample),
    LINUX_CASE_END,
};
