/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory that one CPU allocates and its neighbour in a circle frees, one sample later. */
#include <linux/gfp.h>
#include <linux/mm.h>

#include "bench/peers/linux/module/harness.h"
#include "bench/peers/linux/module/item.h"
#include "bench/peers/linux/module/slots.h"

enum { HANDOVER_SLOTS = 256, HANDOVER_ITEM_SIZE = 256 };

static void *page_get(void)
{
	struct page *page = alloc_page(GFP_KERNEL);

	return page != NULL ? page_address(page) : NULL;
}

static void page_put(void *memory)
{
	__free_page(virt_to_page(memory));
}

static int page_setup(struct bench_cpu *cpu)
{
	int error = slots_new(cpu, HANDOVER_SLOTS);

	return error != 0 ? error : slots_fill(cpu, page_get);
}

static int page_sample(struct bench_cpu *cpu)
{
	struct slots *slots = slots_rotating(cpu);

	for (unsigned int i = 0; i < HANDOVER_SLOTS; i++) {
		page_put(slots->slot[i].memory);
		slots->slot[i].memory = page_get();
		if (unlikely(slots->slot[i].memory == NULL))
			return -ENOMEM;
	}
	return 0;
}

static void page_drain(struct bench_cpu *cpu)
{
	slots_empty(cpu, page_put);
	slots_delete(cpu);
}

static int items_setup(struct bench_cpu *cpu)
{
	int error = slots_new(cpu, HANDOVER_SLOTS);

	for (unsigned int i = 0; error == 0 && i < HANDOVER_SLOTS; i++) {
		slots_of(cpu)->slot[i].memory = kmem_cache_alloc(item_cache_of(cpu), GFP_KERNEL);
		if (slots_of(cpu)->slot[i].memory == NULL)
			error = -ENOMEM;
	}
	return error;
}

static int items_sample(struct bench_cpu *cpu)
{
	struct slots *slots = slots_rotating(cpu);
	struct kmem_cache *cache = item_cache_of(cpu);

	for (unsigned int i = 0; i < HANDOVER_SLOTS; i++) {
		kmem_cache_free(cache, slots->slot[i].memory);
		slots->slot[i].memory = kmem_cache_alloc(cache, GFP_KERNEL);
		if (unlikely(slots->slot[i].memory == NULL))
			return -ENOMEM;
	}
	return 0;
}

/* kfree frees the items of any cache. */
static void items_put(void *memory)
{
	kfree(memory);
}

static void items_drain(struct bench_cpu *cpu)
{
	slots_empty(cpu, items_put);
	slots_delete(cpu);
}

const struct bench_case handover_cases[] = {
    LINUX_CASE(HANDOVER_PAGE, .modes = BENCH_ALL, .ops = HANDOVER_SLOTS, .setup_cpu = page_setup,
	       .sample = page_sample, .drain_cpu = page_drain),
    LINUX_CASE(HANDOVER_ITEM, .modes = BENCH_ALL, .ops = HANDOVER_SLOTS, .size = HANDOVER_ITEM_SIZE,
	       .setup = item_setup, .setup_cpu = items_setup, .sample = items_sample,
	       .drain_cpu = items_drain, .teardown = item_teardown),
    LINUX_CASE_END,
};
