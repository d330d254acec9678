/* SPDX-License-Identifier: BSD-2-Clause */
/* Zones and malloc: on every CPU at once, in interrupts, past limits, with all contents verified.
 */
#include "arch/atomic.h"
#include "kernel/malloc/malloc.h"
#include "kernel/pattern.h"
#include "kernel/sched/thread.h"
#include "kernel/selftest/selftest.h"
#include "lib/string.h"
#include "smp/call.h"
#include "smp/smp.h"
#include "smp/spinlock.h"
#include "vm/uma.h"
#include "vm/vm_audit.h"
#include "vm/vm_kern.h"

MALLOC_DEFINE(M_SELFTEST, "selftest", "pieces of the self-test");

enum { ROUNDS = 40, HELD = 24, TABLE = 64, LIMIT = 3, LIMIT_ROUNDS = 60 };

static const unsigned sizes[] = {24, 200, 512, 1536, 4096, 9000};

static uma_zone_t zones[nitems(sizes)];

/* Items on their way from one CPU to another. (l) its lock */
static struct spinlock table_lock = SPINLOCK_INIT("selftest items", LOCK_RANK_KERNEL);
static struct {
	void *item;
	unsigned zone;
} table[TABLE]; /* (l) */

static void zones_begin(void)
{
	for (unsigned i = 0; i < nitems(sizes); i++) {
		zones[i] =
		    uma_zcreate("selftest", sizes[i], NULL, NULL, NULL, NULL, UMA_ALIGN_PTR, 0);
		SELFTEST_CHECK(zones[i] != NULL);
	}
}

static void zones_end(void)
{
	for (unsigned i = 0; i < nitems(sizes); i++) {
		if (zones[i] != NULL && !selftest_failed())
			SELFTEST_CHECK(uma_zone_get_cur(zones[i]) == 0 && uma_zdestroy(zones[i]));
		zones[i] = NULL;
	}
	SELFTEST_CHECK(vm_audit(selftest_report) == 0);
	SELFTEST_CHECK(malloc_audit(selftest_report) == 0);
}

static void item_fill(void *item, unsigned zone)
{
	pattern_fill((vm_offset_t)item, sizes[zone], (vm_offset_t)item);
}

static void item_free(void *item, unsigned zone)
{
	SELFTEST_CHECK(pattern_check((vm_offset_t)item, sizes[zone], (vm_offset_t)item) == 0);
	uma_zfree(zones[zone], item);
}

/* Leaves the item in the table, and frees what lay there. */
static void item_pass(void *item, unsigned zone, unsigned place)
{
	void *found;
	unsigned found_zone;

	spin_lock(&table_lock);
	found = table[place].item;
	found_zone = table[place].zone;
	table[place].item = item;
	table[place].zone = zone;
	spin_unlock(&table_lock);
	if (found != NULL)
		item_free(found, found_zone);
}

static void exchange_on(unsigned index, unsigned count)
{
	for (unsigned round = 0; round < ROUNDS && !selftest_failed(); round++) {
		unsigned zone = (round + index) % nitems(sizes);
		void *held[HELD];

		for (unsigned i = 0; i < HELD; i++) {
			held[i] = uma_zalloc(zones[zone], i % 2 ? M_NOWAIT : M_WAITOK);
			SELFTEST_CHECK(held[i] != NULL);
			item_fill(held[i], zone);
		}
		for (unsigned i = 0; i < HELD; i++) {
			if (i % 4 == 0)
				item_pass(held[i], zone, (round * 7 + i + index * count) % TABLE);
			else
				item_free(held[i], zone);
		}
		if (round % 16 == index % 16)
			uma_reclaim();
	}
}

static void exchange(void)
{
	zones_begin();
	if (!selftest_failed())
		(void)selftest_parallel(exchange_on);
	for (unsigned i = 0; i < TABLE; i++) {
		if (table[i].item != NULL)
			item_free(table[i].item, table[i].zone);
		table[i].item = NULL;
	}
	zones_end();
}

/* --- Interrupts --- */

static struct atomic32 interrupt_failures;

static void allocate_in_interrupt(void *arg)
{
	void *item = uma_zalloc(zones[1], M_NOWAIT), *piece = malloc(300, M_SELFTEST, M_NOWAIT);

	(void)arg;
	if (item == NULL || piece == NULL)
		atomic32_add(&interrupt_failures, 1, MO_RELAXED);
	if (item != NULL)
		item_fill(item, 1);
	uma_zfree(zones[1], item);
	free(piece, M_SELFTEST);
}

/* Each CPU interrupts the others while they work on the same zone and the same type. */
static void interrupts_on(unsigned index, unsigned count)
{
	struct cpuset online;

	(void)count;
	smp_online_set(&online);
	for (unsigned round = 0; round < ROUNDS && !selftest_failed(); round++) {
		void *item = uma_zalloc(zones[1], M_WAITOK);

		SELFTEST_CHECK(item != NULL);
		item_fill(item, 1);
		if (round % 4 == index % 4)
			smp_call(&online, allocate_in_interrupt, NULL);
		item_free(item, 1);
	}
}

static void interrupts(void)
{
	struct malloc_type_stats stats;

	atomic32_store(&interrupt_failures, 0, MO_RELAXED);
	zones_begin();
	if (!selftest_failed())
		(void)selftest_parallel(interrupts_on);
	SELFTEST_CHECK(atomic32_load(&interrupt_failures, MO_RELAXED) == 0);
	malloc_type_stats(M_SELFTEST, &stats);
	SELFTEST_CHECK(stats.in_use == 0 && stats.bytes_in_use == 0);
	zones_end();
}

