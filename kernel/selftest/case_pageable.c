/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pageable memory: pages come when they are touched, by ordinary loads and stores, stay while they
 * are wired, and what was promised for them is given back to the byte.
 */
#include "arch/cpu.h"
#include "kernel/fault_probe.h"
#include "kernel/pattern.h"
#include "kernel/selftest/selftest.h"
#include "lib/string.h"
#include "smp/smp.h"
#include "vm/pmap.h"
#include "vm/vm_audit.h"
#include "vm/vm_kern.h"
#include "vm/vm_pageable.h"
#include "vm/vm_swap.h"

enum { PAGES = 6, ROUNDS = 4 };

/* By index; barriers separate writing from reading. */
static vm_offset_t ranges[MAXCPU];

static volatile uint64_t *word(vm_offset_t addr, unsigned page)
{
	return (volatile uint64_t *)(addr + ptoa(page));
}

static bool present(vm_offset_t addr, unsigned page)
{
	return pmap_kextract(addr + ptoa(page)) != 0;
}

static void range_make(vm_offset_t *addr)
{
	*addr = kmem_alloc_wait(pipe_map, ptoa(PAGES));
	SELFTEST_CHECK(*addr != 0);
	SELFTEST_CHECK(*addr >= pipe_map->min_offset);
	SELFTEST_CHECK(*addr + ptoa(PAGES) <= pipe_map->max_offset);
}

static void range_free(vm_offset_t *addr)
{
	if (*addr != 0)
		kmem_free_wakeup(pipe_map, *addr, ptoa(PAGES));
	*addr = 0;
}

/* --- On demand --- */

/* Pages come one by one, each when it is touched and full of zeroes. */
static void demand_touch(vm_offset_t addr)
{
	for (unsigned page = 0; page < PAGES; page++)
		SELFTEST_CHECK(!present(addr, page));
	for (unsigned page = PAGES; page-- > 0;) {
		if (page % 2) /* half of them are written first */
			*word(addr, page) = 0;
		for (unsigned i = 0; i < PAGE_SIZE / sizeof(uint64_t); i++)
			SELFTEST_CHECK(word(addr, page)[i] == 0);
		SELFTEST_CHECK(present(addr, page));
		SELFTEST_CHECK(page == 0 || !present(addr, page - 1));
	}
}

static void demand_on(unsigned index, unsigned count)
{
	unsigned next = (index + 1) % count;

	for (unsigned round = 0; round < ROUNDS; round++) {
		range_make(&ranges[index]);
		if (!selftest_failed())
			demand_touch(ranges[index]);
		if (!selftest_failed())
			pattern_fill(ranges[index], ptoa(PAGES), index);
		if (!selftest_barrier())
			return;
		if (pattern_check(ranges[next], ptoa(PAGES), next) != 0)
			selftest_fail("what another CPU wrote is broken");
		(void)selftest_barrier();
		range_free(&ranges[index]);
	}
}

static void demand(void)
{
	vm_size_t reserved = swap_reserved();
	struct vm_accounting before, after;

	vm_accounting(&before);
	selftest_parallel(demand_on);
	for (unsigned i = 0; i < smp_online_count(); i++)
		range_free(&ranges[i]);
	vm_accounting(&after);
	SELFTEST_CHECK(swap_reserved() == reserved);
	SELFTEST_CHECK(before.allocated == after.allocated);
	vm_audit(selftest_report);
}

/* All CPUs touch a page that is not there at the same moment: it comes once. */
static void race_on(unsigned index, unsigned count)
{
	for (unsigned page = 0; page < PAGES; page++) {
		if (!selftest_barrier())
			return;
		word(ranges[0], page)[index] = index + page + UINT64_C(1);
		if (!selftest_barrier())
			return;
		for (unsigned i = 0; i < count; i++)
			SELFTEST_CHECK(word(ranges[0], page)[i] == i + page + UINT64_C(1));
	}
}

static void race(void)
{
	range_make(&ranges[0]);
	if (!selftest_failed())
		selftest_parallel(race_on);
	range_free(&ranges[0]);
	vm_audit(selftest_report);
}

/* --- Wiring --- */

/* Where threads may not sleep, as in a probe, only what is there can be touched. */
static void wired_on(unsigned index, unsigned count)
{
	char why[FAULT_WHY_MAX];

	(void)index;
	(void)count;
	for (unsigned page = 1; page < PAGES; page++) {
		SELFTEST_CHECK(fault_probe(ranges[0] + ptoa(page), FAULT_WRITE, why));
		SELFTEST_CHECK(*word(ranges[0], page) == 0);
	}
	SELFTEST_CHECK(!fault_probe(ranges[0], FAULT_READ, why));
	SELFTEST_CHECK(strstr(why, "pageable memory") != NULL);
}

