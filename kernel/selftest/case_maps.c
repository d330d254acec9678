/* SPDX-License-Identifier: BSD-2-Clause */
/* The maps of the kernel, what may be done in them, and the zeroes that nobody can write. */
#include "arch/cpu.h"
#include "kernel/fault_probe.h"
#include "kernel/pattern.h"
#include "kernel/selftest/selftest.h"
#include "lib/string.h"
#include "vm/vm_audit.h"
#include "vm/vm_kern.h"
#include "vm/vm_malloc_flags.h"

enum { PAGES = 3 };

/* --- The five maps --- */

static void submap_check(vm_map_t map, const char *name, bool system_map)
{
	SELFTEST_CHECK(map != NULL && strcmp(map->name, name) == 0);
	SELFTEST_CHECK(map->system_map == system_map);
	SELFTEST_CHECK(kernel_map->min_offset <= map->min_offset);
	SELFTEST_CHECK(map->min_offset < map->max_offset);
	SELFTEST_CHECK(map->max_offset <= kernel_map->max_offset);
	/* Its place in kernel_map can be neither taken nor changed. */
	SELFTEST_CHECK(vm_map_remove(kernel_map, map->min_offset, map->max_offset) ==
		       KERN_INVALID_ARGUMENT);
	SELFTEST_CHECK(vm_map_protect(kernel_map, map->min_offset, map->max_offset, VM_PROT_READ,
				      false) == KERN_INVALID_ARGUMENT);
}

static void disjoint_check(const vm_map_t *maps, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		for (unsigned j = 0; j < i; j++)
			SELFTEST_CHECK(maps[i]->max_offset <= maps[j]->min_offset ||
				       maps[j]->max_offset <= maps[i]->min_offset);
}

static void use_check(vm_map_t map, vm_offset_t addr,
		      void (*free)(vm_map_t map, vm_offset_t addr, vm_size_t size))
{
	SELFTEST_CHECK(addr >= map->min_offset && addr + ptoa(PAGES) <= map->max_offset);
	pattern_fill(addr, ptoa(PAGES), addr);
	SELFTEST_CHECK(pattern_check(addr, ptoa(PAGES), addr) == 0);
	free(map, addr, ptoa(PAGES));
}

/* Every CPU takes memory from each, in the way that belongs to it. */
static void five_on(unsigned index, unsigned count)
{
	const vm_size_t size = ptoa(PAGES);

	(void)index;
	(void)count;
	use_check(kernel_map, kmem_alloc(kernel_map, size), kmem_free);
	use_check(kmem_map, kmem_malloc(kmem_map, size, M_WAITOK), kmem_free);
	use_check(buffer_map, kmem_malloc(buffer_map, size, M_WAITOK), kmem_free);
	use_check(buffer_map, kmem_alloc(buffer_map, size), kmem_free);
	use_check(exec_map, kmem_alloc_wait(exec_map, size), kmem_free_wakeup);
	use_check(pipe_map, kmem_alloc_wait(pipe_map, size), kmem_free_wakeup);
}

static void five(void)
{
	const vm_map_t maps[] = {kmem_map, exec_map, pipe_map, buffer_map};

	SELFTEST_CHECK(kernel_map->system_map);
	submap_check(kmem_map, "kmem_map", true);
	submap_check(exec_map, "exec_map", false);
	submap_check(pipe_map, "pipe_map", false);
	submap_check(buffer_map, "buffer_map", true);
	if (selftest_failed())
		return;
	disjoint_check(maps, nitems(maps));
	selftest_parallel(five_on);
	vm_audit(selftest_report);
}

/* --- The zero region --- */

static void zero_region_on(unsigned index, unsigned count)
{
	vm_offset_t start = (vm_offset_t)zero_region, last = start + ZERO_REGION_SIZE - 1;
	vm_offset_t mine = start + ZERO_REGION_SIZE / count * index;
	char why[FAULT_WHY_MAX];

	/* All of it is one page: a word of each, another one on each CPU. */
	for (vm_size_t at = 0; at < ZERO_REGION_SIZE; at += PAGE_SIZE + sizeof(uint64_t))
		SELFTEST_CHECK(((const volatile uint64_t *)zero_region)[at / 8] == 0);
	SELFTEST_CHECK(fault_probe(last, FAULT_READ, why));
	SELFTEST_CHECK(!fault_probe(mine, FAULT_WRITE, why));
	SELFTEST_CHECK(strstr(why, "zero region") != NULL);
	SELFTEST_CHECK(!fault_probe(last, FAULT_WRITE, why));
	SELFTEST_CHECK(strstr(why, "zero region") != NULL);
	SELFTEST_CHECK(!fault_probe(start, FAULT_EXECUTE, why));
	SELFTEST_CHECK(*(const volatile uint64_t *)trunc_page(mine) == 0);
}

