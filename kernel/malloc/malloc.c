/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * malloc(9): a zone for each size class, kmem_map for what is larger, and a count for each type.
 *
 * free() is told an address only. The page that it lies in knows its slab, the slab its zone, and
 * the zone the size; or the page is the first one of something large and knows that size. Nothing
 * is stored beside the memory itself, so that powers of two fit their pages.
 *
 * Where zones have debugging, they know each piece's type, and free() compares.
 */
#include "kernel/malloc/malloc.h"

#include "arch/restart.h"
#include "kernel/malloc/malloc_private.h"
#include "lib/check.h"
#include "lib/format.h"
#include "lib/string.h"
#include "vm/uma.h"
#include "vm/vm_kern.h"

uma_zone_t malloc_zones[MALLOC_CLASSES]; /* constant after malloc_startup */

/* (a) atomic */
static struct {
	struct atomic64 large;   /* (a) pieces in kmem_map */
	struct atomic64 fails;   /* (a) */
	struct atomic64 refused; /* (a) */
} state;

void malloc_startup(void)
{
	malloc_types_startup();
	memset(&state, 0, sizeof(state));
	for (unsigned i = 0; i < MALLOC_CLASSES; i++) {
		size_t size = malloc_class_size(i);
		size_t align = is_pow2(size) && size > CACHE_LINE ? CACHE_LINE : 16;
		char name[UMA_ZONE_NAME_MAX];

		if (is_pow2(size) && size <= CACHE_LINE)
			align = size;
		(void)format(name, sizeof(name), "malloc %lu", (unsigned long)size);
		malloc_zones[i] = uma_zcreate(name, size, NULL, NULL, NULL, NULL, (int)align - 1,
					      UMA_ZONE_MALLOC);
		if (malloc_zones[i] == NULL)
			panic("no memory for zone %s", name);
	}
}

uint64_t malloc_fail_count(void)
{
	return atomic64_load(&state.fails, MO_RELAXED);
}

uint64_t malloc_refused_count(void)
{
	return atomic64_load(&state.refused, MO_RELAXED);
}

/* --- Refusals --- */

static void refuse(const void *ptr, const char *why, const struct malloc_type *type,
		   const void *site)
{
	if (kmem_free_strict())
		panic("free(%p, %s) by %p, but %s", ptr, type->name, site, why);
	atomic64_add(&state.refused, 1, MO_RELAXED);
	kprintf("free(%p, %s) by %p refused: %s\n", ptr, type->name, site, why);
}

static void refuse_foreign(const void *ptr, const struct malloc_type *type, const void *site)
{
	uma_zone_t zone = uma_zone_of(ptr);
	struct uma_zone_stats stats;
	char why[96];

	if (zone == NULL) {
		refuse(ptr, "malloc did not return it, or it is free already", type, site);
		return;
	}
	uma_zone_stats(zone, &stats);
	(void)format(why, sizeof(why), "it is an item of zone %s", stats.name);
	refuse(ptr, why, type, site);
}

/* --- Allocation --- */

static void *alloc_failed(void)
{
	atomic64_add(&state.fails, 1, MO_RELAXED);
	return NULL;
}

static __attribute__((noinline)) void *alloc_large(size_t size, struct malloc_type *type, int flags)
{
	void *ptr = uma_large_malloc(size, flags);

	if (ptr == NULL)
		return alloc_failed();
	atomic64_add(&state.large, 1, MO_RELAXED);
	malloc_type_count(type, true, round_page(size));
	return ptr;
}

static void *alloc_class(unsigned size_class, struct malloc_type *type, int flags, const void *site)
{
	void *ptr = uma_zalloc_at(malloc_zones[size_class], (void *)&type->name, flags, site);

	if (unlikely(ptr == NULL))
		return alloc_failed();
	malloc_type_count(type, true, malloc_class_size(size_class));
	return ptr;
}

void *kern_malloc_class(unsigned size_class, struct malloc_type *type, int flags)
{
	return alloc_class(size_class, type, flags, __builtin_return_address(0));
}

static __attribute__((noinline)) void *alloc_slow(size_t size, struct malloc_type *type, int flags,
						  const void *site)
{
	if (size > MALLOC_CLASS_MAX)
		return alloc_large(size, type, flags);
	return alloc_class(malloc_class_of(size), type, flags, site);
}

