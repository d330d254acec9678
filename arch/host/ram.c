/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Simulated RAM: one reservation of addresses as long as the physical address space, in which
 * only the ranges of the configuration are accessible. Pages cost host memory once touched.
 */
#include <sys/mman.h>

#include "arch/host/internal.h"
#include "lib/string.h"

unsigned char *host_physmap_base;

static void ram_fill_junk(struct host_machine *machine)
{
	uint64_t state = host_random_start(machine->config.seed, MAXCPU);

	for (unsigned i = 0; i < machine->config.range_count; i++) {
		const struct host_range *range = &machine->config.ranges[i];
		uint64_t *word = arch_physmap(range->start);

		for (size_t n = (range->end - range->start) / sizeof(*word); n > 0; n--)
			*word++ = host_random_next(&state);
	}
}

void host_ram_create(struct host_machine *machine)
{
	const struct host_config *config = &machine->config;
	void *base;

	machine->ram_end = config->ranges[config->range_count - 1].end;
	base = mmap(NULL, machine->ram_end, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		    -1, 0);
	if (base == MAP_FAILED)
		panic("host machine: no room for %#lx bytes of addresses",
		      (unsigned long)machine->ram_end);
	host_physmap_base = base;
	for (unsigned i = 0; i < config->range_count; i++) {
		const struct host_range *range = &config->ranges[i];

		if (mprotect(arch_physmap(range->start), range->end - range->start,
			     PROT_READ | PROT_WRITE) != 0)
			panic("host machine: no RAM at %#lx", (unsigned long)range->start);
	}
	if (config->fill_ram)
		ram_fill_junk(machine);
}

void host_ram_destroy(struct host_machine *machine)
{
	munmap(host_physmap_base, machine->ram_end);
	host_physmap_base = NULL;
}

bool host_ram_contains(vm_paddr_t pa)
{
	const struct host_config *config = &host_machine->config;

	for (unsigned i = 0; i < config->range_count; i++)
		if (pa >= config->ranges[i].start && pa < config->ranges[i].end)
			return true;
	return false;
}

void arch_page_zero(vm_paddr_t pa)
{
	CHECK_EQ(pa & PAGE_MASK, 0);
	memset(arch_physmap(pa), 0, PAGE_SIZE);
}
