/* SPDX-License-Identifier: BSD-2-Clause */
/* Who made the firmware: every ACPI table says so (ACPI 6.5 table 5.4). */
#include "arch/system.h"
#include "arch/x86_64/platform.h"
#include "lib/format.h"

enum {
	HEADER_BYTES = 36,
	OEM_ID = 10, /* 6 characters, filled with blanks */
	OEM_ID_BYTES = 6,
	OEM_TABLE_ID = 16, /* 8 characters: the model */
	OEM_TABLE_ID_BYTES = 8,
};

static char description[48] = "unknown";

const char *arch_firmware_description(void)
{
	return description;
}

/* What is no printable ASCII becomes '?', and the name ends before blanks at its end. */
static void copy_name(char *to, const uint8_t *from, unsigned bytes)
{
	unsigned length = 0;

	for (unsigned i = 0; i < bytes && from[i] != 0; i++) {
		to[i] = from[i] >= ' ' && from[i] < 0x7f ? (char)from[i] : '?';
		if (to[i] != ' ')
			length = i + 1;
	}
	to[length] = '\0';
}

void platform_name_firmware(const struct acpi_tables *tables)
{
	char maker[OEM_ID_BYTES + 1], model[OEM_TABLE_ID_BYTES + 1];
	const uint8_t *header;

	if (tables->count == 0 || tables->tables[0].length < HEADER_BYTES)
		return;
	header = tables->tables[0].data;
	copy_name(maker, header + OEM_ID, OEM_ID_BYTES);
	copy_name(model, header + OEM_TABLE_ID, OEM_TABLE_ID_BYTES);
	format(description, sizeof(description), "ACPI tables by \"%s\" for \"%s\"", maker, model);
}
