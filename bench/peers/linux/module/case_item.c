/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Items: kmem_cache_alloc and kmem_cache_free for zones, kmalloc and kfree for the general
 * allocator. kmalloc gets its size as a constant, as most callers give it, which spares it the
 * search for the cache.
 */
#include "bench/peers/linux/module/harness.h"
#include "bench/peers/linux/module/item.h"
#include "bench/peers/linux/module/slots.h"

int item_setup(struct bench_run *run)
{
	run->state = item_cache_new("quire_bench", run->what->size);
	return run->state != NULL ? 0 : -ENOMEM;
}

/* Does nothing with NULL. */
void item_teardown(struct bench_run *run)
{
	kmem_cache_destroy(run->state);
}

static int zone_sample(struct bench_cpu *cpu)
{
	unsigned int ops = cpu->run->ops;
	struct kmem_cache *cache = item_cache_of(cpu);

	for (unsigned int i = 0; i < ops; i++) {
		void *item = kmem_cache_alloc(cache, GFP_KERNEL);

		if (unlikely(item == NULL))
			return -ENOMEM;
		kmem_cache_free(cache, item);
	}
	return 0;
}

static int batch_setup(struct bench_cpu *cpu)
{
	return slots_new(cpu, cpu->run->ops);
}

static int batch_sample(struct bench_cpu *cpu)
{
	unsigned int ops = cpu->run->ops;
	struct kmem_cache *cache = item_cache_of(cpu);
	struct slots *slots = slots_of(cpu);
	unsigned int n = 0;

	while (n < ops) {
		slots->slot[n].memory = kmem_cache_alloc(cache, GFP_KERNEL);
		if (unlikely(slots->slot[n].memory == NULL))
			break;
		n++;
	}
	for (unsigned int i = 0; i < n; i++)
		kmem_cache_free(cache, slots->slot[i].memory);
	return n == ops ? 0 : -ENOMEM;
}

/* size must be a constant where this is called. */
static __always_inline int malloc_pairs(const struct bench_cpu *cpu, size_t size)
{
	unsigned int ops = cpu->run->ops;

	for (unsigned int i = 0; i < ops; i++) {
		void *item = kmalloc(size, GFP_KERNEL);

		if (unlikely(item == NULL))
			return -ENOMEM;
		/* Or the compiler, which knows what both functions are, leaves them out. */
		OPTIMIZER_HIDE_VAR(item);
		kfree(item);
	}
	return 0;
}

static int malloc_64(struct bench_cpu *cpu)
{
	return malloc_pairs(cpu, 64);
}

static int malloc_256(struct bench_cpu *cpu)
{
	return malloc_pairs(cpu, 256);
}

static int malloc_4096(struct bench_cpu *cpu)
{
	return malloc_pairs(cpu, 4096);
}

const struct bench_case item_cases[] = {
    LINUX_CASE(ZONE_64, .ops = 1000, .quick_ops = 200, .size = 64, .setup = item_setup,
	       .sample = zone_sample, .teardown = item_teardown),
    LINUX_CASE(ZONE_256, .ops = 1000, .quick_ops = 200, .size = 256, .setup = item_setup,
	       .sample = zone_sample, .teardown = item_teardown),
    LINUX_CASE(ZONE_4096, .ops = 1000, .quick_ops = 200, .size = 4096, .setup = item_setup,
	       .sample = zone_sample, .teardown = item_teardown),
    LINUX_CASE(ZONE_BATCH, .ops = 512, .size = 256, .setup = item_setup, .setup_cpu = batch_setup,
	       .sample = batch_sample, .drain_cpu = slots_delete, .teardown = item_teardown),
    LINUX_CASE(MALLOC_64, .ops = 1000, .quick_ops = 200, .sample = malloc_64),
    LINUX_CASE(MALLOC_256, .ops = 1000, .quick_ops = 200, .sample = malloc_256),
    LINUX_CASE(MALLOC_4096, .ops = 1000, .quick_ops = 200, .sample = malloc_4096),
    LINUX_CASE_END,
};
