/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory that scenarios told the engine about: kept, watched, named; and page tables by hand. */
#include <stdlib.h>
#include <string.h>

#include "arch/bootinfo.h"
#include "arch/mmu.h"
#include "arch/physmap.h"
#include "lib/check.h"
#include "tests/explore/engine/engine.h"

enum { REGIONS_MAX = 64, LEAVES_MAX = 32 };

struct region {
	unsigned char *memory, *copy;
	size_t size;
	const char *name;
	bool kept, watched, plain;
};

static struct region regions[REGIONS_MAX * 2];
static unsigned region_count;
static vm_offset_t leaves[LEAVES_MAX];
static unsigned leaf_count;
static vm_paddr_t next_frame;

static struct region *region_add(const volatile void *memory, size_t size, const char *name)
{
	struct region *region;

	if (region_count == nitems(regions))
		panic("a scenario names more than %zu pieces of memory", nitems(regions));
	region = &regions[region_count++];
	region->memory = (unsigned char *)(uintptr_t)memory;
	region->size = size;
	region->name = name;
	return region;
}

void explore_keep(void *memory, size_t size)
{
	region_add(memory, size, NULL)->kept = true;
}

void explore_watch(void *memory, size_t size, const char *name)
{
	struct region *region = region_add(memory, size, name);

	region->kept = region->watched = true;
}

void explore_watch_plain(void *memory, size_t size, const char *name)
{
	struct region *region = region_add(memory, size, name);

	region->kept = region->watched = region->plain = true;
}

void explore_name(const volatile void *memory, size_t size, const char *name)
{
	region_add(memory, size, name);
}

void memory_snapshot(void)
{
	schedule_has_plain = memory_has_plain();
	for (unsigned i = 0; i < region_count; i++) {
		struct region *region = &regions[i];

		if (!region->kept)
			continue;
		region->copy = malloc(region->size);
		CHECK(region->copy != NULL);
		memcpy(region->copy, region->memory, region->size);
	}
}

void memory_restore(void)
{
	for (unsigned i = 0; i < region_count; i++)
		if (regions[i].kept)
			memcpy(regions[i].memory, regions[i].copy, regions[i].size);
}

bool memory_has_plain(void)
{
	for (unsigned i = 0; i < region_count; i++)
		if (regions[i].plain)
			return true;
	return false;
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
	hash = (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 32;
}

static uint64_t region_hash(uint64_t hash, const struct region *region)
{
	size_t at = 0;
	uint64_t word = 0;

	for (; at + sizeof(word) <= region->size; at += sizeof(word)) {
		memcpy(&word, region->memory + at, sizeof(word));
		hash = mix(hash, word);
	}
	for (; at < region->size; at++)
		hash = mix(hash, region->memory[at]);
	return hash;
}

uint64_t memory_hash(bool plain)
{
	uint64_t hash = 0;

	for (unsigned i = 0; i < region_count; i++)
		if (regions[i].watched && (!plain || regions[i].plain))
			hash = region_hash(hash, &regions[i]);
	return hash;
}

bool memory_describe(const volatile void *where, char *text, size_t size)
{
	uintptr_t at = (uintptr_t)where;

	for (unsigned i = 0; i < region_count; i++) {
		uintptr_t start = (uintptr_t)regions[i].memory;

		if (regions[i].name == NULL || at < start || at >= start + regions[i].size)
			continue;
		if (at == start)
			snprintf(text, size, "%s", regions[i].name);
		else
			snprintf(text, size, "%s+%#lx", regions[i].name,
				 (unsigned long)(at - start));
		return true;
	}
	return false;
}

/* --- Page tables by hand --- */

vm_paddr_t explore_frame(void)
{
	const struct boot_info *boot = arch_boot_info();
	vm_paddr_t pa;

	if (next_frame == 0)
		next_frame = boot->ranges[boot->range_count - 1].start;
	pa = next_frame;
	next_frame += PAGE_SIZE;
	CHECK_LE(next_frame, boot->ranges[boot->range_count - 1].end);
	arch_page_zero(pa);
	return pa;
}

static const char *entry_name(unsigned level)
{
	static const char *const names[] = {"leaf entry", "level-2 entry", "level-3 entry",
					    "level-4 entry"};

	return names[level - 1];
}

static bool is_watched(const void *memory)
{
	for (unsigned i = 0; i < region_count; i++)
		if (regions[i].memory == memory && regions[i].watched)
			return true;
	return false;
}

static pte_t *entry_watch(pte_t *entry, unsigned level)
{
	if (!is_watched(entry))
		explore_watch(entry, sizeof(*entry), entry_name(level));
	return entry;
}

static void leaf_remember(vm_offset_t va)
{
	for (unsigned i = 0; i < leaf_count; i++)
		if (leaves[i] == va)
			return;
	CHECK_LT(leaf_count, LEAVES_MAX);
	leaves[leaf_count++] = va;
}

pte_t *explore_leaf(vm_offset_t va)
{
	pte_t *table = arch_physmap(arch_mmu_kernel_root());

	leaf_remember(trunc_page(va));
	for (unsigned level = MMU_LEVELS; level > 1; level--) {
		pte_t *entry = entry_watch(&table[MMU_INDEX(va, level)], level);

		if (*entry == 0)
			arch_pte_write(entry, explore_frame() | PTE_PRESENT | PTE_WRITE);
		table = arch_physmap(pte_paddr(*entry, 1));
	}
	return entry_watch(&table[MMU_INDEX(va, 1)], 1);
}

bool memory_has_leaves(void)
{
	return leaf_count != 0;
}

bool memory_leaf_va(unsigned i, vm_offset_t *va)
{
	if (i >= leaf_count)
		return false;
	*va = leaves[i];
	return true;
}
