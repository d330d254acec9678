/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counters that every CPU has for itself: adding needs no lock and no locked instruction, and
 * loses nothing to an interrupt that adds to the same counter.
 */
#ifndef QUIRE_ARCH_COUNT_H
#define QUIRE_ARCH_COUNT_H

#include "arch/atomic.h"
#include "arch/cpu.h"

#include "arch/md/count.h"

/*
 * Supplied inline by the backend. Any context but NMI handlers:
 *
 * static inline void arch_count_add(uint32_t offset, uint64_t n);
 *	Adds to the struct atomic64 that lies `offset` bytes from the beginning of the running
 *	CPU's area, which only that CPU writes. Others may read it, for statistics.
 */

#endif
