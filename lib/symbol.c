/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/symbol.h"

#include "lib/format.h"

static void (*resolver)(uintptr_t pc, char *text, size_t size);

void symbol_set_resolver(void (*resolve)(uintptr_t pc, char *text, size_t size))
{
	resolver = resolve;
}

const char *symbol_text(uintptr_t pc, char *text, size_t size)
{
	if (resolver != NULL)
		resolver(pc, text, size);
	else
		format(text, size, "%#lx", (unsigned long)pc);
	return text;
}
