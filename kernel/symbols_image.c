/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/symbols.h"

#include "arch/mmu.h"
#include "lib/symbol.h"

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

/* What is recorded are return addresses: the call lies before them. */
static void resolve(uintptr_t pc, char *text, size_t size)
{
	struct symbol_table table = kernel_symbols();

	symbol_format(&table, KERNBASE, pc - 1, text, size);
}

void symbols_init(void)
{
	symbol_set_resolver(resolve);
}
