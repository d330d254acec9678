/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory of any size, by type: malloc(9) as FreeBSD has it.
 *
 *	MALLOC_DEFINE(M_MBUF, "mbuf", "network buffers");
 *	ptr = malloc(sizeof(*ptr), M_MBUF, M_WAITOK | M_ZERO);
 *	free(ptr, M_MBUF);
 *
 * A type is a name under which what is in use is counted. The functions are called kern_malloc and
 * so on, because on the host machine the C library has the short names; in the C code of the kernel
 * those are macros.
 *
 * Sizes are rounded up to a class: 16, 32, 48 or 64 bytes, then four classes for each doubling, up
 * to 4096. So less than 16 bytes are lost up to 64, and at most a fifth of the class above. Larger
 * sizes are whole pages of kmem_map: less than a page is lost, which is just below a half of it at
 * 4097 bytes. Everything lies at a multiple of 16 bytes; classes that are powers of two at a
 * multiple of their size or of 64, whichever is less; and what is larger than 4096 at a page's
 * beginning.
 */
#ifndef QUIRE_KERNEL_MALLOC_MALLOC_H
#define QUIRE_KERNEL_MALLOC_MALLOC_H

#include "arch/count.h"
#include "kernel/malloc/malloc_class.h"
#include "vm/uma.h"
#include "vm/vm_malloc_flags.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What is counted of a type, by each CPU for itself. */
struct malloc_counts {
	struct atomic64 allocs, frees;
	struct atomic64 bytes_allocated, bytes_freed;
};

/* (c) constant  (a) atomic */
struct malloc_type {
	const char *name;            /* (c) short, for tables */
	const char *description;     /* (c) */
	struct atomic32 offset;      /* (a) of its counts in the CPUs' areas; 0: see `shared` */
	struct atomic32 registered;  /* (a) it was used: it is in the list */
	struct malloc_counts shared; /* (a) before it had counts there, or if there is no room */
	struct atomic64 high;        /* (a) the most bytes in use that anybody saw */
	struct malloc_type *next;    /* (c) once it is in the list */
};

/* At file scope. A type is for ever: it is known from its first use on. */
#define MALLOC_DEFINE(type, shortdesc, longdesc)                                                   \
	struct malloc_type type[1] = {                                                             \
	    {(shortdesc), (longdesc), {0}, {0}, {{0}, {0}, {0}, {0}}, {0}, NULL}}
#define MALLOC_DECLARE(type) extern struct malloc_type type[1]

/*
 * At least `size` bytes; 0 counts as 1. M_NOWAIT: any context, NULL when memory is short now.
 * M_WAITOK: thread context; sleeps for memory, and returns NULL only for a size that wraps when it
 * is rounded to pages. Not zeroed without M_ZERO. M_USE_RESERVE as for kmem_malloc.
 */
static inline void *kern_malloc(size_t size, struct malloc_type *type, int flags) QUIRE_MUST_CHECK;

/*
 * Gives it back; NULL is nothing. `type` is the one that it was allocated with: debug builds check
 * that. Any context; what is larger than MALLOC_CLASS_MAX: thread context, no spinlock held. What
 * malloc did not return, or is free already, is refused: panic if frees are strict
 * (kmem_free_strict), else it is counted, and one line goes to the log.
 */
void kern_free(void *ptr, struct malloc_type *type);

/*
 * The same contents with another size, as far as they fit; NULL, and ptr stays as it is, when
 * there is no memory. ptr NULL: as malloc. M_ZERO: what is new beyond the old usable size, where
 * the memory moves. reallocf frees ptr on failure.
 */
void *kern_realloc(void *ptr, size_t size, struct malloc_type *type, int flags) QUIRE_MUST_CHECK;
void *kern_reallocf(void *ptr, size_t size, struct malloc_type *type, int flags) QUIRE_MUST_CHECK;

/* Bytes that may be used at ptr, or 0 when it is nothing of malloc's. Any context. */
size_t kern_malloc_usable_size(const void *ptr);

#ifndef __cplusplus
#define malloc(size, type, flags)        kern_malloc((size), (type), (flags))
#define free(ptr, type)                  kern_free((ptr), (type))
#define realloc(ptr, size, type, flags)  kern_realloc((ptr), (size), (type), (flags))
#define reallocf(ptr, size, type, flags) kern_reallocf((ptr), (size), (type), (flags))
#endif

/* Once, when kmem_map is there. Panics without memory for the zones' heads. */
void malloc_startup(void);

struct malloc_type_stats {
	uint64_t in_use;       /* pieces */
	uint64_t bytes_in_use; /* with what was lost to rounding */
	uint64_t bytes_high;   /* the most that was seen when somebody looked here */
	uint64_t requests;     /* so far */
};

/* Sums over CPUs that go on meanwhile; exact at rest. Any context. */
void malloc_type_stats(struct malloc_type *type, struct malloc_type_stats *stats);

/* All types that were used since the start, the latest first. Thread context. */
void malloc_type_foreach(void (*visit)(void *ctx, struct malloc_type *type), void *ctx);

/* Allocations that returned NULL, and frees that were refused here (others: uma.h), since start. */
uint64_t malloc_fail_count(void);
uint64_t malloc_refused_count(void);

/* Do the types' counts say what the zones say? Returns broken rules reported. Exact at rest. */
unsigned malloc_audit(void (*report)(const char *line));

/* --- Inline: what a size that the compiler knows saves --- */

extern uma_zone_t malloc_zones[MALLOC_CLASSES];

void *kern_malloc_any(size_t size, struct malloc_type *type, int flags) QUIRE_MUST_CHECK;
void *kern_malloc_class(unsigned size_class, struct malloc_type *type, int flags) QUIRE_MUST_CHECK;

/* One piece more of a type that has counts in the CPUs' areas. */
static inline __attribute__((always_inline)) void malloc_count_alloc(uint32_t offset,
								     uint64_t bytes)
{
	arch_count_add(offset + (uint32_t)offsetof(struct malloc_counts, allocs), 1);
	arch_count_add(offset + (uint32_t)offsetof(struct malloc_counts, bytes_allocated), bytes);
}

/* The short way of uma.h with the class's zone, or NULL. */
static inline __attribute__((always_inline)) void *
malloc_class_short(unsigned size_class, struct malloc_type *type, int flags)
{
	const struct uma_zone_head *zone = (const struct uma_zone_head *)malloc_zones[size_class];
	uint32_t offset = atomic32_load(&type->offset, MO_RELAXED);
	void *ptr;

	if (unlikely((flags & M_ZERO) != 0 || offset == 0))
		return NULL;
	ptr = arch_stack_pop(zone->offset);
	if (likely(ptr != NULL))
		malloc_count_alloc(offset, zone->any_size);
	return ptr;
}

static inline __attribute__((always_inline)) void *kern_malloc(size_t size,
							       struct malloc_type *type, int flags)
{
	if (__builtin_constant_p(size) && size <= MALLOC_CLASS_MAX) {
		unsigned size_class = malloc_class_of(size);
		void *ptr = malloc_class_short(size_class, type, flags);

		return likely(ptr != NULL) ? ptr : kern_malloc_class(size_class, type, flags);
	}
	return kern_malloc_any(size, type, flags);
}

#ifdef __cplusplus
}
#endif

#endif
