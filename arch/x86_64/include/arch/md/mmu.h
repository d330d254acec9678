/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page-table entries and this CPU's TLB.
 *
 * Process-context identifiers stay off (CR4.PCIDE = 0, checked when a CPU starts): with them on,
 * INVLPG leaves global entries behind on some Intel CPUs (Alder Lake, Raptor Lake: an erratum of
 * the 12th and 13th generation), and a kernel with one address space has nothing to gain from them.
 */
#ifndef QUIRE_ARCH_X86_64_MD_MMU_H
#define QUIRE_ARCH_X86_64_MD_MMU_H

#define X86_CR4_PGE   ((uint64_t)1 << 7)
#define X86_RFLAGS_IF ((uint64_t)1 << 9)

static inline pte_t arch_pte_read(const pte_t *pte)
{
	return __atomic_load_n(pte, __ATOMIC_RELAXED);
}

/* Release: a table's contents are written before the entry that lets a page walk reach them. */
static inline void arch_pte_write(pte_t *pte, pte_t value)
{
	__atomic_store_n(pte, value, __ATOMIC_RELEASE);
}

static inline pte_t arch_pte_exchange(pte_t *pte, pte_t value)
{
	return __atomic_exchange_n(pte, value, __ATOMIC_SEQ_CST);
}

/*
 * "memory": no access moves across, in either direction. Drops the page that holds va, global or
 * not and of any size, and all that is remembered of the tables on the way to it (Intel SDM
 * vol. 3A 4.10.4.1).
 */
static inline void arch_tlb_invalidate_page(vm_offset_t va)
{
	__asm__ volatile("invlpg (%0)" : : "r"(va) : "memory");
}

/* Does CPUID name INVPCID? Constant after features_init(). */
extern bool x86_has_invpcid;

/* An operand of INVPCID without identifier or address. */
extern const uint64_t x86_invpcid_all[2];

/*
 * Type 2 drops the translations of all contexts, global ones included, and what is remembered of
 * the tables; with CR4.PCIDE = 0 it is allowed (Intel SDM vol. 2A, INVPCID, and vol. 3A 4.10.4.1).
 * INVPCID is not among the instructions that serialise (vol. 3A 9.3), as INVLPG and moves to CR4
 * are: LFENCE keeps what follows from having begun before.
 */
static inline void x86_flush_by_invpcid(void)
{
	__asm__ volatile("invpcid %0, %1; lfence"
			 :
			 : "m"(x86_invpcid_all), "r"((uint64_t)2)
			 : "memory");
}

/*
 * Changing CR4.PGE drops everything, global entries included (Intel SDM vol. 3A 4.10.4.1). No
 * interrupt may see the moment in between: it could flush as well, and would find PGE clear.
 */
static inline void x86_flush_by_pge(void)
{
	uint64_t flags, cr4;

	__asm__ volatile("pushfq; popq %0; cli" : "=r"(flags) : : "memory");
	__asm__ volatile("movq %%cr4, %0" : "=r"(cr4));
	__asm__ volatile("movq %0, %%cr4" : : "r"(cr4 & ~X86_CR4_PGE) : "memory");
	__asm__ volatile("movq %0, %%cr4" : : "r"(cr4 | X86_CR4_PGE) : "memory");
	if (flags & X86_RFLAGS_IF)
		__asm__ volatile("sti" : : : "memory");
}

static inline void arch_tlb_flush(void)
{
	if (x86_has_invpcid)
		x86_flush_by_invpcid();
	else
		x86_flush_by_pge();
}

static inline void arch_page_released(vm_paddr_t pa, unsigned npages)
{
	(void)pa;
	(void)npages;
}

#endif
