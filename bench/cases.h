/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cases of the benchmark, for everybody who runs or reads it: the kernel's own benchmark, the
 * same cases in other kernels, and the scripts, which read this file line by line. So it is plain
 * C without an include, and every entry is BENCH_CASE(index, identifier, "name", "operation").
 *
 * index       1 to 127, the second operand of the marker (bench/meter/marker.h). Index 0 is the
 *             empty sample, to be subtracted. BENCH_ALL_CPUS is added to it where all CPUs work
 *             at once; each CPU then marks its own work. An index is never given to another case:
 *             recorded figures refer to it.
 * name        FAMILY.CASE, for commands and tables.
 * operation   what one operation is; a sample has many, and figures are per operation.
 *
 * A "pair" is an allocation and the free of what it gave. Sizes in pages mean 4096 bytes each.
 * Contents are not touched inside a sample, except where the operation says so. Random choices are
 * made before the sample begins. Where memory goes to another CPU it does so between samples: each
 * operation frees what the other CPU has allocated in the sample before, and allocates anew. "In
 * all" counts are divided among the CPUs that work.
 */
#ifndef QUIRE_BENCH_CASES_H
#define QUIRE_BENCH_CASES_H

enum {
	BENCH_INDEX_EMPTY = 0,
	BENCH_INDEX_MAX = 127,
	BENCH_ALL_CPUS = 0x80,
};

