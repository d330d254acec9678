/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One instruction: an interrupt comes before it or after it (Intel SDM vol. 3A 6.5), and no other
 * CPU writes there, so it needs no LOCK.
 */
#ifndef QUIRE_ARCH_X86_64_MD_COUNT_H
#define QUIRE_ARCH_X86_64_MD_COUNT_H

static inline __attribute__((always_inline)) void arch_count_add(uint32_t offset, uint64_t n)
{
	__asm__ volatile("addq %[n], %%gs:(%[where])"
			 :
			 : [n] "er"(n), [where] "r"((uint64_t)offset)
			 : "memory", "cc");
}

#endif
