/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory for the allocators above: on every CPU, in interrupts, zeroed, executable. */
#include "arch/physmap.h"
#include "kernel/fault_probe.h"
#include "kernel/pattern.h"
#include "kernel/sched/thread.h"
#include "kernel/selftest/selftest.h"
#include "lib/string.h"
#include "smp/call.h"
#include "smp/preempt.h"
#include "smp/smp.h"
#include "vm/pmap.h"
#include "vm/vm_audit.h"
#include "vm/vm_kern.h"
#include "vm/vm_malloc_flags.h"

enum { ROUNDS = 8, HELD = 6 };

/* One x86 instruction that returns at once. */
enum { INSTRUCTION_RETURN = 0xc3 };

static bool is_zero(vm_offset_t addr, vm_size_t size)
{
	const volatile uint64_t *words = (const volatile uint64_t *)addr;

	for (vm_size_t i = 0; i < size / sizeof(*words); i++)
		if (words[i] != 0)
			return false;
	return true;
}

static bool in_map(vm_map_t map, vm_offset_t addr, vm_size_t size)
{
	return addr >= map->min_offset && addr + size <= map->max_offset;
}

/* Different on neighbouring CPUs, and both ways of asking, with zeroes or without. */
static vm_size_t held_size(unsigned index, unsigned n)
{
	return ptoa((index * 3 + n * 5) % 7 + 1);
}

static int held_flags(unsigned index, unsigned n)
{
	return ((index + n) % 2 ? M_WAITOK : M_NOWAIT) | (n % 3 == 0 ? M_ZERO : 0);
}

static void held_make(vm_offset_t *addr, vm_size_t size, int flags)
{
	*addr = kmem_malloc(kmem_map, size, flags);
	SELFTEST_CHECK(*addr != 0);
	SELFTEST_CHECK((*addr & PAGE_MASK) == 0 && in_map(kmem_map, *addr, size));
	SELFTEST_CHECK((flags & M_ZERO) == 0 || is_zero(*addr, size));
	pattern_fill(*addr, size, *addr ^ arch_cpu_id());
}

static void held_take(vm_offset_t addr, vm_size_t size)
{
	if (addr == 0)
		return;
	if (pattern_check(addr, size, addr ^ arch_cpu_id()) != 0)
		selftest_fail("cpu %u: memory at %#lx has changed", arch_cpu_id(),
			      (unsigned long)addr);
	kmem_free(kmem_map, addr, size);
}

static void private_on(unsigned index, unsigned count)
{
	vm_offset_t held[HELD] = {0};

	(void)count;
	for (unsigned round = 0; round < ROUNDS && !selftest_failed(); round++) {
		for (unsigned n = 0; n < HELD; n++)
			held_make(&held[n], held_size(index + round, n), held_flags(index, n));
		(void)selftest_barrier();
		for (unsigned n = 0; n < HELD; n++)
			held_take(held[n], held_size(index + round, n));
	}
}

static void every_cpu(void)
{
	struct vm_accounting before, after;

	vm_accounting(&before);
	selftest_parallel(private_on);
	vm_accounting(&after);
	SELFTEST_CHECK(before.allocated == after.allocated);
	vm_audit(selftest_report);
}

/* --- In interrupts --- */

static vm_offset_t from_interrupt[MAXCPU][2];
static struct atomic32 in_interrupts;

static void interrupt_malloc(void *arg)
{
	vm_offset_t *got = from_interrupt[arch_cpu_id()];

	(void)arg;
	if (in_interrupt())
		atomic32_add(&in_interrupts, 1, MO_RELAXED);
	got[0] = kmem_malloc(kmem_map, ptoa(3), M_NOWAIT | M_ZERO);
	got[1] = kmem_malloc(kmem_map, PAGE_SIZE, M_NOWAIT | M_USE_RESERVE);
}

static void interrupt_take(const vm_offset_t *got)
{
	if (got[0] != 0 && !is_zero(got[0], ptoa(3)))
		selftest_fail("memory from an interrupt is not zeroed");
	if (got[0] == 0 || got[1] == 0)
		selftest_fail("an interrupt got no memory");
	kmem_free(kmem_map, got[0], got[0] != 0 ? ptoa(3) : 0);
	kmem_free(kmem_map, got[1], got[1] != 0 ? PAGE_SIZE : 0);
}

static void interrupt(void)
{
	struct cpuset online;

	smp_online_set(&online);
	atomic32_store(&in_interrupts, 0, MO_RELAXED);
	for (unsigned round = 0; round < ROUNDS; round++) {
		smp_call(&online, interrupt_malloc, NULL);
		CPUSET_FOREACH (cpu, &online)
			interrupt_take(from_interrupt[cpu]);
	}
	/* The caller's own CPU is only asked with interrupts disabled. */
	SELFTEST_CHECK(atomic32_load(&in_interrupts, MO_RELAXED) ==
		       ROUNDS * (smp_online_count() - 1));
	vm_audit(selftest_report);
}

/* --- M_ZERO --- */

