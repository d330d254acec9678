/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/symbols.h"

extern const uint32_t kernel_symbol_count;
extern const uint32_t kernel_symbol_offsets[];
extern const uint32_t kernel_symbol_names[];
extern const char kernel_symbol_strings[];

struct symbol_table kernel_symbols(void)
{
	struct symbol_table table = {kernel_symbol_count, kernel_symbol_offsets,
				     kernel_symbol_names, kernel_symbol_strings};

	return table;
}
