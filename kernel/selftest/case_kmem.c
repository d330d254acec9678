/* SPDX-License-Identifier: BSD-2-Clause */
/* Kernel memory on all CPUs at once: fresh, private, handed over intact, and all given back. */
#include "arch/cpu.h"
#include "kernel/pattern.h"
#include "kernel/sched/thread.h"
#include "kernel/selftest/selftest.h"
#include "smp/smp.h"
#include "vm/uma.h"
#include "vm/vm_audit.h"
#include "vm/vm_kern.h"

enum { ROUNDS = 6, PER_ROUND = 4 };

/* What a CPU hands to the next one; barriers separate writing from reading. */
struct parcel {
	vm_offset_t addr;
	vm_size_t size;
};
static struct parcel mailboxes[MAXCPU][PER_ROUND];

static bool is_zero(vm_offset_t addr, vm_size_t size)
{
	const volatile uint64_t *words = (const volatile uint64_t *)addr;

	for (vm_size_t i = 0; i < size / sizeof(*words); i++)
		if (words[i] != 0)
			return false;
	return true;
}

/* 1 to 16 pages, different on neighbouring CPUs and in successive rounds. */
static vm_size_t parcel_size(unsigned index, unsigned round, unsigned n)
{
	return ptoa((index * 5 + round * 3 + n * 7) % 16 + 1);
}

static void parcel_make(struct parcel *parcel, vm_size_t size)
{
	parcel->addr = kmem_alloc(kernel_map, size);
	parcel->size = size;
	SELFTEST_CHECK(parcel->addr != 0);
	SELFTEST_CHECK((parcel->addr & PAGE_MASK) == 0);
	SELFTEST_CHECK(is_zero(parcel->addr, size));
	pattern_fill(parcel->addr, size, parcel->addr ^ arch_cpu_id());
}

static void parcel_take(struct parcel *parcel, unsigned maker)
{
	vm_offset_t bad;

	if (parcel->addr == 0)
		return;
	bad = pattern_check(parcel->addr, parcel->size, parcel->addr ^ maker);
	if (bad != 0)
		selftest_fail("cpu %u: what cpu %u wrote at %#lx is broken", arch_cpu_id(), maker,
			      (unsigned long)bad);
	kmem_free(kernel_map, parcel->addr, parcel->size);
	parcel->addr = 0;
}

static unsigned makers[MAXCPU]; /* CPU numbers by index */

static void exchange_on(unsigned index, unsigned count)
{
	unsigned before = (index + count - 1) % count;

	makers[index] = arch_cpu_id();
	for (unsigned round = 0; round < ROUNDS; round++) {
		for (unsigned n = 0; n < PER_ROUND; n++)
			parcel_make(&mailboxes[index][n], parcel_size(index, round, n));
		/* After a failure the parcels are still taken: they must not be left behind. */
		(void)selftest_barrier();
		for (unsigned n = 0; n < PER_ROUND; n++)
			parcel_take(&mailboxes[before][n], makers[before]);
		if (!selftest_barrier())
			return;
	}
}

static void exchange(void)
{
	if (selftest_parallel(exchange_on))
		vm_audit(selftest_report);
}

/* Everything that was allocated comes back, and all pages are somewhere. */
static void accounting(void)
{
	struct vm_accounting before, after;

	/* Once beforehand, as the first run may fill pools. */
	if (!selftest_parallel(exchange_on))
		return;
	vm_accounting(&before);
	if (!selftest_parallel(exchange_on))
		return;
	vm_accounting(&after);
	SELFTEST_CHECK(vm_accounting_sum(&after) == after.total);
	SELFTEST_CHECK(before.total == after.total);
	SELFTEST_CHECK(before.allocated == after.allocated);
}

static void large(void)
{
	const vm_size_t size = 3 * SUPERPAGE_SIZE + PAGE_SIZE;
	vm_offset_t addr = kmem_alloc(kernel_map, size);

	SELFTEST_CHECK(addr != 0);
	if (!is_zero(addr, size))
		selftest_fail("large memory is not zero-filled");
	pattern_fill(addr, size, addr);
	if (pattern_check(addr, size, addr) != 0)
		selftest_fail("large memory does not keep its contents");
	kmem_free(kernel_map, addr, size);
	vm_audit(selftest_report);
}

/* Freed from the inside: the rest keeps its contents. */
static void partial(void)
{
	const vm_size_t size = 8 * PAGE_SIZE;
	vm_offset_t addr = kmem_alloc(kernel_map, size);

	SELFTEST_CHECK(addr != 0);
	pattern_fill(addr, size, addr);
	kmem_free(kernel_map, addr + 3 * PAGE_SIZE, 2 * PAGE_SIZE);
	if (pattern_check(addr, 3 * PAGE_SIZE, addr) != 0)
		selftest_fail("memory before a freed part is broken");
	kmem_free(kernel_map, addr, 3 * PAGE_SIZE);
	kmem_free(kernel_map, addr + 5 * PAGE_SIZE, 3 * PAGE_SIZE);
	vm_audit(selftest_report);
}

static void refused(void)
{
	struct vm_accounting before, after;

	vm_accounting(&before);
	SELFTEST_CHECK(kmem_alloc(kernel_map, 0) == 0);
	SELFTEST_CHECK(kmem_alloc(kernel_map, ~(vm_size_t)0) == 0);
	SELFTEST_CHECK(kmem_alloc(kernel_map, ~(vm_size_t)0 - PAGE_SIZE) == 0);
	SELFTEST_CHECK(kmem_alloc(kernel_map, VM_MAX_KERNEL_ADDRESS - VM_MIN_KERNEL_ADDRESS) == 0);
	SELFTEST_CHECK(kmem_alloc_nofault(kernel_map, 0) == 0);
	kmem_free(kernel_map, VM_MIN_KERNEL_ADDRESS, 0);
	vm_accounting(&after);
	SELFTEST_CHECK(before.allocated == after.allocated);
	vm_audit(selftest_report);
}

/*
 * More than there is: it fails half-way and everything comes back. All memory is filled with
 * zeroes on the way there, so machines with much of it are spared.
 */
static void exhausted(void)
{
	const uint64_t most = atop(UINT64_C(128) << 20);
	struct vm_accounting before, after;
	vm_offset_t spare;

	/* What caches hold counts as allocated where a zone has it, and goes when memory is short.
	 */
	uma_reclaim();
	vm_accounting(&before);
	if (before.free > most) {
		selftest_skip("more than 128 MiB are free");
		return;
	}
	SELFTEST_CHECK(kmem_alloc(kernel_map, ptoa(before.total)) == 0);
	spare = kmem_alloc(kernel_map, PAGE_SIZE);
	SELFTEST_CHECK(spare != 0);
	kmem_free(kernel_map, spare, PAGE_SIZE);
	vm_accounting(&after);
	SELFTEST_CHECK(before.allocated == after.allocated);
	vm_audit(selftest_report);
}

const struct selftest_case selftest_kmem[] = {
    {"kmem.exchange", exchange},
    {"kmem.accounting", accounting},
    {"kmem.large", large},
    {"kmem.partial", partial},
    {"kmem.refused", refused},
    {"kmem.exhausted", exhausted},
    {NULL, NULL},
};
