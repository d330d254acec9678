/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch/x86_64/firmware/srat.h"

#include "arch/x86_64/firmware/acpi_entry.h"
#include "arch/x86_64/firmware/bytes.h"
#include "lib/string.h"

/* Entry types and flags: ACPI 6.5 sections 5.2.16.1 to 5.2.16.3. */
enum {
	ENTRY_CPU = 0,
	ENTRY_MEMORY = 1,
	ENTRY_X2APIC = 2,
	FLAG_ENABLED = 1 << 0,
	SRAT_HEADER = 48,
	HEADER_REVISION = 8,
};

struct parser {
	struct srat *srat;
	const struct raw_map *ram; /* NULL: unknown */
	struct fw_report *report;
	struct acpi_entry_iter iter;
	uint32_t proximity_mask;
	unsigned bad_ranges; /* wrapping */
	unsigned lost;       /* entries beyond the tables' room */
};

void srat_init(struct srat *srat)
{
	memset(srat, 0, sizeof(*srat));
	srat->domain_count = 1;
}

/* Usable memory that nothing else claims is not asked for here: that is the memory map's affair. */
static bool has_ram(const struct raw_map *ram, const struct srat_range *range)
{
	if (ram == NULL)
		return true;
	for (unsigned i = 0; i < ram->count; i++) {
		vm_paddr_t end;

		if (ram->ranges[i].type == RAW_USABLE && raw_range_end(&ram->ranges[i], &end) &&
		    ram->ranges[i].start < range->end && end > range->start)
			return true;
	}
	return false;
}

static void take_memory(struct parser *parser, const uint8_t *data)
{
	struct srat *srat = parser->srat;
	struct srat_range range = {.start = fw_u64(data, 8)};
	uint64_t length = fw_u64(data, 16);

	if (length == 0)
		return;
	if (__builtin_add_overflow(range.start, length, &range.end)) {
		parser->bad_ranges++;
	} else if (!has_ram(parser->ram, &range)) {
		return;
	} else if (srat->range_count == SRAT_RANGES_MAX) {
		parser->lost++;
	} else {
		range.proximity = fw_u32(data, 2) & parser->proximity_mask;
		srat->ranges[srat->range_count++] = range;
	}
}

static void take_cpu(struct parser *parser, uint32_t apic_id, uint32_t proximity)
{
	struct srat *srat = parser->srat;

	if (srat->cpu_count == SRAT_CPUS_MAX) {
		parser->lost++;
		return;
	}
	srat->cpus[srat->cpu_count].apic_id = apic_id;
	srat->cpus[srat->cpu_count].proximity = proximity & parser->proximity_mask;
	srat->cpu_count++;
}

/* The number of a local APIC entry lies in two places: bits 0-7, then bits 8-31. */
static uint32_t split_proximity(const uint8_t *data)
{
	return fw_u8(data, 2) | (fw_u32(data, 8) & 0xffffff00);
}

static bool is_enabled(struct parser *parser, const struct acpi_entry *entry, unsigned bytes,
		       size_t flags)
{
	return acpi_entry_has(&parser->iter, entry, bytes) &&
	       (fw_u32(entry->data, flags) & FLAG_ENABLED) != 0;
}

static void take_entry(struct parser *parser, const struct acpi_entry *entry)
{
	const uint8_t *data = entry->data;

	switch (entry->type) {
	case ENTRY_CPU:
		if (is_enabled(parser, entry, 16, 4))
			take_cpu(parser, fw_u8(data, 3), split_proximity(data));
		break;
	case ENTRY_MEMORY:
		if (is_enabled(parser, entry, 40, 28))
			take_memory(parser, data);
		break;
	case ENTRY_X2APIC:
		if (is_enabled(parser, entry, 24, 12))
			take_cpu(parser, fw_u32(data, 8), fw_u32(data, 4));
		break;
	default:
		break;
	}
}

