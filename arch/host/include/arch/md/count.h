/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counters of the simulated CPUs. Interrupts come at hooks, and there is none in between: so the
 * two accesses are as good as one instruction.
 */
#ifndef QUIRE_ARCH_MD_COUNT_H
#define QUIRE_ARCH_MD_COUNT_H

static inline void arch_count_add(uint32_t offset, uint64_t n)
{
	struct atomic64 *counter = (struct atomic64 *)(void *)((char *)arch_percpu() + offset);

	__atomic_store_n(&counter->value, __atomic_load_n(&counter->value, __ATOMIC_RELAXED) + n,
			 __ATOMIC_RELAXED);
}

#endif
