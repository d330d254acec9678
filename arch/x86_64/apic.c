/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch/x86_64/apic.h"

#include "arch/cpu.h"
#include "arch/physmap.h"
#include "arch/x86_64/features.h"
#include "arch/x86_64/kernel_space.h"
#include "arch/x86_64/regs.h"
#include "arch/x86_64/traps.h"
#include "lib/panic.h"

/* Registers by their offset in memory (Intel SDM vol. 3A table 11-1). */
enum {
	APIC_VERSION = 0x030,
	APIC_TPR = 0x080,
	APIC_EOI = 0x0b0,
	APIC_SPURIOUS = 0x0f0,
	APIC_ISR = 0x100, /* 8 of them, 16 bytes apart */
	APIC_LVT_CMCI = 0x2f0,
	APIC_ICR = 0x300,
	APIC_ICR_HIGH = 0x310,
	APIC_LVT_TIMER = 0x320,
	APIC_LVT_THERMAL = 0x330,
	APIC_LVT_COUNTERS = 0x340,
	APIC_LVT_LINT0 = 0x350,
	APIC_LVT_LINT1 = 0x360,
	APIC_LVT_ERROR = 0x370,
	APIC_TIMER_START = 0x380,
	APIC_TIMER_LEFT = 0x390,
	APIC_TIMER_DIVIDE = 0x3e0,
};

enum {
	BASE_X2APIC = 1 << 10, /* IA32_APIC_BASE, Intel SDM vol. 3A 11.12.1 */
	BASE_ENABLE = 1 << 11,
	SPURIOUS_ENABLE = 1 << 8,
	LVT_MASKED = 1 << 16,
	LVT_NMI = 4 << 8,
	LVT_PERIODIC = 1 << 17,
	DIVIDE_BY_1 = 0xb,
	ICR_PENDING = 1 << 12,
};

/* Registers are MSRs in x2APIC mode: 800h + offset / 16 (Intel SDM vol. 3A 11.12.1.2). */
#define MSR_X2APIC(reg) (0x800 + ((reg) >> 4))

/* An accepted command leaves within microseconds; one that does not in this many reads is lost. */
enum { ICR_PATIENCE = 1000000 };

static bool x2apic;
static volatile uint32_t *registers; /* xAPIC */

static uint32_t apic_read(unsigned reg)
{
	return x2apic ? (uint32_t)msr_read(MSR_X2APIC(reg)) : registers[reg / 4];
}

static void apic_write(unsigned reg, uint32_t value)
{
	if (x2apic)
		msr_write(MSR_X2APIC(reg), value);
	else
		registers[reg / 4] = value;
}

bool apic_is_x2apic(void)
{
	return x2apic;
}

void apic_init(void)
{
	uint64_t base = msr_read(MSR_APIC_BASE);
	vm_paddr_t pa = base & PTE_ADDRESS;

	/* Firmware that enabled it may have CPUs that the other mode cannot name. */
	x2apic = cpu_features.x2apic || (base & BASE_X2APIC);
	if (x2apic)
		return;
	if (!kernel_space_map_device(pa, PAGE_SIZE, VM_MEMATTR_UNCACHEABLE))
		panic("apic: registers at %#lx lie in RAM", pa);
	registers = arch_physmap(pa);
}

/* From disabled to xAPIC to x2APIC: no shortcut is allowed (Intel SDM vol. 3A figure 11-27). */
static void choose_mode(void)
{
	uint64_t base = msr_read(MSR_APIC_BASE);

	if (!(base & BASE_ENABLE))
		msr_write(MSR_APIC_BASE, base |= BASE_ENABLE);
	if (x2apic && !(base & BASE_X2APIC))
		msr_write(MSR_APIC_BASE, base | BASE_X2APIC);
}

/* The 8259s are masked, so LINT0 has nothing to say; LINT1 is the NMI of the platform. */
static void mask_local_sources(void)
{
	unsigned last = apic_read(APIC_VERSION) >> 16 & 0xff; /* entries - 1 */

	apic_write(APIC_LVT_TIMER, LVT_MASKED);
	apic_write(APIC_LVT_LINT0, LVT_MASKED);
	apic_write(APIC_LVT_LINT1, LVT_NMI);
	apic_write(APIC_LVT_ERROR, LVT_MASKED);
	if (last >= 4)
		apic_write(APIC_LVT_COUNTERS, LVT_MASKED);
	if (last >= 5)
		apic_write(APIC_LVT_THERMAL, LVT_MASKED);
	if (last >= 6)
		apic_write(APIC_LVT_CMCI, LVT_MASKED);
}

/* What firmware left unfinished would hold back everything of lower priority. */
static void finish_old_interrupts(void)
{
	for (unsigned vector = 0; vector < VECTOR_COUNT; vector++)
		if (apic_in_service(vector))
			apic_eoi();
}

void apic_enable(void)
{
	choose_mode();
	apic_write(APIC_SPURIOUS, SPURIOUS_ENABLE | VECTOR_SPURIOUS);
	mask_local_sources();
	apic_write(APIC_TPR, 0);
	finish_old_interrupts();
}

void apic_eoi(void)
{
	apic_write(APIC_EOI, 0);
}

bool apic_in_service(unsigned vector)
{
	return (apic_read(APIC_ISR + vector / 32 * 0x10) >> (vector % 32)) & 1;
}

/*
 * Writing the register is one MSR write, which serialises nothing in x2APIC mode: it does not even
 * wait for earlier stores, as a store to device memory does. MFENCE makes them visible first, and
 * LFENCE keeps the write behind it (Intel SDM vol. 3A 11.12.3). Without both, a CPU may take the
 * interrupt and find no request.
 */
static void command_x2apic(uint32_t apic_id, uint32_t command)
{
	__asm__ volatile("mfence; lfence" : : : "memory");
	msr_write(MSR_X2APIC(APIC_ICR), (uint64_t)apic_id << 32 | command);
}

/*
 * Two writes, of which the lower one sends (Intel SDM vol. 3A 11.6.1); an interrupt handler must
 * not send its own between them. Stores to uncacheable memory come after all earlier stores.
 */
static void command_xapic(uint32_t apic_id, uint32_t command)
{
	bool were_enabled = arch_irq_save();

	for (unsigned i = 0; (registers[APIC_ICR / 4] & ICR_PENDING) && i < ICR_PATIENCE; i++)
		arch_cpu_relax();
	registers[APIC_ICR_HIGH / 4] = apic_id << 24;
	__asm__ volatile("" : : : "memory");
	registers[APIC_ICR / 4] = command;
	arch_irq_restore(were_enabled);
}

void apic_command(uint32_t apic_id, uint32_t command)
{
	if (x2apic)
		command_x2apic(apic_id, command);
	else
		command_xapic(apic_id, command);
}

void apic_timer_start_once(uint32_t start)
{
	apic_write(APIC_TIMER_DIVIDE, DIVIDE_BY_1);
	apic_write(APIC_LVT_TIMER, LVT_MASKED);
	apic_write(APIC_TIMER_START, start);
}

void apic_timer_start_periodic(uint32_t start, unsigned vector)
{
	apic_write(APIC_TIMER_DIVIDE, DIVIDE_BY_1);
	apic_write(APIC_LVT_TIMER, LVT_PERIODIC | vector);
	apic_write(APIC_TIMER_START, start);
}

uint32_t apic_timer_left(void)
{
	return apic_read(APIC_TIMER_LEFT);
}
