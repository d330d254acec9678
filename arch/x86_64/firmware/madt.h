/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The CPUs and interrupt controllers of the machine: the Multiple APIC Description Table
 * (ACPI 6.5 section 5.2.12). Pure.
 */
#ifndef QUIRE_ARCH_X86_64_FIRMWARE_MADT_H
#define QUIRE_ARCH_X86_64_FIRMWARE_MADT_H

#include "arch/x86_64/firmware/report.h"
#include "lib/types.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
	MADT_IOAPICS_MAX = 16,
	MADT_OVERRIDES_MAX = 32,
};

/* Where the local APIC is unless the table says otherwise (Intel SDM vol. 3A 11.4.1). */
#define MADT_LAPIC_BASE ((uint64_t)0xfee00000)

struct madt_ioapic {
	uint8_t id;
	uint32_t base;     /* physical */
	uint32_t gsi_base; /* its first global system interrupt */
};

/* An ISA interrupt that arrives somewhere else than at the input of its own number. */
struct madt_override {
	uint8_t irq;
	uint32_t gsi;
	uint16_t flags; /* MPS INTI flags, ACPI 6.5 table 5.26 */
};

struct madt_cpus {
	uint32_t apic_ids[MAXCPU]; /* of the CPUs to start, no id twice */
	uint8_t forms[MAXCPU];     /* (internal) in which entry forms the CPU was seen */
	unsigned count;
	unsigned disabled; /* entries of CPUs not to be started: disabled or only online-capable */
	unsigned dropped;  /* entries that repeat an id */
	unsigned capped;   /* CPUs beyond MAXCPU */
	uint64_t lapic_base;
	bool has_8259; /* PCAT_COMPAT: a pair of 8259s to be masked */
	struct madt_ioapic ioapics[MADT_IOAPICS_MAX];
	unsigned ioapic_count;
	struct madt_override overrides[MADT_OVERRIDES_MAX];
	unsigned override_count;
};

/* No CPU yet, the local APIC where it usually is: what holds without a table. */
void madt_init(struct madt_cpus *cpus);

/*
 * Reads a whole table, header included, whose length and checksum acpi_load() has verified.
 * *cpus is initialised first. False when the table is too short to say anything. Entries from the
 * first one that makes no sense on are not read; what came before is kept.
 */
bool madt_parse(const void *table, size_t len, struct madt_cpus *cpus, struct fw_report *report);

/*
 * Puts the CPU that is running, by its own id, at index 0, keeping the order of the others. If it
 * is not listed it is inserted (the last one gives way, counted as capped, when the list is full)
 * and the result is false. Afterwards count is at least 1.
 */
bool madt_place_boot_cpu(struct madt_cpus *cpus, uint32_t boot_apic_id);

/*
 * Drops the CPUs with ids above `max_id`, which cannot be addressed: 254 in xAPIC mode, where 255
 * is the broadcast (Intel SDM vol. 3A 11.6.2.1). The CPU at index 0 stays, for it is running. Call
 * it after madt_place_boot_cpu(). Returns how many.
 */
unsigned madt_limit_ids(struct madt_cpus *cpus, uint32_t max_id);

#ifdef __cplusplus
}
#endif

#endif
