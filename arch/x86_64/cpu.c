/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch/cpu.h"

#include "arch/physmap.h"

/*
 * The instruction after STI runs before any interrupt is taken, so one that waits already ends
 * the HLT at once (Intel SDM vol. 2B, STI).
 */
void arch_cpu_idle(void)
{
	__asm__ volatile("sti; hlt; cli" : : : "memory");
}

void arch_cpu_halt(void)
{
	for (;;)
		__asm__ volatile("cli; hlt" : : : "memory");
}

void arch_page_zero(vm_paddr_t pa)
{
	void *page = arch_physmap(pa);
	uint64_t words = PAGE_SIZE / sizeof(uint64_t);

	__asm__ volatile("rep stosq" : "+D"(page), "+c"(words) : "a"(0) : "memory");
}
