/* SPDX-License-Identifier: BSD-2-Clause */
/* The byte sum that firmware tables use: a good table sums to 0 (ACPI 6.5 sections 5.2.5, 5.2.6).
 */
#ifndef QUIRE_LIB_CHECKSUM_H
#define QUIRE_LIB_CHECKSUM_H

#include "lib/types.h"

static inline uint8_t checksum8(const void *bytes, size_t len)
{
	const uint8_t *p = (const uint8_t *)bytes;
	uint8_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum = (uint8_t)(sum + p[i]);
	return sum;
}

#endif