/* clang-format off */
#define BENCH_CASES \
	BENCH_CASE(1, PAGE_PAIR, "page.pair", "pair of one physical page, not zeroed") \
	BENCH_CASE(2, PAGE_BATCH, "page.batch512", "pair, of 512 pages allocated and then freed in the same order") \
	BENCH_CASE(3, PAGE_ZERO, "page.zero", "pair of one physical page that is zeroed") \
	BENCH_CASE(10, ZONE_64, "zone.64", "pair of one 64-byte item of an object cache") \
	BENCH_CASE(11, ZONE_256, "zone.256", "pair of one 256-byte item of an object cache") \
	BENCH_CASE(12, ZONE_4096, "zone.4096", "pair of one 4096-byte item of an object cache") \
	BENCH_CASE(13, ZONE_BATCH, "zone.batch512", "pair, of 512 items of 256 bytes allocated and then freed in the same order") \
	BENCH_CASE(20, MALLOC_64, "malloc.64", "pair of 64 bytes of the general allocator") \
	BENCH_CASE(21, MALLOC_256, "malloc.256", "pair of 256 bytes of the general allocator") \
	BENCH_CASE(22, MALLOC_4096, "malloc.4096", "pair of 4096 bytes of the general allocator") \
	BENCH_CASE(30, KMEM_1, "kmem.1", "pair of 1 page of mapped kernel memory") \
	BENCH_CASE(31, KMEM_4, "kmem.4", "pair of 4 pages of mapped kernel memory") \
	BENCH_CASE(32, KMEM_16, "kmem.16", "pair of 16 pages of mapped kernel memory") \
	BENCH_CASE(33, KMEM_UNCACHED_1, "kmem.uncached1", "pair of 1 page of mapped kernel memory, caches of mapped ranges off") \
	BENCH_CASE(34, KMEM_UNCACHED_4, "kmem.uncached4", "pair of 4 pages of mapped kernel memory, caches of mapped ranges off") \
	BENCH_CASE(35, KMEM_UNCACHED_16, "kmem.uncached16", "pair of 16 pages of mapped kernel memory, caches of mapped ranges off") \
	BENCH_CASE(36, KMEM_64, "kmem.64", "pair of 64 pages of mapped kernel memory") \
	BENCH_CASE(37, KMEM_256, "kmem.256", "pair of 256 pages of mapped kernel memory") \
	BENCH_CASE(38, KMEM_ALLOC_1, "kmem.alloc1", "pair of 1 zeroed page of mapped kernel memory") \
	BENCH_CASE(39, KMEM_ALLOC_16, "kmem.alloc16", "pair of 16 zeroed pages of mapped kernel memory") \
	BENCH_CASE(40, KMEM_DEFERRED, "kmem.deferred", "pair of 1 page, touched, whose free may leave the flush of other CPUs for later") \
	BENCH_CASE(41, KMEM_STRICT, "kmem.strict", "pair of 1 page, touched, forgotten by every CPU when the free returns") \
	BENCH_CASE(42, KMEM_1000, "kmem.free1000", "pair of 1 page, touched, of 1000 one after the other: for interrupts per 1000 frees") \
	BENCH_CASE(50, SHOOTDOWN_IDLE, "shootdown.idle", "every CPU forgets one page, the other CPUs being idle") \
	BENCH_CASE(51, SHOOTDOWN_BUSY, "shootdown.busy", "every CPU forgets one page, the other CPUs being busy with interrupts on") \
	BENCH_CASE(60, HANDOVER_PAGE, "handover.page", "pair of one physical page, freed by the next CPU") \
	BENCH_CASE(61, HANDOVER_ITEM, "handover.item", "pair of one 256-byte item of an object cache, freed by the next CPU") \
	BENCH_CASE(65, CPU_START, "cpu.start", "one CPU from its start to online; from the clock, once per boot") \
	BENCH_CASE(70, VMALLOC_FIX_SIZE, "vmalloc.fix_size", "pair of 16 pages of mapped memory, first byte written") \
	BENCH_CASE(71, VMALLOC_FULL_FIT, "vmalloc.full_fit", "pair of 1 page, first byte written, beside 1000 ranges of 1 page in use with a hole of 1 page behind each, in all") \
	BENCH_CASE(72, VMALLOC_LONG_BUSY, "vmalloc.long_busy", "pair of 100 pages and of 1 page, first bytes written, beside 1500 ranges of 1 page in use, in all") \
	BENCH_CASE(73, VMALLOC_RANDOM_SIZE, "vmalloc.random_size", "pair of 1 to 100 pages at random, first byte written") \
	BENCH_CASE(74, VMALLOC_FIX_ALIGN, "vmalloc.fix_align", "pair of 5 pages at a multiple of 32 KiB, first byte written") \
	BENCH_CASE(75, VMALLOC_RANDOM_ALIGN, "vmalloc.random_align", "pair of 1 to 10 pages at a multiple of 1 byte to 4 MiB at random, first byte written") \
	BENCH_CASE(76, VMALLOC_ALIGN_SHIFT, "vmalloc.align_shift", "pair of 1 page at a multiple of each power of two from 1 byte to 4 MiB in turn, first byte written") \
	BENCH_CASE(90, LLFREE_BULK, "llfree.bulk", "pair of one physical page, of 1024 allocated and then freed in the same order") \
	BENCH_CASE(91, LLFREE_REPEAT, "llfree.repeat", "pair of one physical page, freed at once, beside 1024 held") \
	BENCH_CASE(92, LLFREE_RANDOM, "llfree.random", "pair of one physical page, of 1024 allocated and then freed in an order shuffled across all CPUs") \
	BENCH_CASE(93, LLFREE_FRAGMENT, "llfree.fragment", "pair of one physical page: of 2048 pages half are freed at random, then 102 of those left, at random, are freed and as many allocated; free 2 MiB runs are printed") \
	BENCH_CASE(100, LARSON_MALLOC, "larson.malloc", "pair of 16 to 1024 bytes at random in a slot at random of 256, the slots going to the next CPU in turn") \
	BENCH_CASE(101, XMALLOC_MALLOC, "xmalloc.malloc", "pair of 64 to 512 bytes at random: every other CPU only allocates, the next one only frees") \
	BENCH_CASE(102, SCRATCH_MALLOC, "scratch.malloc", "pair of 64 bytes written 8 times, the first one allocated side by side for all CPUs") \
	BENCH_CASE(103, LARSON_ZONE, "larson.zone", "pair of a 64, 256 or 1024-byte item at random in a slot at random of 256, the slots going to the next CPU in turn") \
	BENCH_CASE(104, XMALLOC_ZONE, "xmalloc.zone", "pair of a 256-byte item: every other CPU only allocates, the next one only frees") \
	BENCH_CASE(105, SCRATCH_ZONE, "scratch.zone", "pair of a 64-byte item written 8 times, the first one allocated side by side for all CPUs")
/* clang-format on */

enum bench_index {
#define BENCH_CASE(index, id, name, operation) BENCH_##id = (index),
	BENCH_CASES
#undef BENCH_CASE
};

#endif