/* What was written before, by this CPU or another one, is gone. */
static void zero_on(unsigned index, unsigned count)
{
	const vm_size_t size = ptoa(4);

	(void)index;
	(void)count;
	for (unsigned round = 0; round < 4 * ROUNDS; round++) {
		vm_offset_t addr = kmem_malloc(kmem_map, size, M_WAITOK | M_ZERO);

		SELFTEST_CHECK(addr != 0);
		if (!is_zero(addr, size))
			selftest_fail("cpu %u: memory at %#lx is not zeroed", arch_cpu_id(),
				      (unsigned long)addr);
		pattern_fill(addr, size, round);
		kmem_free(kmem_map, addr, size);
	}
}

static void zero(void)
{
	selftest_parallel(zero_on);
}

/* --- M_EXEC --- */

static vm_offset_t code, data;

static void exec_on(unsigned index, unsigned count)
{
	char why[FAULT_WHY_MAX];

	(void)index;
	(void)count;
	SELFTEST_CHECK(fault_probe(code, FAULT_READ, why));
	SELFTEST_CHECK(fault_probe(code, FAULT_EXECUTE, why));
	SELFTEST_CHECK(!fault_probe(code, FAULT_WRITE, why));
	SELFTEST_CHECK(strstr(why, "not permitted") != NULL);
	SELFTEST_CHECK(strstr(why, "kmem_map") != NULL);
	SELFTEST_CHECK(fault_probe(data, FAULT_WRITE, why));
	SELFTEST_CHECK(!fault_probe(data, FAULT_EXECUTE, why));
	SELFTEST_CHECK(strstr(why, "not permitted") != NULL);
}

static void exec(void)
{
	code = kmem_malloc(kmem_map, PAGE_SIZE, M_WAITOK | M_EXEC);
	data = kmem_malloc(kmem_map, PAGE_SIZE, M_WAITOK);
	SELFTEST_CHECK(code != 0 && data != 0);
	/* Whoever loads code writes it through the direct map, where it cannot be executed. */
	*(volatile uint8_t *)arch_physmap(pmap_kextract(code)) = INSTRUCTION_RETURN;
	*(volatile uint8_t *)data = INSTRUCTION_RETURN;
	selftest_parallel(exec_on);
	kmem_free(kmem_map, code, PAGE_SIZE);
	kmem_free(kmem_map, data, PAGE_SIZE);
	vm_audit(selftest_report);
}

/* --- kmem_back --- */

/* The range is the caller's choice, and the map's lock the caller's; nothing may be said under it.
 */
static bool back_locked(vm_offset_t *addr, vm_size_t size, int flags)
{
	return vm_map_findspace(kmem_map, kmem_map->min_offset, size, addr) == 0 &&
	       kmem_back(kmem_map, *addr, size, flags) == KERN_SUCCESS && vm_map_locked(kmem_map) &&
	       kmem_back(kmem_map, *addr, PAGE_SIZE, M_NOWAIT) == KERN_NO_SPACE &&
	       kmem_back(kmem_map, *addr + size - PAGE_SIZE, ptoa(2), M_NOWAIT) == KERN_NO_SPACE;
}

static void back_on(unsigned index, unsigned count)
{
	const vm_size_t size = ptoa(index % 5 + 1);

	(void)count;
	for (unsigned round = 0; round < ROUNDS; round++) {
		vm_offset_t addr;
		bool done;

		vm_map_lock(kmem_map);
		done = back_locked(&addr, size, (round % 2 ? M_NOWAIT : M_WAITOK) | M_ZERO);
		vm_map_unlock(kmem_map);
		SELFTEST_CHECK(done);
		SELFTEST_CHECK(is_zero(addr, size));
		pattern_fill(addr, size, addr);
		thread_yield();
		SELFTEST_CHECK(pattern_check(addr, size, addr) == 0);
		kmem_free(kmem_map, addr, size);
	}
}

static void back(void)
{
	selftest_parallel(back_on);
	vm_audit(selftest_report);
}

static void refused(void)
{
	const vm_size_t whole = kmem_map->max_offset - kmem_map->min_offset;
	struct vm_accounting before, after;

	vm_accounting(&before);
	SELFTEST_CHECK(kmem_malloc(kmem_map, 0, M_NOWAIT) == 0);
	SELFTEST_CHECK(kmem_malloc(kmem_map, 0, M_WAITOK) == 0);
	SELFTEST_CHECK(kmem_malloc(kmem_map, ~(vm_size_t)0, M_NOWAIT) == 0);
	SELFTEST_CHECK(kmem_malloc(kmem_map, whole + PAGE_SIZE, M_NOWAIT) == 0);
	vm_accounting(&after);
	SELFTEST_CHECK(before.allocated == after.allocated);
	vm_audit(selftest_report);
}

const struct selftest_case selftest_malloc[] = {
    {"malloc.every_cpu", every_cpu},
    {"malloc.interrupt", interrupt},
    {"malloc.zero", zero},
    {"malloc.exec", exec},
    {"malloc.back", back},
    {"malloc.refused", refused},
    {NULL, NULL},
};
