/* SPDX-License-Identifier: BSD-2-Clause */
/* Nothing is both writable and executable: by the page tables, and by what the CPUs do. */
#include "arch/physmap.h"
#include "arch/system.h"
#include "kernel/fault_probe.h"
#include "kernel/selftest/selftest.h"
#include "smp/smp.h"
#include "vm/pmap.h"
#include "vm/vm_kern.h"

/* One x86 instruction that returns at once, wherever data lies that must not be executed. */
enum { INSTRUCTION_RETURN = 0xc3 };

static const uint8_t constant[] = {INSTRUCTION_RETURN};
static uint8_t variable[] = {INSTRUCTION_RETURN};

static bool leaf_check(void *ctx, vm_offset_t va, vm_size_t size, pte_t leaf)
{
	bool data_only = *(const bool *)ctx, executable = !(leaf & PTE_NX);

	(void)size;
	if ((leaf & PTE_WRITE) && executable)
		selftest_fail("%#lx is writable and executable", (unsigned long)va);
	else if (data_only && executable)
		selftest_fail("%#lx is data and executable", (unsigned long)va);
	else if (leaf & PTE_USER)
		selftest_fail("%#lx is open to user code", (unsigned long)va);
	return !selftest_failed();
}

static void tables(void)
{
	bool data_only = true;

	pmap_walk(kernel_pmap, PHYSMAP_BASE, PHYSMAP_END, leaf_check, &data_only);
	pmap_walk(kernel_pmap, VM_MIN_KERNEL_ADDRESS, KERNBASE, leaf_check, &data_only);
	data_only = false;
	pmap_walk(kernel_pmap, KERNBASE, VM_MAX_KERNEL_ADDRESS, leaf_check, &data_only);
}

static void text_on(unsigned index, unsigned count)
{
	char why[FAULT_WHY_MAX];

	(void)index;
	(void)count;
	SELFTEST_CHECK(fault_probe((vm_offset_t)kernel_main, FAULT_READ, why));
	SELFTEST_CHECK(!fault_probe((vm_offset_t)kernel_main, FAULT_WRITE, why));
}

static void text(void)
{
	selftest_parallel(text_on);
}

static void rodata_on(unsigned index, unsigned count)
{
	char why[FAULT_WHY_MAX];

	(void)index;
	(void)count;
	SELFTEST_CHECK(fault_probe((vm_offset_t)constant, FAULT_READ, why));
	SELFTEST_CHECK(!fault_probe((vm_offset_t)constant, FAULT_WRITE, why));
	SELFTEST_CHECK(!fault_probe((vm_offset_t)constant, FAULT_EXECUTE, why));
}

static void rodata(void)
{
	selftest_parallel(rodata_on);
}

static vm_offset_t kmem;

static void data_on(unsigned index, unsigned count)
{
	uint8_t on_stack[] = {INSTRUCTION_RETURN};
	vm_offset_t direct = (vm_offset_t)arch_physmap(pmap_kextract(kmem));
	char why[FAULT_WHY_MAX];

	(void)index;
	(void)count;
	SELFTEST_CHECK(fault_probe((vm_offset_t)variable, FAULT_WRITE, why));
	SELFTEST_CHECK(!fault_probe((vm_offset_t)variable, FAULT_EXECUTE, why));
	SELFTEST_CHECK(!fault_probe((vm_offset_t)on_stack, FAULT_EXECUTE, why));
	SELFTEST_CHECK(!fault_probe(kmem, FAULT_EXECUTE, why));
	SELFTEST_CHECK(!fault_probe(direct, FAULT_EXECUTE, why));
}

static void data(void)
{
	kmem = kmem_alloc(kernel_map, PAGE_SIZE);
	SELFTEST_CHECK(kmem != 0);
	*(volatile uint8_t *)kmem = INSTRUCTION_RETURN;
	selftest_parallel(data_on);
	kmem_free(kernel_map, kmem, PAGE_SIZE);
}

const struct selftest_case selftest_wx[] = {
    {"wx.tables", tables}, {"wx.text", text}, {"wx.rodata", rodata},
    {"wx.data", data},     {NULL, NULL},
};
