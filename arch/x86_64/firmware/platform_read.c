/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch/x86_64/firmware/platform_read.h"

/* Fixed ACPI Description Table (ACPI 6.5 section 5.2.9). */
enum {
	FADT_PM_TIMER = 76, /* port, 4 bytes */
	FADT_PM_TIMER_LENGTH = 91,
	FADT_FLAGS = 112,
	FADT_FLAGS_END = 116,
	FADT_HARDWARE_REDUCED = 1 << 20,
};

static uint16_t find_pm_timer(const struct acpi_tables *tables, struct fw_report *report)
{
	const struct acpi_table *fadt = acpi_find(tables, "FACP", report);
	uint32_t port;

	if (fadt == NULL || fadt->length < FADT_FLAGS_END ||
	    (fw_u32(fadt->data, FADT_FLAGS) & FADT_HARDWARE_REDUCED) ||
	    fw_u8(fadt->data, FADT_PM_TIMER_LENGTH) != 4)
		return 0;
	port = fw_u32(fadt->data, FADT_PM_TIMER);
	return port <= UINT16_MAX ? (uint16_t)port : 0;
}

static void read_domains(const struct acpi_tables *tables, const struct raw_map *ram,
			 struct platform *out, struct fw_report *report)
{
	const struct acpi_table *table = acpi_find(tables, "SRAT", report);

	if (table != NULL)
		srat_parse(table->data, table->length, ram, &out->srat, report);
	table = acpi_find(tables, "SLIT", report);
	if (table != NULL)
		slit_parse(table->data, table->length, &out->srat, &out->slit, report);
}

static void read_tables(const struct acpi_tables *tables, const struct raw_map *ram,
			struct platform *out, struct fw_report *report)
{
	const struct acpi_table *table = acpi_find(tables, "APIC", report);

	if (table == NULL || !madt_parse(table->data, table->length, &out->madt, report))
		fw_report_always(report, "no list of CPUs (ACPI MADT): using one");
	read_domains(tables, ram, out, report);
	out->pm_timer_port = find_pm_timer(tables, report);
}

/* The boot CPU trusts its own id, not the table. */
static void settle_cpus(struct platform *out, bool have_tables, struct platform_cpu cpu,
			struct fw_report *report)
{
	bool listed = madt_place_boot_cpu(&out->madt, cpu.apic_id);
	unsigned dropped = madt_limit_ids(&out->madt, cpu.apic_id_max);

	if (!listed && have_tables)
		fw_report_always(report, "ACPI does not list the boot CPU, APIC id %u",
				 cpu.apic_id);
	if (dropped > 0)
		fw_report_always(report, "%u CPUs left out: their APIC ids need x2APIC", dropped);
	out->others_unlisted =
	    !listed || dropped > 0 || out->madt.disabled > 0 || out->madt.capped > 0;
}

void platform_read(const struct fw_mem *mem, const struct acpi_hint *hint,
		   const struct raw_map *ram, struct platform_cpu cpu, struct acpi_tables *tables,
		   struct platform *out, struct fw_report *report)
{
	bool have_tables;

	madt_init(&out->madt);
	srat_init(&out->srat);
	slit_init(&out->slit);
	out->pm_timer_port = 0;
	have_tables = acpi_load(mem, hint, tables, report);
	if (have_tables)
		read_tables(tables, ram, out, report);
	else
		fw_report_always(report, "no ACPI tables: using one CPU");
	settle_cpus(out, have_tables, cpu, report);
}
