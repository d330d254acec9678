/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How far the memory domains are from each other: the System Locality Information Table (ACPI 6.5
 * section 5.2.17). Pure.
 */
#ifndef QUIRE_ARCH_X86_64_FIRMWARE_SLIT_H
#define QUIRE_ARCH_X86_64_FIRMWARE_SLIT_H

#include "arch/x86_64/firmware/report.h"
#include "arch/x86_64/firmware/srat.h"
#include "lib/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A domain's distance to itself is 10 by definition; 255 is out of reach. */
enum { SLIT_LOCAL = 10, SLIT_REMOTE = 20, SLIT_UNREACHABLE = 255 };

/* Between our domains, not firmware's proximity numbers. */
struct slit {
	uint8_t distance[MAXMEMDOM][MAXMEMDOM];
};

/* SLIT_LOCAL to itself, SLIT_REMOTE to all others: what holds without a table. */
void slit_init(struct slit *slit);

/*
 * Reads a whole table, header included, whose length and checksum acpi_load() has verified. *slit
 * is initialised first, and stays so, with false, when the table is shorter than it says or than
 * the proximity numbers of `srat` ask for, or says what cannot be (a domain that is not nearest to
 * itself).
 */
bool slit_parse(const void *table, size_t len, const struct srat *srat, struct slit *slit,
		struct fw_report *report);

#ifdef __cplusplus
}
#endif

#endif
