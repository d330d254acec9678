/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What ACPI says of the machine, all in one: CPUs, memory domains, distances, the clock. Pure.
 */
#ifndef QUIRE_ARCH_X86_64_FIRMWARE_PLATFORM_READ_H
#define QUIRE_ARCH_X86_64_FIRMWARE_PLATFORM_READ_H

#include "arch/x86_64/firmware/acpi.h"
#include "arch/x86_64/firmware/madt.h"
#include "arch/x86_64/firmware/slit.h"
#include "arch/x86_64/firmware/srat.h"

#ifdef __cplusplus
extern "C" {
#endif

/* In xAPIC mode, 255 addresses everybody (Intel SDM vol. 3A 11.6.2.1); so in x2APIC mode does the
 * largest number. */
#define XAPIC_ID_MAX  254u
#define X2APIC_ID_MAX (UINT32_MAX - 1)

struct platform {
	struct madt_cpus madt; /* the boot CPU at index 0 */
	struct srat srat;
	struct slit slit;
	bool others_unlisted;   /* there are, or may be, CPUs besides those in `madt` */
	uint16_t pm_timer_port; /* 0: there is none */
};

/* What the CPU that runs knows of itself. */
struct platform_cpu {
	uint32_t apic_id;
	uint32_t apic_id_max; /* XAPIC_ID_MAX or X2APIC_ID_MAX */
};

/*
 * Fills `out`; without tables with one CPU, one domain, no timer. `ram` is the memory map, by which
 * domains are kept that have memory; NULL keeps all. `tables` is room to work in, and
 * stays valid for as long as the memory that was read.
 */
void platform_read(const struct fw_mem *mem, const struct acpi_hint *hint,
		   const struct raw_map *ram, struct platform_cpu cpu, struct acpi_tables *tables,
		   struct platform *out, struct fw_report *report);

#ifdef __cplusplus
}
#endif

#endif
