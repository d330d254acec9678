/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bytes of items, for who fills, compares and copies them. What lies in kmem_map is reached
 * through the direct map, page by page, so that this works wherever the page table is in force, and
 * on the host machine, where addresses of kmem_map exist for its simulated CPUs only.
 */
#include "arch/physmap.h"
#include "lib/check.h"
#include "lib/string.h"
#include "vm/pmap.h"
#include "vm/uma_private.h"

/* Where the byte at ptr can be touched; *n becomes less if fewer bytes than that lie together. */
static void *reach(const void *ptr, size_t *n)
{
	vm_offset_t va = (vm_offset_t)ptr;
	vm_paddr_t pa;

	if (!uma_in_kmem(ptr))
		return (void *)va;
	if (*n > PAGE_SIZE - (va & PAGE_MASK))
		*n = PAGE_SIZE - (va & PAGE_MASK);
	pa = pmap_kextract(va);
	CHECK_NE(pa, 0);
	return arch_physmap(pa);
}

void *uma_bytes(void *item, size_t offset, size_t end, size_t *n)
{
	*n = end - offset;
	return reach((char *)item + offset, n);
}

void uma_bytes_fill(void *item, size_t offset, size_t end, int byte)
{
	while (offset < end) {
		size_t n;
		void *bytes = uma_bytes(item, offset, end, &n);

		memset(bytes, byte, n);
		offset += n;
	}
}

size_t uma_bytes_differ(void *item, size_t offset, size_t end, int byte)
{
	while (offset < end) {
		size_t n;
		const unsigned char *bytes =
		    (const unsigned char *)uma_bytes(item, offset, end, &n);

		for (size_t i = 0; i < n; i++)
			if (bytes[i] != byte)
				return offset + i;
		offset += n;
	}
	return end;
}

void uma_copy(void *dst, const void *src, size_t n)
{
	while (n != 0) {
		size_t piece = n;
		void *to = reach(dst, &piece);
		const void *from = reach(src, &piece);

		memcpy(to, from, piece);
		dst = (char *)dst + piece;
		src = (const char *)src + piece;
		n -= piece;
	}
}