/* --- Limits --- */

static uma_zone_t limited;
static struct atomic32 inside;

static void limit_on(unsigned index, unsigned count)
{
	(void)count;
	for (unsigned round = 0; round < LIMIT_ROUNDS && !selftest_failed(); round++) {
		void *item = uma_zalloc(limited, M_WAITOK);

		SELFTEST_CHECK(item != NULL);
		SELFTEST_CHECK(atomic32_add(&inside, 1, MO_SEQ_CST) < LIMIT);
		if (round % 8 == index % 8)
			thread_yield();
		atomic32_sub(&inside, 1, MO_SEQ_CST);
		uma_zfree(limited, item);
	}
}

static void limit_crowd(unsigned index, unsigned count)
{
	if (selftest_crowd_start(2, limit_on) != 0)
		limit_on(index, count);
	selftest_crowd_join();
}

static void limit(void)
{
	limited = uma_zcreate("selftest", 100, NULL, NULL, NULL, NULL, UMA_ALIGN_PTR, 0);
	SELFTEST_CHECK(limited != NULL);
	atomic32_store(&inside, 0, MO_RELAXED);
	SELFTEST_CHECK(uma_zone_set_max(limited, LIMIT) == LIMIT);
	limit_crowd(0, 1);
	if (selftest_failed())
		return;
	SELFTEST_CHECK(uma_zone_get_cur(limited) == 0);
	SELFTEST_CHECK(uma_zdestroy(limited));
	SELFTEST_CHECK(vm_audit(selftest_report) == 0);
}

/* --- malloc --- */

static size_t piece_size(unsigned round, unsigned i)
{
	size_t size = (round * 131 + i * 577) % 1200 + 8;

	return i % 12 == 0 ? size * 12 : size;
}

static void pieces_on(unsigned index, unsigned count)
{
	(void)count;
	for (unsigned round = index; round < index + ROUNDS && !selftest_failed(); round++) {
		void *held[HELD];

		for (unsigned i = 0; i < HELD; i++) {
			size_t size = piece_size(round, i);

			held[i] = malloc(size, M_SELFTEST, i % 3 ? M_WAITOK : M_WAITOK | M_ZERO);
			SELFTEST_CHECK(held[i] != NULL);
			SELFTEST_CHECK(i % 3 != 0 || *(char *)held[i] == 0);
			pattern_fill((vm_offset_t)held[i], size, (vm_offset_t)held[i]);
		}
		for (unsigned i = 0; i < HELD; i++) {
			SELFTEST_CHECK(pattern_check((vm_offset_t)held[i], piece_size(round, i),
						     (vm_offset_t)held[i]) == 0);
			free(held[i], M_SELFTEST);
		}
	}
}

static void pieces(void)
{
	struct malloc_type_stats stats;

	(void)selftest_parallel(pieces_on);
	malloc_type_stats(M_SELFTEST, &stats);
	SELFTEST_CHECK(stats.in_use == 0 && stats.bytes_in_use == 0);
	SELFTEST_CHECK(malloc_audit(selftest_report) == 0);
	SELFTEST_CHECK(vm_audit(selftest_report) == 0);
}

/* Grows a piece through all classes into kmem_map and back. */
static void resize(void)
{
	size_t filled = 16;
	char *piece = (char *)malloc(filled, M_SELFTEST, M_WAITOK);

	memset(piece, 0x5a, filled);
	for (size_t size = 32; size <= 40000; size += size / 2) {
		piece = (char *)realloc(piece, size, M_SELFTEST, M_WAITOK);
		SELFTEST_CHECK(piece != NULL);
		for (size_t i = 0; i < filled; i++)
			SELFTEST_CHECK(piece[i] == 0x5a);
		memset(piece, 0x5a, size);
		filled = size;
	}
	piece = (char *)realloc(piece, 16, M_SELFTEST, M_WAITOK);
	SELFTEST_CHECK(piece != NULL && piece[15] == 0x5a);
	free(piece, M_SELFTEST);
	SELFTEST_CHECK(malloc_audit(selftest_report) == 0);
}

/* --- Bad frees are refused where they do not panic --- */

static void bad_frees(void)
{
	bool strict = kmem_free_strict(), debug = uma_debug();
	uint64_t refused = uma_free_refused_count(), again = malloc_refused_count();
	uma_zone_t zone;
	void *item;
	int local;

	kmem_free_set_strict(false);
	uma_set_debug(true);
	zone = uma_zcreate("selftest", 100, NULL, NULL, NULL, NULL, UMA_ALIGN_PTR, 0);
	uma_set_debug(debug);
	item = zone != NULL ? uma_zalloc(zone, M_WAITOK) : NULL;
	if (item != NULL) {
		uma_zfree(zone, (char *)item + 8);
		uma_zfree(zone, &local);
		uma_zfree(zone, item);
		uma_zfree(zone, item);
	}
	free(&local, M_SELFTEST);
	kmem_free_set_strict(strict);
	SELFTEST_CHECK(item != NULL);
	SELFTEST_CHECK(uma_free_refused_count() == refused + 3);
	SELFTEST_CHECK(malloc_refused_count() == again + 1);
	SELFTEST_CHECK(uma_zdestroy(zone));
	SELFTEST_CHECK(vm_audit(selftest_report) == 0);
}

const struct selftest_case selftest_zones[] = {
    {"zones.exchange", exchange},
    {"zones.interrupts", interrupts},
    {"zones.limit", limit},
    {"zones.malloc", pieces},
    {"zones.realloc", resize},
    {"zones.bad_frees", bad_frees},
    {NULL, NULL},
};
