/* SPDX-License-Identifier: BSD-2-Clause */
/* What ACPI says of the machine. Read while the boot code's tables reach the first 4 GiB. */
#ifndef QUIRE_ARCH_X86_64_PLATFORM_H
#define QUIRE_ARCH_X86_64_PLATFORM_H

#include "arch/x86_64/firmware/platform_read.h"

extern struct platform platform; /* constant after platform_init() */

/* Without tables: one CPU, one domain, no timer. `ram` says which domains have memory. */
void platform_init(const struct fw_mem *mem, const struct acpi_hint *hint,
		   const struct raw_map *ram, struct fw_report *report);

/* firmware_name.c: what arch_firmware_description says from now on. */
void platform_name_firmware(const struct acpi_tables *tables);

#endif
