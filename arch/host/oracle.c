/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The TLB oracle: nothing may be reused that a CPU can still reach through what it remembers.
 *
 * A lazy CPU (arch/cpu.h) is excused: it may know anything, but uses nothing except permanent
 * mappings, and must have dropped all before it is lazy no more. Both are checked.
 *
 * Every change of every TLB keeps counters by frame up to date, so that the question at each
 * release is a few loads; only when one of them is not zero are the TLBs searched for the words
 * of the accusation. Translations of the direct map are permanent and not counted.
 */
#include <sys/mman.h>

#include "arch/host/internal.h"

uint32_t host_oracle_armed;

void host_oracle_enable(bool on)
{
	__atomic_store_n(&host_oracle_armed, on, __ATOMIC_RELAXED);
}

static bool in_direct_map(vm_offset_t va)
{
	return va >= PHYSMAP_BASE && va < PHYSMAP_END;
}

bool host_permanent(vm_offset_t va)
{
	return in_direct_map(va) || (va >= KERNBASE && va < host_machine->image_end);
}

static size_t counters_bytes(const struct host_reverse *reverse, unsigned level)
{
	size_t count = (size_t)((reverse->limit - 1) >> MMU_LEVEL_SHIFT(level)) + 1;

	return count * sizeof(uint32_t);
}

