/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch/x86_64/cpu_local.h"

#include "arch/physmap.h"
#include "arch/x86_64/early_memory.h"
#include "arch/x86_64/kernel_space.h"
#include "arch/x86_64/regs.h"
#include "lib/check.h"

_Static_assert(SELECTOR_CODE == GDT_CODE * 8 && SELECTOR_DATA == GDT_DATA * 8 &&
		   SELECTOR_TSS == GDT_TSS * 8,
	       "boot_layout.h names the places in the table");

_Static_assert(sizeof(struct tss) == 104 && offsetof(struct tss, ist[1]) == 36,
	       "the layout is the processor's");

/* One CPU: its struct, and for each stack a guard page's worth of table at the very most. */
enum { CPU_COST = (IST_END - 1) * (IST_STACK_SIZE + (int)PAGE_SIZE) };

/* Left for page tables and everybody else when CPUs are counted. */
enum { MEMORY_RESERVE = 2 * 1024 * 1024 };

static struct cpu_local boot_local;
static struct cpu_local *locals[MAXCPU];

/*
 * The boot CPU's area until smp/ installs the real one. Upper layers' areas begin with this
 * head and are valid when zero, so they get room for all of it: locks work from the start.
 */
static union {
	struct arch_percpu head;
	char room[PAGE_SIZE];
} boot_area QUIRE_ALIGNED(CACHE_LINE);

struct cpu_local *cpu_local_of(unsigned cpu)
{
	return locals[cpu];
}

/* Intel SDM vol. 3A 3.4.5 (code, data), 8.2.3 (TSS). */
static void fill_gdt(struct cpu_local *local)
{
	uint64_t tss = (uint64_t)&local->tss, limit = sizeof(local->tss) - 1;

	local->gdt[GDT_CODE] = UINT64_C(0x00af9b000000ffff);
	local->gdt[GDT_DATA] = UINT64_C(0x00cf93000000ffff);
	local->gdt[GDT_TSS] =
	    limit | (tss & 0xffffff) << 16 | UINT64_C(0x89) << 40 | (tss >> 24 & 0xff) << 56;
	local->gdt[GDT_TSS + 1] = tss >> 32;
	local->tss.io_map = sizeof(local->tss); /* beyond the limit: no port map */
}

void cpu_local_load(struct cpu_local *local)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) gdtr = {sizeof(local->gdt) - 1, (uint64_t)local->gdt};
	uint64_t code = SELECTOR_CODE;

	/* A TSS that was loaded before is marked busy, and LTR refuses it. */
	fill_gdt(local);
	__asm__ volatile("lgdt %0" : : "m"(gdtr) : "memory");
	__asm__ volatile("pushq %0; leaq 1f(%%rip), %%rax; pushq %%rax; lretq; 1:"
			 :
			 : "r"(code)
			 : "rax", "memory");
	__asm__ volatile("movw %w0, %%ds; movw %w0, %%es; movw %w0, %%ss;"
			 "movw %w1, %%fs; movw %w1, %%gs"
			 :
			 : "r"(SELECTOR_DATA), "r"(0)
			 : "memory");
	__asm__ volatile("ltr %w0" : : "r"(SELECTOR_TSS) : "memory");
}

void arch_percpu_install(struct arch_percpu *area)
{
	area->backend[0] = (uintptr_t)locals[area->cpu];
	msr_write(MSR_GS_BASE, (uint64_t)area);
}

void cpu_local_init_boot(void)
{
	locals[0] = &boot_local;
	cpu_local_load(&boot_local);
	boot_area.head.self = &boot_area.head;
	arch_percpu_install(&boot_area.head);
}

/* The processor reads the table at each exception, so a loaded one may still get its stacks. */
static void create_stacks(struct cpu_local *local)
{
	for (unsigned i = IST_DOUBLE_FAULT; i < IST_END; i++)
		local->tss.ist[i] = kernel_space_create_stack(IST_STACK_SIZE);
}

unsigned cpu_local_create(const uint32_t *apic_ids, unsigned count)
{
	struct cpu_local *others;
	vm_size_t each = CPU_COST + sizeof(*others), left = early_memory_left();
	unsigned affordable =
	    left < MEMORY_RESERVE ? 0 : (unsigned)((left - MEMORY_RESERVE) / each);

	if (count > affordable + 1)
		count = affordable + 1;
	others = count > 1 ? arch_physmap(early_alloc((count - 1) * sizeof(*others))) : NULL;
	for (unsigned cpu = 0; cpu < count; cpu++) {
		if (cpu > 0)
			locals[cpu] = &others[cpu - 1];
		locals[cpu]->apic_id = apic_ids[cpu];
		create_stacks(locals[cpu]);
	}
	return count;
}
