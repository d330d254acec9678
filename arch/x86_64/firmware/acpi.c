/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch/x86_64/firmware/acpi.h"

#include "lib/checksum.h"
#include "lib/string.h"

enum {
	RSDP_V1_BYTES = 20, /* ACPI 6.5 section 5.2.5.3 */
	RSDP_V2_BYTES = 36,
	RSDP_BYTES_MAX = 1024,
	RSDP_ALIGN = 16,

	BDA_EBDA_SEGMENT = 0x40e,
	EBDA_SEARCH = 1024,
	BIOS_START = 0xe0000,
	BIOS_END = 0x100000,

	HEADER_LENGTH = 4,
	HEADER_REVISION = 8,

	/* A table of tables names a few dozen; reading ends here however long it is. */
	ROOT_ENTRIES_MAX = 256,
};

struct loader {
	const struct fw_mem *mem;
	struct acpi_tables *out;
	struct fw_report *report;
	unsigned candidates;
};

bool acpi_rsdp_parse(const void *bytes, size_t len, struct acpi_rsdp *out)
{
	struct acpi_rsdp rsdp = {0};

	if (len < RSDP_V1_BYTES || memcmp(bytes, "RSD PTR ", 8) != 0 ||
	    checksum8(bytes, RSDP_V1_BYTES) != 0)
		return false;
	rsdp.revision = fw_u8(bytes, 15);
	rsdp.rsdt = fw_u32(bytes, 16);
	if (rsdp.revision >= 2) {
		uint32_t length = len < RSDP_V2_BYTES ? 0 : fw_u32(bytes, 20);

		if (length < RSDP_V2_BYTES || length > len || checksum8(bytes, length) != 0)
			return false;
		rsdp.xsdt = fw_u64(bytes, 24);
	}
	*out = rsdp;
	return true;
}

/* Signatures come from firmware: nothing but printable characters reaches the console. */
static void copy_signature(char out[5], const void *header)
{
	for (unsigned i = 0; i < 4; i++) {
		char c = (char)fw_u8(header, i);

		out[i] = '?';
		if (c >= ' ' && c <= '~')
			out[i] = c;
	}
	out[4] = '\0';
}

static bool refuse_table(struct loader *loader, vm_paddr_t pa, const char *signature,
			 const char *why)
{
	fw_report_add(loader->report, "acpi: table %s at %#llx skipped: %s", signature,
		      (unsigned long long)pa, why);
	return false;
}

static bool load_table(struct loader *loader, vm_paddr_t pa, struct acpi_table *table)
{
	const void *header = fw_map(loader->mem, pa, ACPI_HEADER);

	if (header == NULL)
		return refuse_table(loader, pa, "?", "no memory there");
	copy_signature(table->signature, header);
	table->pa = pa;
	table->revision = fw_u8(header, HEADER_REVISION);
	table->length = fw_u32(header, HEADER_LENGTH);
	if (table->length < ACPI_HEADER)
		return refuse_table(loader, pa, table->signature, "shorter than its header");
	if (table->length > ACPI_TABLE_BYTES_MAX)
		return refuse_table(loader, pa, table->signature, "absurdly long");
	table->data = fw_map(loader->mem, pa, table->length);
	if (table->data == NULL)
		return refuse_table(loader, pa, table->signature, "its end is not in memory");
	if (checksum8(table->data, table->length) != 0)
		return refuse_table(loader, pa, table->signature, "wrong checksum");
	return true;
}

/* Lists what a root table of `width` bytes per entry names. */
static void list_tables(struct loader *loader, const struct acpi_table *root, size_t width)
{
	struct acpi_tables *out = loader->out;
	size_t count = (root->length - ACPI_HEADER) / width;
	size_t readable = count < ROOT_ENTRIES_MAX ? count : ROOT_ENTRIES_MAX;

	for (size_t i = 0; i < readable; i++) {
		size_t at = ACPI_HEADER + i * width;
		vm_paddr_t pa = width == 8 ? fw_u64(root->data, at) : fw_u32(root->data, at);
		struct acpi_table table;

		if (out->count == ACPI_TABLES_MAX) {
			readable = i;
			break;
		}
		if (load_table(loader, pa, &table))
			out->tables[out->count++] = table;
		else
			out->skipped++;
	}
	if (readable == count)
		return;
	out->skipped += (unsigned)(count - readable);
	fw_report_add(loader->report, "acpi: %zu tables listed, the last %zu ignored", count,
		      count - readable);
}

static bool load_root(struct loader *loader, vm_paddr_t pa, const char *signature, size_t width)
{
	struct acpi_table root;

	if (pa == 0 || !load_table(loader, pa, &root))
		return false;
	if (strcmp(root.signature, signature) != 0) {
		fw_report_add(loader->report, "acpi: %s instead of %s at %#llx", root.signature,
			      signature, (unsigned long long)pa);
		return false;
	}
	list_tables(loader, &root, width);
	if (loader->out->count == 0)
		fw_report_add(loader->report, "acpi: %s at %#llx lists no good table", signature,
			      (unsigned long long)pa);
	return loader->out->count != 0;
}

