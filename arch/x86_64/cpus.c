/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch/cpus.h"

#include "arch/bootinfo.h"
#include "arch/clock.h"
#include "arch/physmap.h"
#include "arch/x86_64/apic.h"
#include "arch/x86_64/boot_layout.h"
#include "arch/x86_64/cpu_local.h"
#include "arch/x86_64/cpus.h"
#include "arch/x86_64/features.h"
#include "arch/x86_64/machine_check.h"
#include "arch/x86_64/paging.h"
#include "arch/x86_64/platform.h"
#include "arch/x86_64/ready.h"
#include "arch/x86_64/traps.h"
#include "lib/check.h"
#include "lib/string.h"

_Static_assert(offsetof(struct arch_cpu_boot, claim) == CPU_BOOT_CLAIM &&
		   offsetof(struct arch_cpu_boot, stack_base) == CPU_BOOT_STACK_BASE &&
		   offsetof(struct arch_cpu_boot, stack_size) == CPU_BOOT_STACK_SIZE &&
		   sizeof(struct arch_cpu_boot) == CPU_BOOT_BYTES &&
		   ARCH_CPU_UNCLAIMED == CPU_BOOT_UNCLAIMED && ARCH_CPU_CLAIMED == CPU_BOOT_CLAIMED,
	       "trampoline.S and struct arch_cpu_boot disagree");

/* Intel SDM vol. 3A 9.4.4.1: after INIT, and between the two start-up interrupts. */
enum { INIT_WAIT_NS = 10 * 1000 * 1000, STARTUP_WAIT_NS = 200 * 1000 };

/* In trampoline.S: the code, and the words in it that depend on where it is. */
extern char trampoline[], trampoline_end[], trampoline_gdt[], trampoline_gdt_register[];
extern char trampoline_jump32[], trampoline_code32[], trampoline_jump64[], trampoline_code64[];
extern char trampoline_root[];

/* What trampoline.S reads, all constant while CPUs start. */
extern uint32_t cpu_apic_ids[MAXCPU];
extern uint32_t cpu_start_count;
extern struct arch_cpu_boot *cpu_start_boots;
QUIRE_NORETURN void cpu_start_main(unsigned cpu);

uint32_t cpu_apic_ids[MAXCPU];
uint32_t cpu_start_count;
struct arch_cpu_boot *cpu_start_boots;

static unsigned cpu_count;
static vm_paddr_t start_page;
static void (*start_entry)(void);

unsigned arch_cpu_count(void)
{
	return cpu_count;
}

uint32_t arch_cpu_hwid(unsigned cpu)
{
	return cpu_apic_ids[cpu];
}

unsigned arch_cpu_domain(unsigned cpu)
{
	unsigned domain = srat_domain_of_cpu(&platform.srat, cpu_apic_ids[cpu]);

	return domain < arch_boot_info()->domain_count ? domain : 0;
}

static void patch(const char *where, vm_paddr_t value)
{
	uint32_t word = (uint32_t)value;

	memcpy((char *)arch_physmap(start_page) + (where - trampoline), &word, sizeof(word));
}

static vm_paddr_t copied(const char *symbol)
{
	return start_page + (vm_paddr_t)(symbol - trampoline);
}

static void install_trampoline(void)
{
	size_t size = (size_t)(trampoline_end - trampoline);

	CHECK(size <= PAGE_SIZE);
	memcpy(arch_physmap(start_page), trampoline, size);
	patch(trampoline_gdt_register + 2, copied(trampoline_gdt));
	patch(trampoline_jump32, copied(trampoline_code32));
	patch(trampoline_jump64, copied(trampoline_code64));
	patch(trampoline_root, paging_create_start_root(start_page));
}

void cpus_init(vm_paddr_t low_page)
{
	unsigned listed = platform.madt.count;

	start_page = low_page;
	memcpy(cpu_apic_ids, platform.madt.apic_ids, sizeof(cpu_apic_ids));
	cpu_count = listed;
	if (listed > 1 && low_page == 0) {
		kprintf("boot: no page below 1 MiB for CPUs to start in: using one of %u\n",
			listed);
		cpu_count = 1;
	}
	if (cpu_count > 1)
		install_trampoline();
	listed = cpu_count;
	cpu_count = cpu_local_create(cpu_apic_ids, listed);
	if (cpu_count < listed)
		kprintf("boot: memory for %u of %u CPUs\n", cpu_count, listed);
	idt_use_exception_stacks();
	ready_add(0);
}

/*
 * One command to all is quickest, but would also wake CPUs that the firmware lists as disabled or
 * that are not wanted.
 */
static void command_others(unsigned count, uint32_t command)
{
	if (!platform.others_unlisted && count == platform.madt.count) {
		apic_command(0, command | ICR_ALL_BUT_SELF);
		return;
	}
	for (unsigned cpu = 1; cpu < count; cpu++)
		apic_command(cpu_apic_ids[cpu], command);
}

/* INIT, start-up, start-up: Intel SDM vol. 3A 9.4.4.1. A CPU that runs ignores the second one. */
void arch_cpus_start(struct arch_cpu_boot *boots, unsigned count, void (*entry)(void))
{
	uint32_t startup = ICR_STARTUP | ICR_ASSERT | (uint32_t)(start_page >> PAGE_SHIFT);

	CHECK_LE(count, cpu_count);
	if (count <= 1)
		return;
	start_entry = entry;
	cpu_start_boots = boots;
	cpu_start_count = count;
	command_others(count, ICR_INIT | ICR_ASSERT);
	arch_clock_delay_ns(INIT_WAIT_NS);
	command_others(count, startup);
	arch_clock_delay_ns(STARTUP_WAIT_NS);
	command_others(count, startup);
}

/* Called by trampoline.S on the CPU's own stack, with the kernel's tables. */
void cpu_start_main(unsigned cpu)
{
	cpu_local_load(cpu_local_of(cpu));
	arch_percpu_install(cpu_start_boots[cpu].percpu);
	idt_load();
	features_enable();
	machine_check_enable();
	apic_enable();
	ready_add(cpu);
	arch_tlb_flush();
	start_entry();
	arch_cpu_halt();
}
