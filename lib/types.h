/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The types that every layer speaks, and the page size.
 *
 * Addresses of different kinds are different names so that a reader sees which one is meant;
 * sizes are bytes unless a name says pages or index.
 */
#ifndef QUIRE_LIB_TYPES_H
#define QUIRE_LIB_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t vm_offset_t;  /* a kernel virtual address */
typedef uint64_t vm_size_t;    /* bytes */
typedef uint64_t vm_paddr_t;   /* a physical address */
typedef uint64_t vm_ooffset_t; /* byte offset inside an object */
typedef uint64_t vm_pindex_t;  /* page index inside an object */

#define PAGE_SHIFT 12
#define PAGE_SIZE  ((vm_size_t)1 << PAGE_SHIFT)
#define PAGE_MASK  (PAGE_SIZE - 1)

#define trunc_page(x) ((x) & ~PAGE_MASK)
#define round_page(x) (((x) + PAGE_MASK) & ~PAGE_MASK)
#define atop(bytes)   ((bytes) >> PAGE_SHIFT)
#define ptoa(pages)   ((vm_size_t)(pages) << PAGE_SHIFT)

/* The largest number of CPUs; per-CPU memory is allocated for those that exist. */
#define MAXCPU 512u

/* What two CPUs write is kept this far apart (Intel SDM vol. 3A 12.4: lines are 64 bytes). */
#define CACHE_LINE 64

/* Physical memory domains (NUMA nodes) that are told apart. */
#define MAXMEMDOM 8u

#define QUIRE_ALIGNED(n) __attribute__((aligned(n)))
#define QUIRE_NORETURN   __attribute__((noreturn))
/*
 * For short hot functions that call others only as the last thing they do: no frame of their own,
 * and those calls are jumps, from which the others return to our caller.
 */
#ifdef __clang__
#define QUIRE_FRAMELESS
#else
#define QUIRE_FRAMELESS __attribute__((optimize("omit-frame-pointer", "optimize-sibling-calls")))
#endif
#define QUIRE_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define QUIRE_UNUSED            __attribute__((unused))
/*
 * For a look at another CPU's private state when the machine is about to stop: the values may be
 * torn or old, which the reader knows, and the thread sanitizer need not say.
 */
#define QUIRE_POST_MORTEM __attribute__((no_sanitize_thread, noinline))
#define QUIRE_MUST_CHECK  __attribute__((warn_unused_result))

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define nitems(array) (sizeof(array) / sizeof((array)[0]))

/* The structure of `type` whose `member` is at `ptr`. */
#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

#endif
