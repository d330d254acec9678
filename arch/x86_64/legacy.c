/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch/x86_64/legacy.h"

#include "arch/physmap.h"
#include "arch/x86_64/devices/io.h"
#include "arch/x86_64/kernel_space.h"
#include "arch/x86_64/traps.h"
#include "lib/panic.h"

enum { PIC1 = 0x20, PIC2 = 0xa0, PIC_DATA = 1 };

/* Initialisation command words 1 to 4 (Intel 8259A data sheet), then the mask. */
static void mask_one(uint16_t port, uint8_t vector, uint8_t cascade)
{
	io_out8(port, 0x11);
	io_out8(port + PIC_DATA, vector);
	io_out8(port + PIC_DATA, cascade);
	io_out8(port + PIC_DATA, 0x01);
	io_out8(port + PIC_DATA, 0xff);
}

void legacy_mask_8259(void)
{
	mask_one(PIC1, VECTOR_8259, 1 << 2);
	mask_one(PIC2, VECTOR_8259 + 8, 2);
}

/* Two windows: a register is selected in one and appears in the other (82093AA data sheet 3.1). */
enum {
	IOAPIC_SELECT = 0x00 / 4,
	IOAPIC_WINDOW = 0x10 / 4,
	IOAPIC_VERSION = 0x01,
	IOAPIC_ENTRIES = 0x10, /* 2 registers each */
	IOAPIC_MASKED = 1 << 16,
};

static void mask_ioapic(volatile uint32_t *ioapic)
{
	uint32_t last;

	ioapic[IOAPIC_SELECT] = IOAPIC_VERSION;
	last = ioapic[IOAPIC_WINDOW] >> 16 & 0xff;
	for (uint32_t i = 0; i <= last; i++) {
		ioapic[IOAPIC_SELECT] = IOAPIC_ENTRIES + 2 * i;
		ioapic[IOAPIC_WINDOW] = IOAPIC_MASKED;
	}
}

void legacy_mask_ioapics(const struct madt_cpus *madt)
{
	for (unsigned i = 0; i < madt->ioapic_count; i++) {
		vm_paddr_t pa = madt->ioapics[i].base;

		if (kernel_space_map_device(trunc_page(pa), PAGE_SIZE, VM_MEMATTR_UNCACHEABLE))
			mask_ioapic(arch_physmap(pa));
		else
			kprintf(
			    "boot: I/O APIC at %#lx not masked: the address is not a device's\n",
			    pa);
	}
}
