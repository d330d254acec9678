/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch/x86_64/firmware/madt.h"

#include "arch/x86_64/firmware/acpi_entry.h"
#include "arch/x86_64/firmware/bytes.h"
#include "lib/string.h"

/* Entry types: ACPI 6.5 table 5.21. */
enum {
	ENTRY_LAPIC = 0,
	ENTRY_IOAPIC = 1,
	ENTRY_OVERRIDE = 2,
	ENTRY_LAPIC_BASE = 5,
	ENTRY_X2APIC = 9,
};

enum {
	MADT_HEADER = 44,
	MADT_FLAG_PCAT = 1 << 0,
	CPU_ENABLED = 1 << 0, /* ACPI 6.5 table 5.23 */
	FORM_LAPIC = 1 << 0,
	FORM_X2APIC = 1 << 1,
};

/* In a local APIC entry 0xff is a placeholder, and the broadcast id of either mode is no CPU. */
#define XAPIC_NO_ID  0xffu
#define X2APIC_NO_ID 0xffffffffu

struct parser {
	struct madt_cpus *cpus;
	struct fw_report *report;
	struct acpi_entry_iter iter;
	uint32_t first_dropped;
	unsigned placeholders; /* CPU entries with no id */
	unsigned lost;         /* controllers and overrides beyond the tables' room */
};

void madt_init(struct madt_cpus *cpus)
{
	memset(cpus, 0, sizeof(*cpus));
	cpus->lapic_base = MADT_LAPIC_BASE;
}

static unsigned find_cpu(const struct madt_cpus *cpus, uint32_t apic_id)
{
	unsigned i = 0;

	while (i < cpus->count && cpus->apic_ids[i] != apic_id)
		i++;
	return i;
}

static void add_cpu(struct parser *parser, uint32_t apic_id, uint8_t form)
{
	struct madt_cpus *cpus = parser->cpus;
	unsigned i = find_cpu(cpus, apic_id);

	if (i < cpus->count) {
		/* The same CPU once in each form is one CPU; twice in one form is a mistake. */
		if ((cpus->forms[i] & form) != 0 && cpus->dropped++ == 0)
			parser->first_dropped = apic_id;
		cpus->forms[i] |= form;
	} else if (i < MAXCPU) {
		cpus->apic_ids[i] = apic_id;
		cpus->forms[i] = form;
		cpus->count++;
	} else {
		cpus->capped++;
	}
}

static void take_cpu(struct parser *parser, uint32_t apic_id, uint32_t no_id, uint32_t flags,
		     uint8_t form)
{
	if (apic_id == no_id)
		parser->placeholders++;
	else if ((flags & CPU_ENABLED) == 0)
		parser->cpus->disabled++;
	else
		add_cpu(parser, apic_id, form);
}

static void take_lapic_base(struct parser *parser, uint64_t base)
{
	if (base != 0 && (base & PAGE_MASK) == 0)
		parser->cpus->lapic_base = base;
	else
		fw_report_add(parser->report, "madt: local APIC at %#llx: using %#llx",
			      (unsigned long long)base,
			      (unsigned long long)parser->cpus->lapic_base);
}

static void take_ioapic(struct parser *parser, const uint8_t *data)
{
	struct madt_cpus *cpus = parser->cpus;
	struct madt_ioapic *ioapic = &cpus->ioapics[cpus->ioapic_count];

	if (cpus->ioapic_count == MADT_IOAPICS_MAX) {
		parser->lost++;
		return;
	}
	ioapic->id = fw_u8(data, 2);
	ioapic->base = fw_u32(data, 4);
	ioapic->gsi_base = fw_u32(data, 8);
	cpus->ioapic_count++;
}

static void take_override(struct parser *parser, const uint8_t *data)
{
	struct madt_cpus *cpus = parser->cpus;
	struct madt_override *override = &cpus->overrides[cpus->override_count];

	if (cpus->override_count == MADT_OVERRIDES_MAX) {
		parser->lost++;
		return;
	}
	override->irq = fw_u8(data, 3);
	override->gsi = fw_u32(data, 4);
	override->flags = fw_u16(data, 8);
	cpus->override_count++;
}

