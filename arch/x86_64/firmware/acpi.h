/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finding ACPI tables: root pointer, root table, and the tables that it lists (ACPI 6.5 sections
 * 5.2.5 to 5.2.8). Every table that is handed out is readable for its whole length, at least a
 * header long, and has a good checksum. Pure: reads physical memory only through `mem`.
 */
#ifndef QUIRE_ARCH_X86_64_FIRMWARE_ACPI_H
#define QUIRE_ARCH_X86_64_FIRMWARE_ACPI_H

#include "arch/x86_64/firmware/bytes.h"
#include "arch/x86_64/firmware/report.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
	ACPI_HEADER = 36, /* bytes: ACPI 6.5 table 5.4 */
	ACPI_TABLES_MAX = 128,
	ACPI_TABLE_BYTES_MAX = 8 * 1024 * 1024, /* longer is taken for nonsense */
};

/* A root pointer that is valid. */
struct acpi_rsdp {
	vm_paddr_t pa; /* 0 when it is the loader's copy */
	uint8_t revision;
	vm_paddr_t rsdt;
	vm_paddr_t xsdt; /* 0: none, as in every revision below 2 */
};

/* Where to look first; all zero when nothing is known. */
struct acpi_hint {
	vm_paddr_t rsdp;
	const void *copy;
	size_t copy_len;
};

struct acpi_table {
	char signature[5]; /* a string */
	uint8_t revision;
	vm_paddr_t pa;
	const void *data; /* the header and all that follows */
	uint32_t length;  /* bytes at `data` */
};

struct acpi_tables {
	struct acpi_rsdp rsdp;
	bool from_xsdt;
	struct acpi_table tables[ACPI_TABLES_MAX];
	unsigned count;
	unsigned skipped; /* listed, but unreadable, senseless, damaged, or too many */
};

/* Whether `len` bytes hold a root pointer with good checksums; fills all of *out but `pa`. */
bool acpi_rsdp_parse(const void *bytes, size_t len, struct acpi_rsdp *out);

/*
 * Tries the loader's copy, the loader's address, the first KiB of the EBDA and 0xe0000-0xfffff
 * (ACPI 6.5 section 5.2.5.1) until one has a root table that lists a good table.
 * False when none has: `out` is then empty, and the machine runs on one CPU.
 */
bool acpi_load(const struct fw_mem *mem, const struct acpi_hint *hint, struct acpi_tables *out,
	       struct fw_report *report);

/* The first table with that signature of four characters, or NULL. A second one is reported. */
const struct acpi_table *acpi_find(const struct acpi_tables *tables, const char *signature,
				   struct fw_report *report);

#ifdef __cplusplus
}
#endif

#endif
