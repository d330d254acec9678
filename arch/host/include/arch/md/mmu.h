/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page tables and TLB of the host machine: each access is a hook, so that another CPU may walk a
 * table between any two steps of a change.
 */
#ifndef QUIRE_ARCH_MD_MMU_H
#define QUIRE_ARCH_MD_MMU_H

#include "arch/md/atomic.h"

/* Is the oracle on? See arch/host/machine.h. */
extern uint32_t host_oracle_armed;

void host_tlb_invalidate_page(vm_offset_t va);
void host_tlb_flush(void);
void host_page_released(vm_paddr_t pa, unsigned npages);

static inline pte_t arch_pte_read(const pte_t *pte)
{
	arch_hook(ARCH_HOOK_PTE, pte);
	return arch_shared_load(pte_t, pte, __ATOMIC_ACQUIRE);
}

/* Release: a walker that finds a table through this entry finds the table's contents. */
static inline void arch_pte_write(pte_t *pte, pte_t value)
{
	arch_hook(ARCH_HOOK_PTE, pte);
	arch_shared_store(pte_t, pte, value, __ATOMIC_RELEASE);
}

static inline pte_t arch_pte_exchange(pte_t *pte, pte_t value)
{
	arch_hook(ARCH_HOOK_PTE, pte);
	return arch_shared_update(pte_t, __atomic_exchange_n(pte, value, __ATOMIC_SEQ_CST));
}

static inline void arch_tlb_invalidate_page(vm_offset_t va)
{
	arch_hook(ARCH_HOOK_TLB, (const volatile void *)(uintptr_t)va);
	host_tlb_invalidate_page(va);
}

static inline void arch_tlb_flush(void)
{
	arch_hook(ARCH_HOOK_TLB, 0);
	host_tlb_flush();
}

static inline void arch_page_released(vm_paddr_t pa, unsigned npages)
{
	if (__atomic_load_n(&host_oracle_armed, __ATOMIC_RELAXED) != 0)
		host_page_released(pa, npages);
}

#endif