static void take_entry(struct parser *parser, const struct acpi_entry *entry)
{
	struct acpi_entry_iter *iter = &parser->iter;
	const uint8_t *data = entry->data;

	switch (entry->type) {
	case ENTRY_LAPIC:
		if (acpi_entry_has(iter, entry, 8))
			take_cpu(parser, fw_u8(data, 3), XAPIC_NO_ID, fw_u32(data, 4), FORM_LAPIC);
		break;
	case ENTRY_X2APIC:
		if (acpi_entry_has(iter, entry, 16))
			take_cpu(parser, fw_u32(data, 4), X2APIC_NO_ID, fw_u32(data, 8),
				 FORM_X2APIC);
		break;
	case ENTRY_IOAPIC:
		if (acpi_entry_has(iter, entry, 12))
			take_ioapic(parser, data);
		break;
	case ENTRY_OVERRIDE:
		if (acpi_entry_has(iter, entry, 10))
			take_override(parser, data);
		break;
	case ENTRY_LAPIC_BASE:
		if (acpi_entry_has(iter, entry, 12))
			take_lapic_base(parser, fw_u64(data, 4));
		break;
	default:
		break;
	}
}

/* What may happen hundreds of times gets one line. */
static void report_counts(const struct parser *parser)
{
	const struct madt_cpus *cpus = parser->cpus;

	acpi_entry_finish(&parser->iter, parser->report);
	if (cpus->dropped != 0)
		fw_report_add(parser->report, "madt: %u entries repeat an id (first %u): dropped",
			      cpus->dropped, parser->first_dropped);
	if (cpus->capped != 0)
		fw_report_add(parser->report, "madt: %u CPUs beyond the supported %u are left out",
			      cpus->capped, MAXCPU);
	if (parser->lost != 0)
		fw_report_add(parser->report, "madt: %u I/O APICs or overrides too many: ignored",
			      parser->lost);
	if (cpus->count == 0)
		fw_report_add(parser->report,
			      "madt: not one CPU that can be started (%u with no id)",
			      parser->placeholders);
}

bool madt_parse(const void *table, size_t len, struct madt_cpus *cpus, struct fw_report *report)
{
	struct parser parser = {.cpus = cpus, .report = report};
	struct acpi_entry entry;

	madt_init(cpus);
	if (len < MADT_HEADER) {
		fw_report_add(report, "madt: %zu bytes are too few", len);
		return false;
	}
	take_lapic_base(&parser, fw_u32(table, 36));
	cpus->has_8259 = (fw_u32(table, 40) & MADT_FLAG_PCAT) != 0;
	acpi_entry_begin(&parser.iter, table, len, MADT_HEADER, "madt");
	while (acpi_entry_next(&parser.iter, &entry, report))
		take_entry(&parser, &entry);
	report_counts(&parser);
	return true;
}

/* Moves [0, n) up by one and puts a CPU at 0. */
static void put_first(struct madt_cpus *cpus, unsigned n, uint32_t apic_id, uint8_t form)
{
	memmove(&cpus->apic_ids[1], &cpus->apic_ids[0], n * sizeof(cpus->apic_ids[0]));
	memmove(&cpus->forms[1], &cpus->forms[0], n * sizeof(cpus->forms[0]));
	cpus->apic_ids[0] = apic_id;
	cpus->forms[0] = form;
}

bool madt_place_boot_cpu(struct madt_cpus *cpus, uint32_t boot_apic_id)
{
	unsigned i = find_cpu(cpus, boot_apic_id);

	if (i < cpus->count) {
		put_first(cpus, i, boot_apic_id, cpus->forms[i]);
		return true;
	}
	if (cpus->count == MAXCPU) {
		cpus->count--;
		cpus->capped++;
	}
	put_first(cpus, cpus->count, boot_apic_id, 0);
	cpus->count++;
	return false;
}

unsigned madt_limit_ids(struct madt_cpus *cpus, uint32_t max_id)
{
	unsigned before = cpus->count;
	unsigned kept = 0;

	for (unsigned i = 0; i < before; i++) {
		if (i > 0 && cpus->apic_ids[i] > max_id)
			continue;
		cpus->apic_ids[kept] = cpus->apic_ids[i];
		cpus->forms[kept] = cpus->forms[i];
		kept++;
	}
	cpus->count = kept;
	return before - kept;
}