static uint32_t *counters_map(const struct host_reverse *reverse, unsigned level)
{
	void *counters = mmap(NULL, counters_bytes(reverse, level), PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	CHECK(counters != MAP_FAILED);
	return counters;
}

void host_reverse_create(struct host_reverse *reverse, vm_paddr_t limit)
{
	reverse->limit = limit;
	reverse->typed = 0;
	for (unsigned level = 1; level <= 3; level++)
		reverse->leaves[level] = counters_map(reverse, level);
	reverse->tables = counters_map(reverse, 1);
}

void host_reverse_destroy(struct host_reverse *reverse)
{
	for (unsigned level = 1; level <= 3; level++)
		munmap(reverse->leaves[level], counters_bytes(reverse, level));
	munmap(reverse->tables, counters_bytes(reverse, 1));
}

void host_reverse_count(struct host_reverse *reverse, const struct tlb_entry *entry, int change)
{
	uint32_t *counters = entry->table ? reverse->tables : reverse->leaves[entry->level];
	unsigned shift = entry->table ? PAGE_SHIFT : MMU_LEVEL_SHIFT(entry->level);

	if (!entry->table && tlb_entry_attr(entry) != VM_MEMATTR_DEFAULT)
		__atomic_fetch_add(&reverse->typed, (uint32_t)change, __ATOMIC_RELAXED);
	if (entry->pa >= reverse->limit || (!entry->table && in_direct_map(entry->va)))
		return;
	__atomic_fetch_add(&counters[entry->pa >> shift], (uint32_t)change, __ATOMIC_RELAXED);
}

static bool counted(const uint32_t *counters, uint64_t index)
{
	return __atomic_load_n(&counters[index], __ATOMIC_RELAXED) != 0;
}

static bool reachable(const struct host_reverse *reverse, vm_paddr_t pa)
{
	for (unsigned level = 1; level <= 3; level++)
		if (counted(reverse->leaves[level], pa >> MMU_LEVEL_SHIFT(level)))
			return true;
	return counted(reverse->tables, pa >> PAGE_SHIFT);
}

/* What a search looks for, and what it found. */
struct search {
	uint64_t start, end;
	unsigned attr;
	bool lazy_excused; /* what lazy CPUs know does not count, but is remembered */
	struct tlb_entry found;
};

static bool match_pa(void *ctx, const struct tlb_entry *entry)
{
	struct search *search = ctx;
	vm_size_t size = entry->table ? PAGE_SIZE : tlb_entry_size(entry);

	if ((!entry->table && in_direct_map(entry->va)) || entry->pa >= search->end ||
	    entry->pa + size <= search->start)
		return false;
	search->found = *entry;
	return true;
}

/* Known with a memory type other than `attr`, by whatever address. */
static bool match_type(void *ctx, const struct tlb_entry *entry)
{
	struct search *search = ctx;

	if (entry->table || tlb_entry_attr(entry) == search->attr || entry->pa >= search->end ||
	    entry->pa + tlb_entry_size(entry) <= search->start)
		return false;
	search->found = *entry;
	return true;
}

static bool match_va(void *ctx, const struct tlb_entry *entry)
{
	struct search *search = ctx;

	if (entry->table || entry->va > search->end - 1 ||
	    entry->va + (tlb_entry_size(entry) - 1) < search->start)
		return false;
	search->found = *entry;
	return true;
}

/* A CPU clears `lazy` after its flush, which takes the latch that is held here. */
static bool excuse(struct host_cpu *cpu, const struct search *search)
{
	if (!search->lazy_excused || !__atomic_load_n(&cpu->core.percpu->lazy, __ATOMIC_RELAXED))
		return false;
	cpu->excuse.given = true;
	cpu->excuse.pa = search->found.pa;
	cpu->excuse.va = search->found.va;
	return true;
}

void host_lazy_end(void)
{
	const struct host_cpu *self = host_self();

	if (self->excuse.given && host_oracle_armed)
		panic("TLB oracle: CPU %u leaves idle and still knows page %#lx at %#lx, which was "
		      "given back meanwhile",
		      self->id, (unsigned long)self->excuse.pa, (unsigned long)self->excuse.va);
}

/* The CPU whose TLB has a match, or MAXCPU. */
static unsigned search_cpus(bool (*match)(void *ctx, const struct tlb_entry *entry),
			    struct search *search)
{
	for (unsigned i = 0; i < host_machine->config.cpus; i++) {
		struct host_cpu *cpu = &host_machine->cpus[i];
		bool found;

		host_latch_take(&cpu->tlb_latch);
		found = tlb_scan(&cpu->tlb, match, search) && !excuse(cpu, search);
		host_latch_drop(&cpu->tlb_latch);
		if (found)
			return i;
	}
	return MAXCPU;
}

static void accuse(vm_paddr_t pa, unsigned npages)
{
	struct search search = {.start = pa, .end = pa + ptoa(npages), .lazy_excused = true};
	unsigned cpu = search_cpus(match_pa, &search);
	vm_paddr_t page;

	if (cpu == MAXCPU)
		return;
	page = search.found.pa > pa ? search.found.pa : pa;
	if (search.found.table)
		panic("TLB oracle: page %#lx released while CPU %u still knows it as the level-%u "
		      "table for %#lx",
		      (unsigned long)page, cpu, search.found.level, (unsigned long)search.found.va);
	panic("TLB oracle: page %#lx released while CPU %u still maps it at %#lx",
	      (unsigned long)page, cpu,
	      (unsigned long)(search.found.va + (page - search.found.pa)));
}

static void accuse_type(const char *what, vm_paddr_t pa, vm_size_t size, unsigned attr)
{
	struct search search = {.start = pa, .end = pa + size, .attr = attr};
	unsigned cpu = search_cpus(match_type, &search);

	if (cpu != MAXCPU)
		panic("TLB oracle: page %#lx %s while CPU %u knows it with memory type %u at %#lx",
		      (unsigned long)pa, what, cpu, tlb_entry_attr(&search.found),
		      (unsigned long)search.found.va);
}

void host_oracle_cache_flushed(vm_paddr_t pa, vm_size_t size)
{
	if (__atomic_load_n(&host_oracle_armed, __ATOMIC_RELAXED) == 0)
		return;
	for (vm_paddr_t page = pa; page < pa + size; page += PAGE_SIZE) {
		unsigned level = 1;
		pte_t leaf = host_walk_tables(PHYSMAP_BASE + page, &level);

		accuse_type("is flushed", page, PAGE_SIZE, pte_attr(leaf, level));
	}
}

void host_page_released(vm_paddr_t pa, unsigned npages)
{
	const struct host_reverse *reverse;

	if (host_machine == NULL)
		return;
	reverse = &host_machine->reverse;
	CHECK_EQ(pa & PAGE_MASK, 0);
	CHECK_LE(pa + ptoa(npages), reverse->limit);
	if (__atomic_load_n(&reverse->typed, __ATOMIC_RELAXED) != 0)
		accuse_type("released", pa, ptoa(npages), VM_MEMATTR_DEFAULT);
	for (unsigned i = 0; i < npages; i++) {
		if (reachable(reverse, pa + ptoa(i))) {
			accuse(pa, npages);
			return;
		}
	}
}

void host_assert_no_translation(vm_offset_t start, vm_offset_t end)
{
	struct search search = {.start = start, .end = end, .lazy_excused = true};
	unsigned cpu;

	CHECK_LT(start, end);
	cpu = search_cpus(match_va, &search);
	if (cpu != MAXCPU)
		panic("TLB oracle: addresses %#lx to %#lx are reused while CPU %u still maps %#lx "
		      "to page %#lx",
		      (unsigned long)start, (unsigned long)end, cpu, (unsigned long)search.found.va,
		      (unsigned long)search.found.pa);
}
