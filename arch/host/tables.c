/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is there when the kernel begins: the image in RAM, page tables that map it and the direct
 * map, and the boot information, with the image and the tables already cut out of usable RAM.
 */
#include <stdlib.h>

#include "arch/host/internal.h"
#include "lib/bits.h"
#include "lib/string.h"

#define IMAGE_VA  (KERNBASE + SUPERPAGE_SIZE)
#define LEAF_DATA (PTE_PRESENT | PTE_WRITE | PTE_ACCESSED | PTE_DIRTY | PTE_GLOBAL | PTE_NX)
#define LEAF_TEXT (PTE_PRESENT | PTE_ACCESSED | PTE_GLOBAL)

/* The tables are taken downwards from the end of the largest range. */
struct builder {
	struct host_machine *machine;
	struct boot_range image;
	struct boot_range tables;
};

static vm_paddr_t table_alloc(struct builder *builder)
{
	builder->tables.start -= PAGE_SIZE;
	CHECK_LE(builder->image.end, builder->tables.start);
	memset(arch_physmap(builder->tables.start), 0, PAGE_SIZE);
	return builder->tables.start;
}

/* The entry for va in the table of `level`; tables on the way are made. */
static pte_t *entry_make(struct builder *builder, vm_offset_t va, unsigned level)
{
	pte_t *table = arch_physmap(builder->machine->root);

	for (unsigned l = MMU_LEVELS; l > level; l--) {
		pte_t *entry = &table[MMU_INDEX(va, l)];

		if (*entry == 0)
			*entry = table_alloc(builder) | PTE_PRESENT | PTE_WRITE | PTE_ACCESSED;
		table = arch_physmap(pte_paddr(*entry, 1));
	}
	return &table[MMU_INDEX(va, level)];
}

static void leaf_make(struct builder *builder, vm_offset_t va, vm_paddr_t pa, unsigned level,
		      pte_t bits)
{
	*entry_make(builder, va, level) = pa | bits | (level > 1 ? PTE_LARGE : 0);
}

/* The largest page that begins at pa and ends at or before `end`. */
static unsigned leaf_level(vm_paddr_t pa, vm_paddr_t end)
{
	unsigned level = 3;

	while (level > 1 &&
	       (!is_aligned(pa, MMU_LEVEL_SIZE(level)) || end - pa < MMU_LEVEL_SIZE(level)))
		level--;
	return level;
}

static void direct_map_make(struct builder *builder, const struct host_range *range)
{
	for (vm_paddr_t pa = range->start; pa < range->end;) {
		unsigned level = leaf_level(pa, range->end);

		leaf_make(builder, PHYSMAP_BASE + pa, pa, level, LEAF_DATA);
		pa += MMU_LEVEL_SIZE(level);
	}
}

/* The first half is text, the second data. */
static void image_map_make(struct builder *builder)
{
	vm_size_t size = builder->image.end - builder->image.start;

	for (vm_size_t at = 0; at < size; at += PAGE_SIZE)
		leaf_make(builder, IMAGE_VA + at, builder->image.start + at, 1,
			  at < size / 2 ? LEAF_TEXT : LEAF_DATA);
	builder->machine->image_end = IMAGE_VA + size;
}

static const struct host_range *largest_range(const struct host_config *config)
{
	const struct host_range *best = &config->ranges[0];

	for (unsigned i = 1; i < config->range_count; i++)
		if (config->ranges[i].end - config->ranges[i].start > best->end - best->start)
			best = &config->ranges[i];
	return best;
}

/* The image starts at a 2 MiB boundary where the largest range has room for that. */
static void image_place(struct builder *builder, const struct host_range *range)
{
	const struct host_config *config = &builder->machine->config;
	vm_size_t size = config->image_size, room = range->end - range->start;
	vm_paddr_t start = align_up(range->start, SUPERPAGE_SIZE);

	if (size == 0)
		size = SUPERPAGE_SIZE < room / 8 ? SUPERPAGE_SIZE : room / 8;
	size = round_page(size);
	if (start + size + room / 2 > range->end)
		start = range->start;
	CHECK_LT(start + size, range->end);
	builder->image.start = start;
	builder->image.end = start + size;
}

static void boot_add(struct boot_info *boot, vm_paddr_t start, vm_paddr_t end, unsigned domain)
{
	struct boot_range *range;

	if (start >= end)
		return;
	CHECK_LT(boot->range_count, BOOT_RANGES_MAX);
	range = &boot->ranges[boot->range_count++];
	range->start = start;
	range->end = end;
	range->domain = domain;
}

static void boot_add_ranges(struct boot_info *boot, const struct builder *builder)
{
	const struct host_config *config = &builder->machine->config;

	for (unsigned i = 0; i < config->range_count; i++) {
		const struct host_range *range = &config->ranges[i];
		vm_paddr_t start = range->start, end = range->end;

		boot->ram_bytes += end - start;
		if (range->domain >= boot->domain_count)
			boot->domain_count = range->domain + 1;
		if (builder->tables.end == end)
			end = builder->tables.start;
		if (builder->image.start >= start && builder->image.start < end) {
			boot_add(boot, start, builder->image.start, range->domain);
			start = builder->image.end;
		}
		boot_add(boot, start, end, range->domain);
	}
}

static struct boot_info *boot_make(const struct builder *builder)
{
	struct boot_info *boot = calloc(1, sizeof(*boot));

	CHECK(boot != NULL);
	str_copy(boot->loader, sizeof(boot->loader), "host machine");
	str_copy(boot->cmdline, sizeof(boot->cmdline), builder->machine->config.cmdline);
	boot_add_ranges(boot, builder);
	boot->image_start = builder->image.start;
	boot->image_end = builder->image.end;
	boot->kept_bytes =
	    builder->image.end - builder->image.start + builder->tables.end - builder->tables.start;
	return boot;
}

void host_tables_create(struct host_machine *machine)
{
	const struct host_range *range = largest_range(&machine->config);
	struct builder builder = {.machine = machine};

	builder.tables.start = builder.tables.end = range->end;
	image_place(&builder, range);
	machine->root = table_alloc(&builder);
	for (unsigned i = 0; i < machine->config.range_count; i++)
		direct_map_make(&builder, &machine->config.ranges[i]);
	image_map_make(&builder);
	machine->boot = boot_make(&builder);
}