/* Two ranges that say different things about the same byte, or NULL. */
static const struct srat_range *find_contradiction(const struct srat *srat)
{
	for (unsigned i = 0; i < srat->range_count; i++) {
		const struct srat_range *a = &srat->ranges[i];

		for (unsigned j = i + 1; j < srat->range_count; j++) {
			const struct srat_range *b = &srat->ranges[j];

			if (a->start < b->end && b->start < a->end && a->proximity != b->proximity)
				return b;
		}
	}
	return NULL;
}

/* No proximity, which has 32 bits. */
#define NO_PROXIMITY UINT64_MAX

/* The smallest proximity not below `from` that has memory. */
static uint64_t next_proximity(const struct srat *srat, uint64_t from)
{
	uint64_t best = NO_PROXIMITY;

	for (unsigned i = 0; i < srat->range_count; i++) {
		uint32_t proximity = srat->ranges[i].proximity;

		if (proximity >= from && proximity < best)
			best = proximity;
	}
	return best;
}

static void set_domain(struct srat *srat, uint32_t proximity, uint32_t domain)
{
	for (unsigned i = 0; i < srat->range_count; i++)
		if (srat->ranges[i].proximity == proximity)
			srat->ranges[i].domain = domain;
	for (unsigned i = 0; i < srat->cpu_count; i++)
		if (srat->cpus[i].proximity == proximity)
			srat->cpus[i].domain = domain;
}

static void number_domains(struct srat *srat, struct fw_report *report)
{
	unsigned seen = 0;
	uint64_t proximity;

	for (uint64_t from = 0; (proximity = next_proximity(srat, from)) != NO_PROXIMITY;
	     from = proximity + 1) {
		set_domain(srat, (uint32_t)proximity, seen < MAXMEMDOM ? seen : MAXMEMDOM - 1);
		seen++;
	}
	srat->domain_count = seen < MAXMEMDOM ? seen : MAXMEMDOM;
	if (seen > MAXMEMDOM)
		fw_report_add(report, "srat: %u domains, those from %u on are treated as one", seen,
			      MAXMEMDOM - 1);
}

static void read_entries(struct parser *parser, const void *table, size_t len)
{
	struct acpi_entry entry;

	acpi_entry_begin(&parser->iter, table, len, SRAT_HEADER, "srat");
	while (acpi_entry_next(&parser->iter, &entry, parser->report))
		take_entry(parser, &entry);
	acpi_entry_finish(&parser->iter, parser->report);
	if (parser->bad_ranges != 0)
		fw_report_add(parser->report, "srat: %u memory ranges wrap around: skipped",
			      parser->bad_ranges);
	if (parser->lost != 0)
		fw_report_add(parser->report, "srat: %u entries too many: ignored", parser->lost);
}

bool srat_parse(const void *table, size_t len, const struct raw_map *ram, struct srat *srat,
		struct fw_report *report)
{
	struct parser parser = {
	    .srat = srat, .ram = ram, .report = report, .proximity_mask = UINT32_MAX};
	const struct srat_range *bad;

	srat_init(srat);
	if (len < SRAT_HEADER) {
		fw_report_add(report, "srat: %zu bytes are too few", len);
		return false;
	}
	/* Revision 1 has 8-bit numbers and does not say what the other bits hold. */
	if (fw_u8(table, HEADER_REVISION) < 2)
		parser.proximity_mask = 0xff;
	read_entries(&parser, table, len);
	bad = find_contradiction(srat);
	if (bad != NULL)
		fw_report_add(report, "srat: memory at %#llx is in two domains: using one for all",
			      (unsigned long long)bad->start);
	if (bad != NULL || srat->range_count == 0) {
		srat_init(srat);
		return false;
	}
	number_domains(srat, report);
	return true;
}

uint32_t srat_domain_of_cpu(const struct srat *srat, uint32_t apic_id)
{
	for (unsigned i = 0; i < srat->cpu_count; i++)
		if (srat->cpus[i].apic_id == apic_id)
			return srat->cpus[i].domain;
	return 0;
}

uint32_t srat_domain_of_memory(const struct srat *srat, vm_paddr_t pa)
{
	for (unsigned i = 0; i < srat->range_count; i++)
		if (pa >= srat->ranges[i].start && pa < srat->ranges[i].end)
			return srat->ranges[i].domain;
	return 0;
}
