/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch/physmap.h"
#include "arch/x86_64/features.h"

/*
 * CLFLUSH reaches every cache of the coherence domain, whatever the memory type of the mapping by
 * which the line is named (Intel SDM vol. 2A, CLFLUSH). Older models order it by MFENCE alone.
 */
bool arch_cache_flush(vm_paddr_t pa, vm_size_t size)
{
	const char *line = arch_physmap(pa), *end = line + size;

	if (cpu_features.clflush_bytes == 0)
		return false;
	__asm__ volatile("mfence" : : : "memory");
	for (; line < end; line += cpu_features.clflush_bytes)
		__asm__ volatile("clflush %0" : : "m"(*line) : "memory");
	__asm__ volatile("mfence" : : : "memory");
	return true;
}

void arch_cache_flush_all(void)
{
	__asm__ volatile("wbinvd" : : : "memory");
}
