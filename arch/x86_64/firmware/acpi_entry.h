/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The entries of a MADT or an SRAT: each begins with its type and its length in bytes (ACPI 6.5
 * sections 5.2.12 and 5.2.16). Entries end at the first one whose length cannot be right.
 */
#ifndef QUIRE_ARCH_X86_64_FIRMWARE_ACPI_ENTRY_H
#define QUIRE_ARCH_X86_64_FIRMWARE_ACPI_ENTRY_H

#include "arch/x86_64/firmware/report.h"
#include "lib/types.h"

#ifdef __cplusplus
extern "C" {
#endif

struct acpi_entry_iter {
	const uint8_t *table;
	size_t next; /* offset of the next entry */
	size_t len;
	const char *name;   /* of the table, for reports */
	unsigned too_short; /* entries shorter than their type needs; counted by the user */
};

struct acpi_entry {
	uint8_t type;
	uint8_t len;         /* bytes at `data` */
	const uint8_t *data; /* with type and length */
};

/* `first` is the offset of the first entry; at most `len`. */
void acpi_entry_begin(struct acpi_entry_iter *iter, const void *table, size_t len, size_t first,
		      const char *name);

/* False at the end and, reported, at an entry of length 0 or 1 or that passes the end. */
bool acpi_entry_next(struct acpi_entry_iter *iter, struct acpi_entry *out,
		     struct fw_report *report);

/* Whether the entry has the bytes that its type needs; if not it is counted. */
bool acpi_entry_has(struct acpi_entry_iter *iter, const struct acpi_entry *entry, unsigned bytes);

/* One line about the entries that acpi_entry_has() counted, if there are any. */
void acpi_entry_finish(const struct acpi_entry_iter *iter, struct fw_report *report);

#ifdef __cplusplus
}
#endif

#endif
