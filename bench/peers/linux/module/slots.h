/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory that workers hold between samples. Each function sleeps; 0 or -errno. */
#ifndef QUIRE_BENCH_PEERS_LINUX_MODULE_SLOTS_H
#define QUIRE_BENCH_PEERS_LINUX_MODULE_SLOTS_H

#include <linux/types.h>

#include "bench/peers/linux/module/harness.h"

/* As large as those of the kernel that is compared: their lines, too, go from CPU to CPU. */
struct slot {
	void *memory; /* NULL: nothing */
	uint64_t size;
};

/* The slots of one worker, its `state`. */
struct slots {
	unsigned int count;
	uint32_t *plan; /* run->ops random numbers, drawn before a sample */
	struct slot slot[];
};

/* As cpu->state; freed by slots_delete, which does nothing if there are none. */
int slots_new(struct bench_cpu *cpu, unsigned int count);
void slots_delete(struct bench_cpu *cpu);

static inline struct slots *slots_of(const struct bench_cpu *cpu)
{
	return cpu->state;
}

/* The slots that go round: in each round those of the next worker. For one, always its own. */
static inline struct slots *slots_rotating(const struct bench_cpu *cpu)
{
	return slots_of(&cpu->run->cpus[(cpu->number + cpu->round) % cpu->run->workers]);
}

/* Frees what the slots hold. */
void slots_empty(struct bench_cpu *cpu, void (*put)(void *memory));

/* Fills all slots; those filled so far stay when memory is short. */
int slots_fill(struct bench_cpu *cpu, void *(*get)(void));

/* Brings all slots of all workers into a random order. By one worker only. */
void slots_shuffle(struct bench_cpu *cpu);

/* The first `count` of the worker's own. */
void slots_shuffle_own(struct bench_cpu *cpu, unsigned int count);

#endif
