/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's address space and its page tables.
 *
 * The format is that of x86-64 with 4 levels (Intel SDM vol. 3A chapter 4.5); the host machine
 * walks the same tables in software, with a TLB for each of its CPUs, so that the code which
 * builds them is the same everywhere. All kernel leaves are global: a flush that leaves global
 * entries alone flushes nothing.
 */
#ifndef QUIRE_ARCH_MMU_H
#define QUIRE_ARCH_MMU_H

#include "arch/hook.h"
#include "lib/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The map of the kernel half. Ends are exclusive. */
#define PHYSMAP_BASE          UINT64_C(0xffff800000000000)
#define PHYSMAP_END           UINT64_C(0xffffc00000000000)
#define VM_MIN_KERNEL_ADDRESS UINT64_C(0xfffffe0000000000)
#define KERNBASE              UINT64_C(0xffffffff80000000)
#define VM_MAX_KERNEL_ADDRESS UINT64_C(0xffffffffffe00000) /* the last 2 MiB stay unused */

typedef uint64_t pte_t;

enum {
	MMU_LEVELS = 4, /* level 1 maps 4 KiB, level 2 2 MiB, level 3 1 GiB */
	MMU_TABLE_ENTRIES = 512,
	MMU_INDEX_BITS = 9,
};

/* Intel SDM vol. 3A tables 4-15 to 4-20. */
#define PTE_PRESENT   ((pte_t)1 << 0)
#define PTE_WRITE     ((pte_t)1 << 1)
#define PTE_USER      ((pte_t)1 << 2)
#define PTE_PWT       ((pte_t)1 << 3)
#define PTE_PCD       ((pte_t)1 << 4)
#define PTE_ACCESSED  ((pte_t)1 << 5)
#define PTE_DIRTY     ((pte_t)1 << 6)
#define PTE_PAT       ((pte_t)1 << 7) /* level 1 */
#define PTE_LARGE     ((pte_t)1 << 7) /* levels 2 and 3 */
#define PTE_GLOBAL    ((pte_t)1 << 8)
#define PTE_WIRED     ((pte_t)1 << 9)  /* ignored by hardware: ours */
#define PTE_PAT_LARGE ((pte_t)1 << 12) /* levels 2 and 3 */
#define PTE_NX        ((pte_t)1 << 63)
#define PTE_ADDRESS   UINT64_C(0x000ffffffffff000)

/* Bytes that one entry of a table at `level` maps, and the index of va in such a table. */
#define MMU_LEVEL_SHIFT(level) (PAGE_SHIFT + MMU_INDEX_BITS * ((level)-1))
#define MMU_LEVEL_SIZE(level)  ((vm_size_t)1 << MMU_LEVEL_SHIFT(level))
#define MMU_INDEX(va, level)   (((va) >> MMU_LEVEL_SHIFT(level)) & (MMU_TABLE_ENTRIES - 1))
#define SUPERPAGE_SIZE         MMU_LEVEL_SIZE(2)

/*
 * Cache attributes, numbered as their entries in the PAT that every CPU loads when it starts
 * (Intel SDM vol. 3A 12.12: entries 0 to 3 as after reset, 4 write-combining, 5 write-protected).
 */
typedef uint8_t vm_memattr_t;
enum {
	VM_MEMATTR_WRITE_BACK = 0,
	VM_MEMATTR_WRITE_THROUGH = 1,
	VM_MEMATTR_WEAK_UNCACHEABLE = 2, /* uncacheable, but an MTRR may say write-combining */
	VM_MEMATTR_UNCACHEABLE = 3,
	VM_MEMATTR_WRITE_COMBINING = 4,
	VM_MEMATTR_WRITE_PROTECTED = 5,
	VM_MEMATTR_COUNT,    /* numbers from here on are none */
	VM_MEMATTR_MASK = 7, /* all bits that a number can have */
	VM_MEMATTR_DEFAULT = VM_MEMATTR_WRITE_BACK,
};
#define MMU_PAT_VALUE UINT64_C(0x0007050100070406) /* checked by pte_test against the enum */

/* The bits that select the attribute in an entry of `level`. */
static inline pte_t pte_attr_bits(vm_memattr_t attr, unsigned level)
{
	pte_t bits = 0;

	if (attr & 1)
		bits |= PTE_PWT;
	if (attr & 2)
		bits |= PTE_PCD;
	if (attr & 4)
		bits |= level == 1 ? PTE_PAT : PTE_PAT_LARGE;
	return bits;
}

/* The attribute that a leaf of `level` selects. */
static inline vm_memattr_t pte_attr(pte_t pte, unsigned level)
{
	vm_memattr_t attr = 0;

	if (pte & PTE_PWT)
		attr |= 1;
	if (pte & PTE_PCD)
		attr |= 2;
	if (pte & (level == 1 ? PTE_PAT : PTE_PAT_LARGE))
		attr |= 4;
	return attr;
}

static inline bool pte_is_leaf(pte_t pte, unsigned level)
{
	return level == 1 || (pte & PTE_LARGE) != 0;
}

static inline vm_paddr_t pte_paddr(pte_t pte, unsigned level)
{
	return pte & PTE_ADDRESS & ~(MMU_LEVEL_SIZE(level) - 1);
}

#include "arch/md/mmu.h"

/*
 * Supplied inline by the backend; every access to a live table goes through these:
 *
 * static inline pte_t arch_pte_read(const pte_t *pte);
 * static inline void arch_pte_write(pte_t *pte, pte_t value);      one 64-bit store
 * static inline pte_t arch_pte_exchange(pte_t *pte, pte_t value);  atomic, full barrier
 *
 * static inline void arch_tlb_invalidate_page(vm_offset_t va);
 *	Drops this CPU's translation of va, global ones and any page size included, and what it
 *	remembers of the tables on the way there (Intel SDM vol. 3A 4.10.4.1, INVLPG).
 * static inline void arch_tlb_flush(void);
 *	Drops all of this CPU's translations, global ones included.
 *
 * static inline void arch_page_released(vm_paddr_t pa, unsigned npages);
 *	Called when pages are given back for reuse: the moment at which no CPU may hold a
 *	translation of them outside the direct map. Nothing on the machine; the oracle's moment of
 *	truth on the host.
 */

/*
 * The physical address of the level-4 table that every CPU uses for the kernel. The backend has
 * already mapped the direct map and the image in it; the rest of the kernel half is empty.
 */
vm_paddr_t arch_mmu_kernel_root(void);

/* The kernel image: virtual [KERNBASE + something, end), page-aligned. */
vm_offset_t arch_mmu_image_end(void);

#ifdef __cplusplus
}
#endif

#endif
