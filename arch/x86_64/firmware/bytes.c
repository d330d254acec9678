/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch/x86_64/firmware/bytes.h"

const void *fw_map(const struct fw_mem *mem, vm_paddr_t pa, size_t len)
{
	vm_paddr_t end;

	if (pa == 0 || len == 0 || __builtin_add_overflow(pa, len, &end))
		return NULL;
	return mem->map(mem->ctx, pa, len);
}

bool fw_map_string(const struct fw_mem *mem, vm_paddr_t pa, char *buf, size_t size)
{
	/* Byte by byte: how long the string is, and so what may be mapped, only its end tells. */
	for (size_t i = 0; i < size; i++) {
		const void *byte = pa + i < pa ? NULL : fw_map(mem, pa + i, 1);

		buf[i] = '\0';
		if (byte == NULL)
			return false;
		buf[i] = *(const char *)byte;
		if (buf[i] == '\0')
			return true;
	}
	if (size != 0)
		buf[size - 1] = '\0';
	return false;
}
