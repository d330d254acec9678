/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch/x86_64/firmware/acpi_entry.h"

void acpi_entry_begin(struct acpi_entry_iter *iter, const void *table, size_t len, size_t first,
		      const char *name)
{
	iter->table = table;
	iter->next = first;
	iter->len = len;
	iter->name = name;
	iter->too_short = 0;
}

bool acpi_entry_next(struct acpi_entry_iter *iter, struct acpi_entry *out, struct fw_report *report)
{
	size_t left = iter->len - iter->next;

	if (left == 0)
		return false;
	out->data = iter->table + iter->next;
	out->type = out->data[0];
	out->len = left < 2 ? 0 : out->data[1];
	if (out->len < 2 || out->len > left) {
		fw_report_add(report,
			      "%s: entry of type %u at %zu has length %u: the rest is ignored",
			      iter->name, out->type, iter->next, out->len);
		iter->next = iter->len;
		return false;
	}
	iter->next += out->len;
	return true;
}

bool acpi_entry_has(struct acpi_entry_iter *iter, const struct acpi_entry *entry, unsigned bytes)
{
	if (entry->len >= bytes)
		return true;
	iter->too_short++;
	return false;
}

void acpi_entry_finish(const struct acpi_entry_iter *iter, struct fw_report *report)
{
	if (iter->too_short != 0)
		fw_report_add(report, "%s: %u entries shorter than their type needs: skipped",
			      iter->name, iter->too_short);
}