ARCH_RESTARTABLE void *kern_malloc_any(size_t size, struct malloc_type *type, int flags)
{
	if (likely(size <= MALLOC_CLASS_MAX)) {
		void *ptr = malloc_class_short(malloc_class_of(size), type, flags);

		if (likely(ptr != NULL))
			return ptr;
	}
	return alloc_slow(size, type, flags, __builtin_return_address(0));
}

/* --- Free --- */

static __attribute__((noinline)) void free_large(void *ptr, struct malloc_type *type,
						 const void *site)
{
	size_t size = uma_large_size(ptr);

	if (size == 0) {
		refuse_foreign(ptr, type, site);
		return;
	}
	atomic64_sub(&state.large, 1, MO_RELAXED);
	malloc_type_count(type, false, round_page(size));
	uma_large_free(ptr);
}

/* `site` is who asked for it. */
static __attribute__((noinline)) void free_slow(void *ptr, struct malloc_type *type,
						const void *site)
{
	size_t size;

	if (ptr == NULL)
		return;
	size = uma_zfree_any_slow(ptr, &type->name, site);
	if (size == 0)
		free_large(ptr, type, site);
	else if (size != UMA_REFUSED)
		malloc_type_count(type, false, size);
}

ARCH_RESTARTABLE void kern_free(void *ptr, struct malloc_type *type)
{
	uint32_t offset = atomic32_load(&type->offset, MO_RELAXED);
	size_t size = likely(offset != 0) ? uma_zfree_any_short(ptr) : 0;

	if (unlikely(size == 0)) {
		free_slow(ptr, type, __builtin_return_address(0));
		return;
	}
	arch_count_add(offset + (uint32_t)offsetof(struct malloc_counts, frees), 1);
	arch_count_add(offset + (uint32_t)offsetof(struct malloc_counts, bytes_freed), size);
}

/* --- Other sizes --- */

size_t kern_malloc_usable_size(const void *ptr)
{
	size_t large = uma_large_size(ptr);
	uma_zone_t zone;

	if (large != 0)
		return round_page(large);
	zone = uma_zone_of(ptr);
	for (unsigned i = 0; zone != NULL && i < MALLOC_CLASSES; i++)
		if (malloc_zones[i] == zone)
			return malloc_class_size(i);
	return 0;
}

/* Is the piece as good for the size as a new one would be, or nearly? */
static bool fits(size_t usable, size_t size)
{
	return size <= usable && (size > usable / 2 || usable <= 16);
}

void *kern_realloc(void *ptr, size_t size, struct malloc_type *type, int flags)
{
	const void *site = __builtin_return_address(0);
	size_t usable;
	void *moved;

	if (ptr == NULL)
		return kern_malloc_any(size, type, flags);
	usable = kern_malloc_usable_size(ptr);
	if (usable == 0) {
		refuse_foreign(ptr, type, site);
		return NULL;
	}
	if (fits(usable, size))
		return ptr;
	moved = kern_malloc_any(size, type, flags);
	if (moved == NULL)
		return NULL;
	uma_copy(moved, ptr, size < usable ? size : usable);
	free_slow(ptr, type, site);
	return moved;
}

void *kern_reallocf(void *ptr, size_t size, struct malloc_type *type, int flags)
{
	void *moved = kern_realloc(ptr, size, type, flags);

	if (moved == NULL && ptr != NULL)
		free_slow(ptr, type, __builtin_return_address(0));
	return moved;
}

/* --- Audit --- */

static void add_type(void *ctx, struct malloc_type *type)
{
	struct malloc_type_stats stats;

	malloc_type_stats(type, &stats);
	*(uint64_t *)ctx += stats.in_use;
}

unsigned malloc_audit(void (*report)(const char *line))
{
	uint64_t pieces = 0, live = atomic64_load(&state.large, MO_RELAXED);
	char line[128];

	malloc_type_foreach(add_type, &pieces);
	for (unsigned i = 0; i < MALLOC_CLASSES; i++)
		if (malloc_zones[i] != NULL)
			live += (uint64_t)uma_zone_get_cur(malloc_zones[i]);
	if (pieces == live)
		return 0;
	(void)format(line, sizeof(line),
		     "malloc: types have %lu pieces in use, zones and kmem_map "
		     "%lu",
		     (unsigned long)pieces, (unsigned long)live);
	report(line);
	return 1;
}
