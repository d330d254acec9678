/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench/peers/linux/module/slots.h"

#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/slab.h>

int slots_new(struct bench_cpu *cpu, unsigned int count)
{
	struct slots *slots = kvzalloc(struct_size(slots, slot, count), GFP_KERNEL);

	if (slots == NULL)
		return -ENOMEM;
	slots->count = count;
	slots->plan = kvcalloc(cpu->run->ops, sizeof(*slots->plan), GFP_KERNEL);
	if (slots->plan == NULL) {
		kvfree(slots);
		return -ENOMEM;
	}
	cpu->state = slots;
	return 0;
}

void slots_delete(struct bench_cpu *cpu)
{
	if (cpu->state == NULL)
		return;
	kvfree(slots_of(cpu)->plan);
	kvfree(cpu->state);
	cpu->state = NULL;
}

void slots_empty(struct bench_cpu *cpu, void (*put)(void *memory))
{
	struct slots *slots = cpu->state;

	if (slots == NULL)
		return;
	for (unsigned int i = 0; i < slots->count; i++) {
		if (slots->slot[i].memory != NULL)
			put(slots->slot[i].memory);
		slots->slot[i].memory = NULL;
	}
}

int slots_fill(struct bench_cpu *cpu, void *(*get)(void))
{
	struct slots *slots = cpu->state;

	for (unsigned int i = 0; i < slots->count; i++) {
		slots->slot[i].memory = get();
		if (slots->slot[i].memory == NULL)
			return -ENOMEM;
	}
	return 0;
}

static struct slot *slot_at(struct bench_run *run, uint32_t i)
{
	uint32_t count = slots_of(&run->cpus[0])->count;

	return &slots_of(&run->cpus[i / count])->slot[i % count];
}

static void exchange_any(void *run, uint32_t i, uint32_t j)
{
	swap(*slot_at(run, i), *slot_at(run, j));
}

void slots_shuffle(struct bench_cpu *cpu)
{
	uint32_t count = slots_of(cpu)->count * cpu->run->workers;

	bench_random_shuffle(&cpu->random, count, exchange_any, cpu->run);
}

static void exchange_own(void *slots, uint32_t i, uint32_t j)
{
	struct slot *slot = ((struct slots *)slots)->slot;

	swap(slot[i], slot[j]);
}

void slots_shuffle_own(struct bench_cpu *cpu, unsigned int count)
{
	bench_random_shuffle(&cpu->random, count, exchange_own, cpu->state);
}
