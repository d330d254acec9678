/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which memory and which CPU are near each other: the System Resource Affinity Table (ACPI 6.5
 * section 5.2.16). Pure.
 *
 * Firmware's proximity numbers may be sparse; those that have memory become domains 0, 1, ... in
 * ascending order, and those beyond MAXMEMDOM are folded into the last. A CPU of a proximity
 * without memory is put into domain 0.
 */
#ifndef QUIRE_ARCH_X86_64_FIRMWARE_SRAT_H
#define QUIRE_ARCH_X86_64_FIRMWARE_SRAT_H

#include "arch/x86_64/firmware/boot_raw.h"
#include "arch/x86_64/firmware/report.h"
#include "lib/types.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
	SRAT_RANGES_MAX = 128,
	SRAT_CPUS_MAX = MAXCPU,
};

struct srat_range {
	vm_paddr_t start;
	vm_paddr_t end;
	uint32_t proximity; /* firmware's number */
	uint32_t domain;    /* ours */
};

struct srat_cpu {
	uint32_t apic_id;
	uint32_t proximity;
	uint32_t domain;
};

struct srat {
	struct srat_range ranges[SRAT_RANGES_MAX]; /* disjoint where domains differ; not sorted */
	unsigned range_count;
	struct srat_cpu cpus[SRAT_CPUS_MAX];
	unsigned cpu_count;
	unsigned domain_count; /* >= 1 */
};

/* One domain with everything in it: what holds without a table. */
void srat_init(struct srat *srat);

/*
 * Reads a whole table, header included, whose length and checksum acpi_load() has verified.
 * *srat is initialised first. Ranges without usable memory in `ram` are left out, so that each
 * domain has some: tables name slots for memory that may be plugged in later. NULL: nothing is
 * known of RAM. False, with one domain, when the table says nothing or contradicts itself (ranges
 * of two domains overlap).
 */
bool srat_parse(const void *table, size_t len, const struct raw_map *ram, struct srat *srat,
		struct fw_report *report);

/* 0 for what the table does not mention. */
uint32_t srat_domain_of_cpu(const struct srat *srat, uint32_t apic_id);
uint32_t srat_domain_of_memory(const struct srat *srat, vm_paddr_t pa);

#ifdef __cplusplus
}
#endif

#endif
