/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch/x86_64/platform.h"

#include "arch/x86_64/features.h"
#include "arch/x86_64/regs.h"
#include "lib/format.h"
#include "lib/panic.h"

struct platform platform;

static struct acpi_tables tables;

/* Firmware that left a CPU in x2APIC mode, or a CPU that knows it, can name every id. */
static uint32_t highest_apic_id(void)
{
	bool x2apic = cpu_features.x2apic || (msr_read(MSR_APIC_BASE) >> 10 & 1);

	return x2apic ? X2APIC_ID_MAX : XAPIC_ID_MAX;
}

static void show_distances(unsigned from)
{
	char line[8 * MAXMEMDOM] = "";
	size_t used = 0;

	for (unsigned to = 0; to < platform.srat.domain_count; to++)
		used += format(line + used, sizeof(line) - used, " %u",
			       platform.slit.distance[from][to]);
	kprintf("boot: distances from domain %u:%s\n", from, line);
}

void platform_init(const struct fw_mem *mem, const struct acpi_hint *hint,
		   const struct raw_map *ram, struct fw_report *report)
{
	struct platform_cpu cpu = {.apic_id = cpu_apic_id(), .apic_id_max = highest_apic_id()};

	platform_read(mem, hint, ram, cpu, &tables, &platform, report);
	platform_name_firmware(&tables);
	for (unsigned i = 0; platform.srat.domain_count > 1 && i < platform.srat.domain_count; i++)
		show_distances(i);
}
