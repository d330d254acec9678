/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The stress: every path of the memory system on every CPU at once, with contents that prove what
 * happened.
 *
 * Each CPU has a worker, and each worker some items: memory of one kind that it filled with a
 * pattern of its own. A step makes an item, or checks and gives back one, or hands one to the
 * worker of another CPU, which checks it through its own TLB, or does something to the system
 * (an act): takes rights away, empties all caches, idles. A page that two owners got, a translation
 * that outlived its mapping, a page given back too early: each ends as a word that is wrong.
 *
 * Everything that is chosen follows from one seed and the number of the CPU; what the CPUs do to
 * each other does not, and is the point.
 */
#ifndef QUIRE_KERNEL_STRESS_STRESS_H
#define QUIRE_KERNEL_STRESS_STRESS_H

#include "lib/types.h"
#include "smp/spinlock.h"

struct stress_kind;

struct stress_item {
	const struct stress_kind *kind; /* NULL: empty */
	vm_offset_t addr;
	vm_size_t size; /* bytes, whole words */
	uint64_t seed;  /* of the pattern */
	void *extra;    /* the kind's own */
};

enum { STRESS_ITEMS = 48, STRESS_INBOX = 8 };

/* (o) that worker only  (l) lock */
struct stress_worker {
	unsigned index, count, cpu;
	uint64_t random;                              /* (o) */
	uint64_t held_bytes, quota_bytes;             /* (o) */
	struct stress_item items[STRESS_ITEMS];       /* (o) */
	uint64_t steps, short_of_memory, bytes, gone; /* (o) read at the end; gone: handed over */

	struct spinlock lock;
	struct stress_item inbox[STRESS_INBOX]; /* (l) */
	unsigned inbox_count;                   /* (l) */
};

/* A kind of memory. Thread context, nothing locked. */
struct stress_kind {
	const char *name;
	const char *help;
	unsigned weight; /* how often, among all kinds */
	/* Fills in addr, size and extra; false when memory is short. */
	bool (*make)(struct stress_worker *worker, struct stress_item *item);
	void (*drop)(struct stress_item *item);
	/* A second look at a full item, by another way than addr; NULL without. */
	void (*inspect)(struct stress_worker *worker, struct stress_item *item);
};

/* Something that is done to the system, or to an item (item NULL: none is held). */
struct stress_act {
	const char *name;
	const char *help;
	unsigned every; /* steps, on average */
	void (*act)(struct stress_worker *worker, struct stress_item *item);
};

/* Ends with an entry whose name is NULL. */
extern const struct stress_kind stress_kinds_pages[];
extern const struct stress_kind stress_kinds_kmem[];
extern const struct stress_kind stress_kinds_zones[];
extern const struct stress_act stress_acts[];

/* kinds_zones.c: the zones that its kinds need. Thread context. */
void stress_zones_make(void);

/* worker.c: the life of one worker, until stress_stopped(). */
void stress_worker_run(struct stress_worker *worker);
void stress_worker_empty(struct stress_worker *worker);
uint64_t stress_random(struct stress_worker *worker, uint64_t limit);

/* The pattern of an item, whole or at some words. What is wrong is reported. */
void stress_fill(struct stress_item *item, uint64_t seed);
void stress_check(struct stress_worker *worker, const struct stress_item *item, vm_offset_t addr,
		  const char *how);

/* select.c: which kinds and acts take part. */
void stress_select_all(void);
void stress_select_none(void);
bool stress_select(const char *name); /* false: there is none of that name */
void stress_select_end(void);
const struct stress_kind *stress_pick_kind(uint64_t random);
const struct stress_act *stress_pick_act(struct stress_worker *worker);
void stress_list(void (*show)(const char *name, const char *help));

/* stress.c: what workers look at. */
bool stress_stopped(void);
struct stress_worker *stress_worker_of(unsigned index);
/* Says what is wrong, once for the first few, and ends the stress. Any thread. */
void stress_error(const char *fmt, ...) QUIRE_PRINTF(1, 2);

#endif
