/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Translation: TLB, paging-structure caches, and the walk of the tables, as an x86-64 CPU with
 * 4-level paging does it in supervisor mode with CR0.WP, EFER.NXE, SMEP and SMAP set (Intel SDM
 * vol. 3A chapters 4.5 to 4.10).
 */
#include "arch/host/internal.h"

/* Another CPU may change an entry between the walk's read and its setting of a flag. */
enum { WALK_RETRIES = 64 };

static bool canonical(vm_offset_t va)
{
	return (int64_t)(va << 16) >> 16 == (int64_t)va;
}

static bool permits(uint8_t rights, enum host_access access)
{
	if (rights & TLB_USER)
		return false;
	if (access == HOST_WRITE)
		return (rights & TLB_WRITE) != 0;
	return access == HOST_READ || (rights & TLB_EXECUTE) != 0;
}

/* Bits that must be 0 in a present entry (tables 4-15 to 4-20). */
static pte_t reserved_bits(pte_t pte, unsigned level)
{
	pte_t reserved = PTE_ADDRESS & ~((UINT64_C(1) << HOST_PHYS_BITS) - 1);

	if (level == MMU_LEVELS)
		reserved |= PTE_LARGE;
	else if (level > 1 && (pte & PTE_LARGE))
		reserved |= (MMU_LEVEL_SIZE(level) - 1) & PTE_ADDRESS & ~PTE_PAT_LARGE;
	return reserved;
}

static uint8_t rights_and(uint8_t rights, pte_t pte)
{
	if (!(pte & PTE_WRITE))
		rights &= (uint8_t)~TLB_WRITE;
	if (pte & PTE_NX)
		rights &= (uint8_t)~TLB_EXECUTE;
	if (!(pte & PTE_USER))
		rights &= (uint8_t)~TLB_USER;
	return rights;
}

/* Sets flags in an entry that must still be what was read. */
static bool entry_mark(struct host_cpu *self, pte_t *entry, pte_t *pte, pte_t flags)
{
	if ((*pte & flags) == flags)
		return true;
	host_stores_fence(self); /* the flag is set by a locked operation */
	if (!__atomic_compare_exchange_n(entry, pte, *pte | flags, false, __ATOMIC_ACQ_REL,
					 __ATOMIC_RELAXED))
		return false;
	*pte |= flags;
	return true;
}

/* One walk: where it stands, what it has collected. */
struct walk {
	vm_offset_t va;
	enum host_access access;
	vm_paddr_t table;
	unsigned level; /* of `table` */
	uint8_t rights;
	struct arch_fault *fault;
};

/* Begins at the deepest table that this CPU remembers. */
static void walk_begin(struct host_cpu *self, struct walk *walk)
{
	struct tlb_entry known;

	walk->table = host_machine->root;
	walk->level = MMU_LEVELS;
	walk->rights = TLB_WRITE | TLB_EXECUTE | TLB_USER;
	for (unsigned level = 1; level < MMU_LEVELS; level++) {
		if (!tlb_find_table(&self->tlb, walk->va, level, &known))
			continue;
		walk->table = known.pa;
		walk->level = level;
		walk->rights = known.rights;
		return;
	}
}

static pte_t *walk_entry(const struct walk *walk)
{
	if (!host_ram_contains(walk->table))
		panic("host machine: page-table walk for %#lx left RAM: level-%u table at %#lx",
		      (unsigned long)walk->va, walk->level, (unsigned long)walk->table);
	return (pte_t *)arch_physmap(walk->table) + MMU_INDEX(walk->va, walk->level);
}

static void walk_descend(struct host_cpu *self, struct walk *walk, pte_t pte)
{
	struct tlb_entry table = {
	    .va = walk->va,
	    .pa = pte_paddr(pte, 1),
	    .level = (uint8_t)(walk->level - 1),
	    .table = true,
	    .rights = walk->rights,
	};

	host_tlb_add(self, &table);
	walk->table = table.pa;
	walk->level--;
}

enum step { STEP_ON, STEP_LEAF, STEP_FAULT, STEP_AGAIN };

static enum step walk_leaf(struct host_cpu *self, struct walk *walk, pte_t *entry, pte_t pte)
{
	struct tlb_entry leaf = {
	    .va = walk->va,
	    .pa = pte_paddr(pte, walk->level),
	    .level = (uint8_t)walk->level,
	};

	if (!permits(walk->rights, walk->access)) {
		walk->fault->present = true;
		return STEP_FAULT;
	}
	if (!entry_mark(self, entry, &pte,
			PTE_ACCESSED | (walk->access == HOST_WRITE ? PTE_DIRTY : 0)))
		return STEP_AGAIN;
	leaf.rights = (uint8_t)(walk->rights | (pte & PTE_DIRTY ? TLB_DIRTY : 0) |
				pte_attr(pte, walk->level) << TLB_ATTR_SHIFT);
	host_tlb_add(self, &leaf);
	return STEP_LEAF;
}

static enum step walk_step(struct host_cpu *self, struct walk *walk)
{
	pte_t *entry = walk_entry(walk);
	pte_t pte = host_stores_pte(self, entry);