static void wire_check(vm_offset_t start, vm_offset_t end)
{
	SELFTEST_CHECK(vm_map_wire(pipe_map, start, end, VM_MAP_WIRE_SYSTEM) == KERN_SUCCESS);
	SELFTEST_CHECK(vm_map_wire(pipe_map, start, end, VM_MAP_WIRE_SYSTEM) == KERN_SUCCESS);
	selftest_parallel(wired_on);
	SELFTEST_CHECK(vm_map_unwire(pipe_map, start, end, VM_MAP_WIRE_SYSTEM) == KERN_SUCCESS);
	/* Once wired is wired enough. */
	(void)vm_pageable_scan(UINT64_MAX);
	for (unsigned page = 1; page < PAGES; page++)
		SELFTEST_CHECK(present(ranges[0], page));
	SELFTEST_CHECK(vm_map_unwire(pipe_map, start, end, VM_MAP_WIRE_SYSTEM) == KERN_SUCCESS);
	SELFTEST_CHECK(vm_map_unwire(pipe_map, start, end, VM_MAP_WIRE_SYSTEM) ==
		       KERN_INVALID_ARGUMENT);
}

/* All but the first page, which is never touched. */
static void wire(void)
{
	vm_size_t reserved = swap_reserved();

	range_make(&ranges[0]);
	if (!selftest_failed())
		wire_check(ranges[0] + PAGE_SIZE, ranges[0] + ptoa(PAGES));
	vm_audit(selftest_report);
	range_free(&ranges[0]);
	SELFTEST_CHECK(swap_reserved() == reserved);
	vm_audit(selftest_report);
}

/* --- Protection --- */

static void protected_on(unsigned index, unsigned count)
{
	char why[FAULT_WHY_MAX];

	(void)index;
	(void)count;
	for (unsigned page = 0; page < PAGES; page++) {
		SELFTEST_CHECK(*word(ranges[0], page) == (page == 0 ? UINT64_C(42) : 0));
		SELFTEST_CHECK(!fault_probe(ranges[0] + ptoa(page), FAULT_WRITE, why));
	}
}

/* One page is there when it is protected, the others come as they may be used. */
static void protect_check(vm_offset_t start, vm_offset_t end)
{
	*word(start, 0) = 42;
	SELFTEST_CHECK(vm_map_protect(pipe_map, start, end, VM_PROT_READ, false) == KERN_SUCCESS);
	selftest_parallel(protected_on);
	SELFTEST_CHECK(vm_map_protect(pipe_map, start, end, VM_PROT_RW, false) == KERN_SUCCESS);
	for (unsigned page = 0; page < PAGES; page++)
		*word(start, page) += page;
	for (unsigned page = 0; page < PAGES; page++)
		SELFTEST_CHECK(*word(start, page) == (page == 0 ? 42 : page));
}

static void protect(void)
{
	range_make(&ranges[0]);
	if (!selftest_failed())
		protect_check(ranges[0], ranges[0] + ptoa(PAGES));
	range_free(&ranges[0]);
	vm_audit(selftest_report);
}

/* --- The limit --- */

static void limit_check(vm_size_t reserved)
{
	vm_offset_t addr;

	SELFTEST_CHECK(kmem_alloc_wait(pipe_map, ptoa(PAGES + 1)) == 0);
	SELFTEST_CHECK(swap_reserved() == reserved);
	addr = kmem_alloc_wait(pipe_map, ptoa(PAGES));
	SELFTEST_CHECK(addr != 0);
	SELFTEST_CHECK(swap_reserved() == reserved + ptoa(PAGES));
	SELFTEST_CHECK(kmem_alloc_wait(pipe_map, PAGE_SIZE) == 0);
	/* Half of it given back is half of the promise. */
	kmem_free_wakeup(pipe_map, addr, ptoa(PAGES / 2));
	SELFTEST_CHECK(swap_reserved() == reserved + ptoa(PAGES - PAGES / 2));
	kmem_free_wakeup(pipe_map, addr + ptoa(PAGES / 2), ptoa(PAGES - PAGES / 2));
	SELFTEST_CHECK(swap_reserved() == reserved);
}

static void limit(void)
{
	vm_size_t usual = swap_limit(), reserved = swap_reserved();

	swap_set_limit(reserved + ptoa(PAGES));
	limit_check(reserved);
	swap_set_limit(usual);
	SELFTEST_CHECK(kmem_alloc_wait(pipe_map, 0) == 0);
	SELFTEST_CHECK(kmem_alloc_wait(pipe_map, pipe_map->max_offset - pipe_map->min_offset +
						     PAGE_SIZE) == 0);
	SELFTEST_CHECK(swap_reserved() == reserved);
	vm_audit(selftest_report);
}

const struct selftest_case selftest_pageable[] = {
    {"pageable.demand", demand},   {"pageable.race", race},   {"pageable.wire", wire},
    {"pageable.protect", protect}, {"pageable.limit", limit}, {NULL, NULL},
};