/* The XSDT is preferred where there is one (ACPI 6.5 section 5.2.8). */
static bool load_tables(struct loader *loader, const struct acpi_rsdp *rsdp)
{
	struct acpi_tables *out = loader->out;

	out->rsdp = *rsdp;
	out->from_xsdt = load_root(loader, rsdp->xsdt, "XSDT", 8);
	if (out->from_xsdt)
		return true;
	if (rsdp->revision >= 2)
		fw_report_add(loader->report, "acpi: no good XSDT, trying the RSDT");
	return load_root(loader, rsdp->rsdt, "RSDT", 4);
}

static bool try_bytes(struct loader *loader, vm_paddr_t pa, const void *bytes, size_t len)
{
	struct acpi_rsdp rsdp;

	loader->candidates++;
	if (!acpi_rsdp_parse(bytes, len, &rsdp)) {
		fw_report_add(loader->report, "acpi: root pointer at %#llx is damaged",
			      (unsigned long long)pa);
		return false;
	}
	rsdp.pa = pa;
	return load_tables(loader, &rsdp);
}

static bool try_address(struct loader *loader, vm_paddr_t pa)
{
	const void *bytes = fw_map(loader->mem, pa, RSDP_V2_BYTES);
	size_t len = RSDP_V2_BYTES;

	if (bytes == NULL) {
		len = RSDP_V1_BYTES;
		bytes = fw_map(loader->mem, pa, len);
	} else if (fw_u8(bytes, 15) >= 2 && fw_u32(bytes, 20) > len &&
		   fw_u32(bytes, 20) <= RSDP_BYTES_MAX) {
		const void *whole = fw_map(loader->mem, pa, fw_u32(bytes, 20));

		if (whole != NULL) {
			len = fw_u32(bytes, 20);
			bytes = whole;
		}
	}
	if (bytes == NULL) {
		loader->candidates++;
		fw_report_add(loader->report, "acpi: root pointer at %#llx: no memory there",
			      (unsigned long long)pa);
		return false;
	}
	return try_bytes(loader, pa, bytes, len);
}

/* Root pointers stand at multiples of 16 (ACPI 6.5 section 5.2.5.1). */
static bool search(struct loader *loader, vm_paddr_t start, vm_paddr_t end, vm_paddr_t tried)
{
	for (vm_paddr_t pa = start; pa + RSDP_V1_BYTES <= end; pa += RSDP_ALIGN) {
		const void *signature = fw_map(loader->mem, pa, 8);

		if (signature != NULL && memcmp(signature, "RSD PTR ", 8) == 0 && pa != tried &&
		    try_address(loader, pa))
			return true;
	}
	return false;
}

static bool search_ebda(struct loader *loader, vm_paddr_t tried)
{
	const void *segment = fw_map(loader->mem, BDA_EBDA_SEGMENT, 2);
	vm_paddr_t ebda = segment == NULL ? 0 : (vm_paddr_t)fw_u16(segment, 0) << 4;

	return ebda != 0 && search(loader, ebda, ebda + EBDA_SEARCH, tried);
}

static bool try_all(struct loader *loader, const struct acpi_hint *hint)
{
	if (hint->copy_len != 0 && try_bytes(loader, 0, hint->copy, hint->copy_len))
		return true;
	if (hint->rsdp != 0 && try_address(loader, hint->rsdp))
		return true;
	return search_ebda(loader, hint->rsdp) || search(loader, BIOS_START, BIOS_END, hint->rsdp);
}

bool acpi_load(const struct fw_mem *mem, const struct acpi_hint *hint, struct acpi_tables *out,
	       struct fw_report *report)
{
	struct loader loader = {.mem = mem, .out = out, .report = report};

	memset(out, 0, sizeof(*out));
	if (try_all(&loader, hint))
		return true;
	memset(out, 0, sizeof(*out));
	fw_report_add(report, "acpi: no usable tables (%u root pointers tried)", loader.candidates);
	return false;
}

const struct acpi_table *acpi_find(const struct acpi_tables *tables, const char *signature,
				   struct fw_report *report)
{
	const struct acpi_table *first = NULL;

	for (unsigned i = 0; i < tables->count; i++) {
		const struct acpi_table *table = &tables->tables[i];

		if (strcmp(table->signature, signature) != 0)
			continue;
		if (first == NULL)
			first = table;
		else
			fw_report_add(report, "acpi: another %s at %#llx: the one at %#llx is used",
				      signature, (unsigned long long)table->pa,
				      (unsigned long long)first->pa);
	}
	return first;
}