	if (!(pte & PTE_PRESENT))
		return STEP_FAULT;
	host_order_acquire(entry); /* what is found through it was there before it */
	if (pte & reserved_bits(pte, walk->level)) {
		walk->fault->present = true;
		walk->fault->reserved = true;
		return STEP_FAULT;
	}
	walk->rights = rights_and(walk->rights, pte);
	if (pte_is_leaf(pte, walk->level))
		return walk_leaf(self, walk, entry, pte);
	if (!entry_mark(self, entry, &pte, PTE_ACCESSED))
		return STEP_AGAIN;
	walk_descend(self, walk, pte);
	return STEP_ON;
}

static bool walk_tables(struct host_cpu *self, struct walk *walk)
{
	for (unsigned retries = 0; retries < WALK_RETRIES; retries++) {
		enum step step = STEP_ON;

		walk_begin(self, walk);
		while (step == STEP_ON)
			step = walk_step(self, walk);
		if (step != STEP_AGAIN)
			return step == STEP_LEAF;
	}
	panic("host machine: the tables for %#lx never hold still", (unsigned long)walk->va);
}

static void fault_begin(struct arch_fault *fault, vm_offset_t va, enum host_access access)
{
	static const struct arch_fault nothing;

	*fault = nothing;
	fault->va = va;
	fault->write = access == HOST_WRITE;
	fault->execute = access == HOST_EXECUTE;
	fault->irq_enabled = host_core->irq_enabled != 0;
}

/* A write through an entry that was read clean has to set the dirty flag: a walk, once more. */
static bool tlb_suffices(const struct tlb_entry *leaf, enum host_access access)
{
	return access != HOST_WRITE || (leaf->rights & TLB_DIRTY) != 0;
}

/* One try. Finds the leaf in the TLB or brings it there. */
static bool translate(struct host_cpu *self, vm_offset_t va, enum host_access access,
		      struct tlb_entry *leaf, struct arch_fault *fault)
{
	struct walk walk = {.va = va, .access = access, .fault = fault};

	fault_begin(fault, va, access);
	if (tlb_find_leaf(&self->tlb, va, leaf)) {
		if (!permits(leaf->rights, access)) {
			fault->present = true;
			return false;
		}
		if (tlb_suffices(leaf, access))
			return true;
		host_tlb_forget(self, va, false);
	}
	return walk_tables(self, &walk) && tlb_find_leaf(&self->tlb, va, leaf);
}

enum host_walk_result host_mmu_access(vm_offset_t va, enum host_access access, vm_paddr_t *pa,
				      struct arch_fault *fault)
{
	struct host_cpu *self = host_self();
	struct tlb_entry leaf;

	if (!canonical(va)) {
		fault_begin(fault, va, access);
		return HOST_WALK_NON_CANONICAL;
	}
	if (unlikely(arch_lazy()) && !host_permanent(va))
		panic("TLB oracle: CPU %u idles, is told of nothing, and touches %#lx", self->id,
		      (unsigned long)va);
	host_mmu_used(va);
	if (!translate(self, va, access, &leaf, fault)) {
		host_tlb_forget(self, va, true);
		host_values_seen(self, fault->present);
		return HOST_WALK_FAULT;
	}
	*pa = leaf.pa + (va - leaf.va);
	host_values_seen(self, *pa);
	return HOST_WALK_OK;
}

void host_mmu_used(vm_offset_t va)
{
	uint32_t at = __atomic_fetch_add(&host_machine->recent_next, 1, __ATOMIC_RELAXED);

	if (host_machine->config.speculate_ppm != 0 || host_machine->directed)
		__atomic_store_n(&host_machine->recent[at % HOST_RECENT], va, __ATOMIC_RELAXED);
}

/* A CPU may read ahead at any time, wherever tables allow it (4.10.2.3): here, near recent use. */
static vm_offset_t speculate_near(struct host_cpu *self, uint64_t chance)
{
	uint32_t used = __atomic_load_n(&host_machine->recent_next, __ATOMIC_RELAXED);
	vm_offset_t va;
	struct tlb_entry leaf;
	struct arch_fault fault;

	if (used == 0)
		return false;
	used = used < HOST_RECENT ? used : HOST_RECENT;
	va = __atomic_load_n(&host_machine->recent[chance % used], __ATOMIC_RELAXED);
	if (va == 0)
		return 0;
	va += ((chance >> 32) % 3 - 1) * PAGE_SIZE;
	if (canonical(va))
		(void)translate(self, va, HOST_READ, &leaf, &fault);
	return va;
}

void host_mmu_speculate(struct host_cpu *self)
{
	(void)speculate_near(self, host_random_next(&self->random));
}

vm_offset_t host_speculate_near(unsigned cpu, uint64_t chance)
{
	return speculate_near(host_cpu_of(cpu), chance);
}

void host_speculate(unsigned cpu, vm_offset_t va)
{
	struct tlb_entry leaf;
	struct arch_fault fault;

	if (canonical(va))
		(void)translate(host_cpu_of(cpu), va, HOST_READ, &leaf, &fault);
}

pte_t host_walk_tables(vm_offset_t va, unsigned *level)
{
	vm_paddr_t table = host_machine->root;

	for (unsigned l = MMU_LEVELS; l >= 1; l--) {
		pte_t pte = ((pte_t *)arch_physmap(table))[MMU_INDEX(va, l)];

		if (!(pte & PTE_PRESENT))
			return 0;
		if (pte_is_leaf(pte, l)) {
			if (level != NULL)
				*level = l;
			return pte;
		}
		table = pte_paddr(pte, 1);
	}
	return 0;
}
