/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nothing is left, on all CPUs at once. Who cannot wait is refused, who can sleeps, and when
 * memory returns everybody gets what he asked for and nothing is missing.
 *
 * One thread on each CPU takes, without waiting, until it is refused. Then a crowd asks for more,
 * and can wait. When it sleeps, the hoards are given back piece by piece, and taken again, some
 * times: those who cannot wait take what the crowd could have had.
 */
#include "arch/cpu.h"
#include "kernel/pattern.h"
#include "kernel/sched/thread.h"
#include "kernel/selftest/selftest.h"
#include "smp/smp.h"
#include "vm/vm_audit.h"
#include "vm/vm_kern.h"
#include "vm/vm_kern_quarantine.h"
#include "vm/vm_malloc_flags.h"
#include "vm/vm_pageout.h"
#include "vm/vm_swap.h"

enum {
	PER_CPU = 2,
	CROWD_ROUNDS = 12,
	TIDES = 3,
	CHUNK_PAGES = 64, /* taken at a time, while there is so much */
	SPACE_PAGES = 48, /* of addresses for each CPU */
};

/* All of it is filled on the way, so machines with much memory are spared. */
#define RAM_MAX ((vm_size_t)128 << 20)

/* In the first bytes of what was taken. */
struct chunk {
	struct chunk *next;
	vm_size_t size;
};

static vm_map_t ram_map, space_map; /* made once: submaps stay */

static vm_map_t target;              /* what the running case exhausts */
static bool (*crowd_asleep)(void);   /* does the crowd wait for what the case exhausts? */
static unsigned crowd_size;          /* threads */
static struct chunk *hoards[MAXCPU]; /* by index, each CPU's own */
static struct atomic32 gate;         /* open: the crowd may ask */
static struct atomic32 begun, finished;
static struct atomic32 asking_for_space; /* threads in kmem_alloc_wait */

/* As kmem_map is: for kmem_malloc, with a lock that may be taken where sleeping is not allowed. */
static vm_map_t map_make(const char *name, vm_size_t size)
{
	vm_offset_t min, max;
	vm_map_t map = kmem_suballoc(kernel_map, &min, &max, size, false);

	map->name = name;
	map->system_map = 1;
	return map;
}

/* --- Those who cannot wait --- */

/* Takes until a single page is refused. */
static void hoard_fill(unsigned index)
{
	for (vm_size_t size = ptoa(CHUNK_PAGES); size >= PAGE_SIZE;) {
		struct chunk *chunk = (struct chunk *)kmem_malloc(target, size, M_NOWAIT);

		if (chunk == NULL) {
			size /= 2;
			continue;
		}
		*chunk = (struct chunk){hoards[index], size};
		hoards[index] = chunk;
	}
}

/* Gives every n-th piece back, but always asks for some of it again. */
static void hoard_release(unsigned index, unsigned n)
{
	struct chunk *chunk, **link = &hoards[index];

	for (unsigned i = 0; (chunk = *link) != NULL; i++) {
		vm_offset_t again;

		if (i % n != 0) {
			link = &chunk->next;
			continue;
		}
		*link = chunk->next;
		kmem_free(target, (vm_offset_t)chunk, chunk->size);
		again = kmem_malloc(target, PAGE_SIZE, M_NOWAIT | M_ZERO);
		if (again != 0)
			kmem_free(target, again, PAGE_SIZE);
	}
}

/* No way to ask without waiting for others is a way round it. */
static void expect_refused(void)
{
	SELFTEST_CHECK(kmem_malloc(target, PAGE_SIZE, M_NOWAIT) == 0);
	SELFTEST_CHECK(kmem_malloc(target, ptoa(CHUNK_PAGES), M_NOWAIT | M_ZERO) == 0);
	SELFTEST_CHECK(kmem_alloc(target, PAGE_SIZE) == 0);
	SELFTEST_CHECK(
	    kmem_alloc_attr(target, ptoa(2), M_WAITOK, 0, UINT64_MAX, VM_MEMATTR_DEFAULT) == 0);
	SELFTEST_CHECK(kmem_alloc_contig(target, ptoa(2), M_NOWAIT, 0, UINT64_MAX, PAGE_SIZE, 0,
					 VM_MEMATTR_DEFAULT) == 0);
}

static void exhaust(unsigned index)
{
	hoard_fill(index);
	if (!selftest_barrier())
		return;
	hoard_fill(index); /* what the failed attempts of others have given back */
	if (!selftest_barrier())
		return;
	if (index == 0)
		atomic32_store(&gate, 1, MO_RELEASE);
	if (!selftest_await(crowd_asleep, "the crowd to sleep"))
		return;
	expect_refused();
	if (!selftest_barrier())
		return;
	for (unsigned tide = 0; tide < TIDES; tide++) {
		hoard_release(index, 2);
		hoard_fill(index);
	}
}

static void exhaust_on(unsigned index, unsigned count)
{
	(void)count;
	/* Every thread is there before the first takes the memory that the others are made of. */
	if (selftest_barrier())
		exhaust(index);
	hoard_release(index, 1); /* after a failure, too: the crowd has to end */
}

/* --- Those who can --- */

static bool wait_for_gate(void)
{
	while (atomic32_load(&gate, MO_ACQUIRE) == 0) {
		if (selftest_failed())
			return false;
		thread_sleep_ns(1);
	}
	atomic32_add(&begun, 1, MO_RELEASE);
	return true;
}

