/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading firmware's memory: little-endian fields at any alignment, and physical memory through
 * the caller. The caller of an fw_u*() function has checked that the bytes are there.
 */
#ifndef QUIRE_ARCH_X86_64_FIRMWARE_BYTES_H
#define QUIRE_ARCH_X86_64_FIRMWARE_BYTES_H

#include "lib/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Physical memory as the boot code can reach it. */
struct fw_mem {
	/*
	 * The bytes of physical [pa, pa + len), or NULL where there is nothing to read. They stay
	 * readable for as long as the caller uses what was parsed. `len` is never 0 and pa + len
	 * never wraps.
	 */
	const void *(*map)(void *ctx, vm_paddr_t pa, size_t len);
	void *ctx;
};

/* As `map`, but NULL also for a length of 0, for address 0 and for a range that wraps. */
const void *fw_map(const struct fw_mem *mem, vm_paddr_t pa, size_t len);

/*
 * Copies the string at `pa` into `size` bytes, cut where it does not fit or where memory ends.
 * Returns false when its first byte cannot be read or when it was cut; `buf` is a string anyway.
 */
bool fw_map_string(const struct fw_mem *mem, vm_paddr_t pa, char *buf, size_t size);

static inline uint8_t fw_u8(const void *base, size_t offset)
{
	return ((const uint8_t *)base)[offset];
}

static inline uint16_t fw_u16(const void *base, size_t offset)
{
	uint16_t x;

	__builtin_memcpy(&x, (const uint8_t *)base + offset, sizeof(x));
	return x;
}

static inline uint32_t fw_u32(const void *base, size_t offset)
{
	uint32_t x;

	__builtin_memcpy(&x, (const uint8_t *)base + offset, sizeof(x));
	return x;
}

static inline uint64_t fw_u64(const void *base, size_t offset)
{
	uint64_t x;

	__builtin_memcpy(&x, (const uint8_t *)base + offset, sizeof(x));
	return x;
}

#ifdef __cplusplus
}
#endif

#endif
