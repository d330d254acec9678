/* SPDX-License-Identifier: BSD-2-Clause */
/* The console: text that a test reads, and text that it types. */
#include "arch/console.h"
#include "arch/host/internal.h"
#include "lib/string.h"

enum { CONSOLE_BYTES = 64 * 1024 };

/* (l) latch */
static struct {
	struct host_latch latch;
	char output[CONSOLE_BYTES + 1]; /* (l) ends with 0; what does not fit is lost */
	size_t written;                 /* (l) */
	char input[CONSOLE_BYTES + 1];  /* (l) */
	size_t read;                    /* (l) */
} console;

void host_console_reset(void)
{
	console.output[0] = console.input[0] = '\0';
	console.written = console.read = 0;
}

void arch_console_write(const char *text, size_t length)
{
	host_latch_take(&console.latch);
	for (size_t i = 0; i < length && console.written < CONSOLE_BYTES; i++)
		console.output[console.written++] = text[i];
	console.output[console.written] = '\0';
	host_latch_drop(&console.latch);
}

int arch_console_read(void)
{
	int c = -1;

	host_latch_take(&console.latch);
	if (console.input[console.read] != '\0')
		c = (unsigned char)console.input[console.read++];
	host_latch_drop(&console.latch);
	return c;
}

const char *host_console_output(void)
{
	return console.output;
}

void host_console_input(const char *text)
{
	host_latch_take(&console.latch);
	CHECK_LE(strlen(text), CONSOLE_BYTES);
	str_copy(console.input, sizeof(console.input), text);
	console.read = 0;
	host_latch_drop(&console.latch);
}
