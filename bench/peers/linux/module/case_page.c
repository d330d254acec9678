/* SPDX-License-Identifier: BSD-2-Clause */
/* Physical pages: alloc_page and __free_page, for the kernel itself, which may sleep for them. */
#include <linux/gfp.h>
#include <linux/mm.h>

#include "bench/peers/linux/module/harness.h"
#include "bench/peers/linux/module/slots.h"

static __always_inline int pairs(const struct bench_cpu *cpu, gfp_t flags)
{
	unsigned int ops = cpu->run->ops;

	for (unsigned int i = 0; i < ops; i++) {
		struct page *page = alloc_page(flags);

		if (unlikely(page == NULL))
			return -ENOMEM;
		__free_page(page);
	}
	return 0;
}

static int pair_sample(struct bench_cpu *cpu)
{
	return pairs(cpu, GFP_KERNEL);
}

static int zero_sample(struct bench_cpu *cpu)
{
	return pairs(cpu, GFP_KERNEL | __GFP_ZERO);
}

static int batch_setup(struct bench_cpu *cpu)
{
	unsigned int ops = cpu->run->ops;
	return slots_new(cpu, ops);
}

static int batch_sample(struct bench_cpu *cpu)
{
	unsigned int ops = cpu->run->ops;
	struct slots *slots = slots_of(cpu);
	unsigned int n = 0;

	while (n < ops) {
		slots->slot[n].memory = alloc_page(GFP_KERNEL);
		if (unlikely(slots->slot[n].memory == NULL))
			break;
		n++;
	}
	for (unsigned int i = 0; i < n; i++)
		__free_page(slots->slot[i].memory);
	return n == ops ? 0 : -ENOMEM;
}

const struct bench_case page_cases[] = {
    LINUX_CASE(PAGE_PAIR, .ops = 1000, .quick_ops = 200, .sample = pair_sample),
    LINUX_CASE(PAGE_BATCH, .ops = 512, .setup_cpu = batch_setup, .sample = batch_sample,
	       .drain_cpu = slots_delete),
    LINUX_CASE(PAGE_ZERO, .ops = 200, .quick_ops = 50, .sample = zero_sample),
    LINUX_CASE_END,
};
