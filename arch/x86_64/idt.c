/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch/x86_64/cpu_local.h"
#include "arch/x86_64/regs.h"
#include "arch/x86_64/traps.h"

/* Intel SDM vol. 3A figure 6-8. */
struct gate {
	uint16_t offset_low;
	uint16_t selector;
	uint8_t ist;
	uint8_t type;
	uint16_t offset_middle;
	uint32_t offset_high;
	uint32_t reserved;
};

enum {
	GATE_INTERRUPT = 0x8e, /* present, ring 0, interrupts disabled on entry */
	STUB_BYTES = 16,
};

extern const char trap_stubs[];

static struct gate idt[VECTOR_COUNT];

void idt_init(void)
{
	for (unsigned i = 0; i < VECTOR_COUNT; i++) {
		uint64_t stub = (uint64_t)trap_stubs + (uint64_t)i * STUB_BYTES;

		idt[i] = (struct gate){
		    .offset_low = (uint16_t)stub,
		    .selector = SELECTOR_CODE,
		    .type = GATE_INTERRUPT,
		    .offset_middle = (uint16_t)(stub >> 16),
		    .offset_high = (uint32_t)(stub >> 32),
		};
	}
}

void idt_load(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) idtr = {sizeof(idt) - 1, (uint64_t)idt};

	__asm__ volatile("lidt %0" : : "m"(idtr) : "memory");
}

void idt_use_exception_stacks(void)
{
	idt[TRAP_DOUBLE_FAULT].ist = IST_DOUBLE_FAULT;
	idt[TRAP_NMI].ist = IST_NMI;
	idt[TRAP_MACHINE_CHECK].ist = IST_MACHINE_CHECK;
}
