/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch/x86_64/platform.h"

#include "arch/x86_64/features.h"
#include "arch/x86_64/regs.h"
#include "lib/panic.h"

/* Fixed ACPI Description Table (ACPI 6.5 section 5.2.9). */
enum {
	FADT_PM_TIMER = 76, /* port, 4 bytes */
	FADT_PM_TIMER_LENGTH = 91,
	FADT_FLAGS = 112,
	FADT_FLAGS_END = 116,
	FADT_HARDWARE_REDUCED = 1 << 20,
};

/* In xAPIC mode, 255 addresses everybody (Intel SDM vol. 3A 11.6.2.1). */
enum { XAPIC_ID_MAX = 254 };

struct platform platform;

static struct acpi_tables tables;

static uint16_t find_pm_timer(struct fw_report *report)
{
	const struct acpi_table *fadt = acpi_find(&tables, "FACP", report);
	uint32_t port;

	if (fadt == NULL || fadt->length < FADT_FLAGS_END ||
	    (fw_u32(fadt->data, FADT_FLAGS) & FADT_HARDWARE_REDUCED) ||
	    fw_u8(fadt->data, FADT_PM_TIMER_LENGTH) != 4)
		return 0;
	port = fw_u32(fadt->data, FADT_PM_TIMER);
	return port <= UINT16_MAX ? (uint16_t)port : 0;
}

static void read_tables(struct fw_report *report)
{
	const struct acpi_table *table = acpi_find(&tables, "APIC", report);

	if (table == NULL || !madt_parse(table->data, table->length, &platform.madt, report))
		kprintf("boot: no list of CPUs (ACPI MADT): using one\n");
	table = acpi_find(&tables, "SRAT", report);
	if (table != NULL)
		srat_parse(table->data, table->length, &platform.srat, report);
	platform.pm_timer_port = find_pm_timer(report);
}

/* Firmware that left a CPU in x2APIC mode, or a CPU that knows it, can name every id. */
static uint32_t highest_apic_id(void)
{
	bool x2apic = cpu_features.x2apic || (msr_read(MSR_APIC_BASE) >> 10 & 1);

	return x2apic ? UINT32_MAX - 1 : XAPIC_ID_MAX;
}

void platform_init(const struct fw_mem *mem, const struct acpi_hint *hint, struct fw_report *report)
{
	unsigned dropped;
	bool listed;

	madt_init(&platform.madt);
	srat_init(&platform.srat);
	if (acpi_load(mem, hint, &tables, report))
		read_tables(report);
	else
		kprintf("boot: no ACPI tables: using one CPU\n");
	listed = madt_place_boot_cpu(&platform.madt, cpu_apic_id());
	if (!listed && tables.count > 0)
		kprintf("boot: ACPI does not list the boot CPU, APIC id %u\n", cpu_apic_id());
	dropped = madt_limit_ids(&platform.madt, highest_apic_id());
	platform.others_unlisted =
	    !listed || dropped > 0 || platform.madt.disabled > 0 || platform.madt.capped > 0;
	if (dropped > 0)
		kprintf("boot: %u CPUs left out: their APIC ids need x2APIC\n", dropped);
}
