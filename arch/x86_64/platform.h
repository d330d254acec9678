/* SPDX-License-Identifier: BSD-2-Clause */
/* What ACPI says of the machine. Read while the boot code's tables reach the first 4 GiB. */
#ifndef QUIRE_ARCH_X86_64_PLATFORM_H
#define QUIRE_ARCH_X86_64_PLATFORM_H

#include "arch/x86_64/firmware/acpi.h"
#include "arch/x86_64/firmware/madt.h"
#include "arch/x86_64/firmware/srat.h"

struct platform {
	struct madt_cpus madt; /* the boot CPU at index 0 */
	struct srat srat;
	bool others_unlisted;   /* there are, or may be, CPUs besides those in `madt` */
	uint16_t pm_timer_port; /* 0: there is none */
};

extern struct platform platform; /* constant after platform_init() */

/* Without tables: one CPU, one domain, no timer. */
void platform_init(const struct fw_mem *mem, const struct acpi_hint *hint,
		   struct fw_report *report);

#endif
