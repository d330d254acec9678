/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The stress: every path of the memory system on every CPU at once, with contents that prove what
 * happened.
 *
 * Each CPU has a worker, and each worker some items: memory of one kind that it filled with a
 * pattern of its own. A step makes an item, or checks and gives back one, or hands one to the
 * worker of another CPU, which checks it through its own TLB, or does something to the system
 * (an act): takes rights away, moves a shared window to other pages, empties all caches, idles. A
 * page that two owners got, a translation that outlived its mapping, a page given back too early:
 * each ends as a word that is wrong.
 *
 * A scenario says which kinds and acts take part, and how. The programme is a list of scenarios;
 * all CPUs are in the same one, each for some seconds, and the last one ends a pass.
 *
 * Everything that is chosen follows from one seed and the number of the CPU; what the CPUs do to
 * each other does not, and is the point.
 *
 *	args.c        the command and its words
 *	run.c         workers from beginning to end; the passes
 *	worker.c      what one CPU does
 *	scenario.c    the scenarios; select.c: the programme
 *	kinds_*.c     memory of each kind; acts.c, windows.c: acts
 *	report.c      errors
 *	figures.c     what is shown, once a second; dashboard.c, page_*.c: how
 *	summary.c     what remains
 */
#ifndef QUIRE_KERNEL_STRESS_STRESS_H
#define QUIRE_KERNEL_STRESS_STRESS_H

#include "lib/types.h"
#include "smp/spinlock.h"

struct stress_kind;

struct stress_item {
	const struct stress_kind *kind; /* NULL: empty */
	vm_offset_t addr;
	vm_size_t size;     /* bytes, whole words */
	uint64_t seed;      /* of the pattern */
	unsigned filled_by; /* CPU */
	void *extra;        /* the kind's own */
};

/* What took longest, and where. */
struct stress_worst {
	uint64_t ns;
	const char *name; /* of the kind or act; NULL: none yet */
	unsigned cpu;
};

enum stress_timed { STRESS_MAKE, STRESS_DROP, STRESS_ACT, STRESS_TIMED };

enum { STRESS_ITEMS = 128, STRESS_INBOX = 8 };

/* (c) constant while it runs  (o) that worker only; others may look  (l) lock */
struct stress_worker {
	unsigned index, count, cpu;              /* (c) */
	uint64_t share_bytes;                    /* (c) its part of the memory that was free */
	uint64_t random;                         /* (o) */
	uint64_t held_bytes;                     /* (o) */
	struct stress_item items[STRESS_ITEMS];  /* (o) */
	uint64_t steps, bytes;                   /* (o) bytes: verified */
	uint64_t short_of_memory, gone;          /* (o) gone: handed over */
	struct stress_worst worst[STRESS_TIMED]; /* (o) */

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
extern const struct stress_kind stress_kinds_hoard[]; /* not among "all" */
extern const struct stress_act stress_acts[];

/* kinds_zones.c: the zones that its kinds need. Thread context. */
void stress_zones_make(void);

/* worker.c: the life of one worker, until stress_stopped(). */
void stress_worker_run(struct stress_worker *worker);
void stress_worker_empty(struct stress_worker *worker);
uint64_t stress_random(struct stress_worker *worker, uint64_t limit);

/* M_NOWAIT, or sometimes M_WAITOK, when waiting for memory cannot be for ever. */
int stress_wait_flag(struct stress_worker *worker);

/* The pattern of an item, whole. What is wrong is reported. */
void stress_fill(struct stress_item *item, uint64_t seed);
void stress_check(struct stress_worker *worker, const struct stress_item *item, vm_offset_t addr,
		  const char *how);

/* Is memory that should be zero? Reports the first word that is not. */
void stress_check_zero(const struct stress_item *item, const char *what);

/*
 * windows.c: memory that all CPUs look at while it changes its pages or its rights. Made before
 * the workers start; without memory for it its acts do nothing.
 */
void stress_windows_make(void);
void stress_windows_free(void);
void stress_window_look(struct stress_worker *worker, struct stress_item *item);
void stress_window_remap(struct stress_worker *worker, struct stress_item *item);
void stress_window_revoke(struct stress_worker *worker, struct stress_item *item);

/* run.c: what workers look at. */
bool stress_stopped(void);
bool stress_paused(void);
struct stress_worker *stress_worker_of(unsigned index);

/* report.c: says what is wrong, the first few times, and ends the stress. Any thread. */
void stress_error(const char *fmt, ...) QUIRE_PRINTF(1, 2);

#endif
