/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/symbols.h"

#include "lib/format.h"

const char *symbol_lookup(const struct symbol_table *table, uint64_t offset, uint64_t *distance)
{
	uint32_t low = 0, high = table->count;

	/* Functions below `low` begin at or before the offset, those from `high` on behind it. */
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (table->offsets[middle] <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return NULL;
	*distance = offset - table->offsets[low - 1];
	return &table->strings[table->names[low - 1]];
}

void symbol_format(const struct symbol_table *table, uint64_t base, uint64_t pc, char *buf,
		   size_t size)
{
	/* No function is this long: the address is behind the last one. */
	enum { FUNCTION_MAX = 1 << 20 };
	uint64_t distance = 0;
	const char *name = pc >= base ? symbol_lookup(table, pc - base, &distance) : NULL;

	if (name == NULL || distance >= FUNCTION_MAX)
		format(buf, size, "?");
	else
		format(buf, size, "%s+%#lx", name, (unsigned long)distance);
}