/* Wired memory, which has to hold what is written. */
static void ask_wired(vm_size_t size, uint64_t seed)
{
	vm_offset_t addr = kmem_malloc(target, size, M_WAITOK | M_ZERO);
	const volatile uint64_t *words = (const volatile uint64_t *)addr;

	SELFTEST_CHECK(addr != 0);
	for (vm_size_t i = 0; i < size / sizeof(*words); i++)
		SELFTEST_CHECK(words[i] == 0);
	pattern_fill(addr, size, seed);
	thread_yield();
	SELFTEST_CHECK(pattern_check(addr, size, seed) == 0);
	kmem_free(target, addr, size);
}

/* Pageable memory: each page is waited for when it is touched. */
static void ask_pageable(vm_size_t size, uint64_t seed)
{
	vm_offset_t addr;

	atomic32_add(&asking_for_space, 1, MO_RELEASE);
	addr = kmem_alloc_wait(pipe_map, size);
	atomic32_sub(&asking_for_space, 1, MO_RELEASE);
	SELFTEST_CHECK(addr != 0);
	for (vm_offset_t va = addr; va < addr + size; va += PAGE_SIZE)
		SELFTEST_CHECK(*(volatile uint64_t *)va == 0);
	pattern_fill(addr, size, seed);
	thread_yield();
	SELFTEST_CHECK(pattern_check(addr, size, seed) == 0);
	kmem_free_wakeup(pipe_map, addr, size);
}

static void wired_crowd(unsigned index, unsigned count)
{
	(void)count;
	if (!wait_for_gate())
		return;
	for (unsigned round = 0; round < CROWD_ROUNDS; round++)
		ask_wired(ptoa((index + round) % 7 + 1), index);
	atomic32_add(&finished, 1, MO_RELEASE);
}

static void mixed_crowd(unsigned index, unsigned count)
{
	if (index % 2 == 0) {
		wired_crowd(index, count);
		return;
	}
	if (!wait_for_gate())
		return;
	for (unsigned round = 0; round < CROWD_ROUNDS; round++)
		ask_pageable(ptoa((index + round) % 7 + 1), index);
	atomic32_add(&finished, 1, MO_RELEASE);
}

/* --- The cases --- */

static bool all_finished(void)
{
	return atomic32_load(&finished, MO_ACQUIRE) == crowd_size;
}

/* The crowd's threads need memory themselves, so they are there before it is gone. */
static void press(void (*crowd)(unsigned index, unsigned count))
{
	atomic32_store(&gate, 0, MO_RELAXED);
	atomic32_store(&begun, 0, MO_RELAXED);
	atomic32_store(&finished, 0, MO_RELAXED);
	crowd_size = selftest_crowd_start(PER_CPU, crowd);
	selftest_parallel(exhaust_on);
	(void)selftest_await(all_finished, "those who slept to get their memory");
	selftest_crowd_join();
}

static void press_exactly(void (*crowd)(unsigned index, unsigned count))
{
	vm_size_t reserved = swap_reserved();
	struct vm_accounting before, after;

	vm_accounting(&before);
	press(crowd);
	(void)kmem_quarantine_flush();
	vm_accounting(&after);
	SELFTEST_CHECK(vm_accounting_sum(&after) == after.total);
	SELFTEST_CHECK(before.total == after.total && before.boot == after.boot);
	SELFTEST_CHECK(before.allocated == after.allocated);
	SELFTEST_CHECK(swap_reserved() == reserved && target->size == 0);
	SELFTEST_CHECK(vm_pageout_waiters() == 0);
	vm_audit(selftest_report);
}

/*
 * Who is in kmem_alloc_wait waits there for its turn, except for the first: there are addresses
 * enough, but perhaps no memory for an entry, so that one waits for a page like the others.
 */
static bool crowd_waits_for_pages(void)
{
	unsigned asking = atomic32_load(&asking_for_space, MO_ACQUIRE);

	return vm_pageout_waiters() + (asking == 0 ? 0 : asking - 1) == crowd_size;
}

static void ram(void)
{
	struct vm_accounting acc;

	vm_accounting(&acc);
	if (ptoa(acc.free) > RAM_MAX) {
		selftest_skip("more than %u MiB are free", (unsigned)(RAM_MAX >> 20));
		return;
	}
	/* Addresses for twice what there is, so that it is not they that run out. */
	if (ram_map == NULL)
		ram_map = map_make("selftest_ram_map", 2 * RAM_MAX);
	target = ram_map;
	crowd_asleep = crowd_waits_for_pages;
	press_exactly(mixed_crowd);
}

/* Each looks again from time to time, so they are never all asleep for sure. */
static bool crowd_waits_for_space(void)
{
	return atomic32_load(&begun, MO_ACQUIRE) == crowd_size &&
	       atomic32_load(&space_map->space_waiters, MO_RELAXED) != 0;
}

static void space(void)
{
	if (space_map == NULL)
		space_map = map_make("selftest_space_map", ptoa(SPACE_PAGES) * smp_online_count());
	target = space_map;
	crowd_asleep = crowd_waits_for_space;
	press_exactly(wired_crowd);
}

const struct selftest_case selftest_pressure[] = {
    {"pressure.ram", ram},
    {"pressure.space", space},
    {NULL, NULL},
};