static void zeroes(void)
{
	vm_offset_t start = (vm_offset_t)zero_region;

	SELFTEST_CHECK(start != 0);
	SELFTEST_CHECK(vm_map_protect(kernel_map, start, start + ZERO_REGION_SIZE, VM_PROT_RW,
				      false) == KERN_PROTECTION_FAILURE);
	SELFTEST_CHECK(vm_map_protect(kernel_map, start, start + PAGE_SIZE, VM_PROT_RW, true) ==
		       KERN_PROTECTION_FAILURE);
	selftest_parallel(zero_region_on);
}

/* --- Protection --- */

static vm_offset_t target;

static void middle_set(vm_prot_t prot, bool set_max)
{
	if (vm_map_protect(kernel_map, target + PAGE_SIZE, target + ptoa(2), prot, set_max) !=
	    KERN_SUCCESS)
		selftest_fail("the protection cannot be changed");
}

/* What each page of the three admits; a page that faults says what it is. */
static void expect_middle(bool readable, bool writable)
{
	vm_offset_t middle = target + PAGE_SIZE;
	char why[FAULT_WHY_MAX];

	SELFTEST_CHECK(fault_probe(middle, FAULT_READ, why) == readable);
	SELFTEST_CHECK(readable || strstr(why, "without access") != NULL);
	SELFTEST_CHECK(fault_probe(middle, FAULT_WRITE, why) == writable);
	SELFTEST_CHECK(writable || !readable || strstr(why, "protected against it") != NULL);
	SELFTEST_CHECK(fault_probe(target, FAULT_WRITE, why));
	SELFTEST_CHECK(fault_probe(middle + PAGE_SIZE, FAULT_WRITE, why));
}

static const struct {
	vm_prot_t prot;
	bool readable, writable;
} steps[] = {
    {VM_PROT_READ, true, false}, {VM_PROT_RW, true, true}, {VM_PROT_NONE, false, false},
    {VM_PROT_READ, true, false}, {VM_PROT_RW, true, true},
};

/* Every CPU has every translation in its TLB when rights go, and each CPU in turn takes them. */
static void protect_on(unsigned index, unsigned count)
{
	for (unsigned i = 0; i < nitems(steps); i++) {
		if (!selftest_barrier())
			return;
		if (i % count == index)
			middle_set(steps[i].prot, false);
		if (!selftest_barrier())
			return;
		expect_middle(steps[i].readable, steps[i].writable);
	}
}

static void protect(void)
{
	target = kmem_alloc(kernel_map, ptoa(PAGES));
	SELFTEST_CHECK(target != 0);
	pattern_fill(target, ptoa(PAGES), target);
	selftest_parallel(protect_on);
	if (!selftest_failed() && pattern_check(target, ptoa(PAGES), target) != 0)
		selftest_fail("contents are lost after a change of protection");
	kmem_free(kernel_map, target, ptoa(PAGES));
	vm_audit(selftest_report);
}

static void read_only_on(unsigned index, unsigned count)
{
	(void)index;
	(void)count;
	expect_middle(true, false);
}

/* The maximum takes the right with it, and it cannot be had again. */
static void maximum(void)
{
	target = kmem_alloc(kernel_map, ptoa(PAGES));
	SELFTEST_CHECK(target != 0);
	middle_set(VM_PROT_READ, true);
	selftest_parallel(read_only_on);
	SELFTEST_CHECK(vm_map_protect(kernel_map, target, target + ptoa(PAGES), VM_PROT_RW,
				      false) == KERN_PROTECTION_FAILURE);
	SELFTEST_CHECK(vm_map_protect(kernel_map, target, target + PAGE_SIZE,
				      VM_PROT_RW | VM_PROT_EXECUTE,
				      false) == KERN_PROTECTION_FAILURE);
	selftest_parallel(read_only_on);
	kmem_free(kernel_map, target, ptoa(PAGES));
	SELFTEST_CHECK(vm_map_protect(kernel_map, target, target + PAGE_SIZE, VM_PROT_READ,
				      false) == KERN_INVALID_ADDRESS);
	vm_audit(selftest_report);
}

/* --- Placement --- */

static void placement(void)
{
	vm_offset_t aligned =
	    kmem_alloc_nofault_space(kernel_map, SUPERPAGE_SIZE, VMFS_ALIGNED_SPACE);
	vm_offset_t any = kmem_alloc_nofault_space(kernel_map, PAGE_SIZE, VMFS_ANY_SPACE);
	char why[FAULT_WHY_MAX];

	SELFTEST_CHECK(aligned != 0 && any != 0);
	SELFTEST_CHECK((aligned & (SUPERPAGE_SIZE - 1)) == 0);
	SELFTEST_CHECK(!fault_probe(aligned, FAULT_READ, why));
	SELFTEST_CHECK(strstr(why, "no-fault range") != NULL);
	kmem_free(kernel_map, aligned, SUPERPAGE_SIZE);
	kmem_free(kernel_map, any, PAGE_SIZE);
	vm_audit(selftest_report);
}

const struct selftest_case selftest_maps[] = {
    {"maps.five", five},       {"maps.zero_region", zeroes},  {"maps.protect", protect},
    {"maps.maximum", maximum}, {"maps.placement", placement}, {NULL, NULL},
};
