/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory that is not there faults on every CPU, and the diagnosis says where and why. */
#include "arch/cpu.h"
#include "kernel/fault_probe.h"
#include "kernel/sched/thread.h"
#include "kernel/selftest/selftest.h"
#include "lib/format.h"
#include "lib/string.h"
#include "smp/smp.h"
#include "vm/vm_kern.h"
#include "vm/vm_kern_quarantine.h"

static vm_offset_t target;

/* The access faults, and the diagnosis names the address. */
static void expect_fault(vm_offset_t va, enum fault_access access)
{
	char why[FAULT_WHY_MAX], address[24];

	if (fault_probe(va, access, why)) {
		selftest_fail("cpu %u: an access to %#lx did not fault", arch_cpu_id(),
			      (unsigned long)va);
		return;
	}
	format(address, sizeof(address), "%#lx", (unsigned long)va);
	if (strstr(why, address) == NULL)
		selftest_fail("the diagnosis does not name %s: %s", address, why);
}

static void target_on(unsigned index, unsigned count)
{
	(void)index;
	(void)count;
	expect_fault(target, FAULT_READ);
	expect_fault(target + 8, FAULT_WRITE);
}

static void nofault(void)
{
	target = kmem_alloc_nofault(kernel_map, PAGE_SIZE);
	SELFTEST_CHECK(target != 0);
	selftest_parallel(target_on);
	kmem_free(kernel_map, target, PAGE_SIZE);
}

static void freed_on(unsigned index, unsigned count)
{
	char why[FAULT_WHY_MAX];

	SELFTEST_CHECK(fault_probe(target, FAULT_READ, why));
	SELFTEST_CHECK(fault_probe(target + 8, FAULT_WRITE, why));
	if (!selftest_barrier())
		return;
	if (index == 0) {
		kmem_free(kernel_map, target, PAGE_SIZE);
		(void)kmem_quarantine_flush(); /* until then the translation may be remembered */
	}
	if (selftest_barrier())
		target_on(index, count);
}

static void freed(void)
{
	target = kmem_alloc(kernel_map, PAGE_SIZE);
	SELFTEST_CHECK(target != 0);
	selftest_parallel(freed_on);
}

/* Below each thread's stack lies a page that is not there. */
static void guard_on(unsigned index, unsigned count)
{
	vm_offset_t here = (vm_offset_t)__builtin_frame_address(0), page = trunc_page(here);
	char why[FAULT_WHY_MAX];

	(void)index;
	(void)count;
	for (unsigned pages = 0; fault_probe(page, FAULT_READ, why); pages++) {
		SELFTEST_CHECK(pages < 64);
		page -= PAGE_SIZE;
	}
	expect_fault(page, FAULT_WRITE);
	SELFTEST_CHECK(here - page <= 16 * PAGE_SIZE);
}

static void guard(void)
{
	selftest_parallel(guard_on);
}

static void null_on(unsigned index, unsigned count)
{
	(void)index;
	(void)count;
	expect_fault(8, FAULT_READ);
	expect_fault(8, FAULT_WRITE);
}

static void null(void)
{
	selftest_parallel(null_on);
}

const struct selftest_case selftest_faults[] = {
    {"faults.nofault", nofault},
    {"faults.freed", freed},
    {"faults.guard", guard},
    {"faults.null", null},
    {NULL, NULL},
};
