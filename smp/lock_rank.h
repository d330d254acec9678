/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The order of all locks, lowest first: a lock may be taken only while every lock held has a
 * lower rank. Equal ranks exclude each other, unless the lock says LOCK_NESTS.
 *
 * A debug build checks each acquisition and names both locks and both call sites.
 */
#ifndef QUIRE_SMP_LOCK_RANK_H
#define QUIRE_SMP_LOCK_RANK_H

enum lock_rank {
	LOCK_RANK_NONE = 0,         /* outside the order: never checked, for tests of the checker */
	LOCK_RANK_KERNEL = 50,      /* kernel/: shell, self-test */
	LOCK_RANK_EVENT = 60,       /* kernel/registry: lists of event handlers */
	LOCK_RANK_SYSCTL = 70,      /* kernel/registry: the tree of names */
	LOCK_RANK_MAP = 100,        /* struct vm_map */
	LOCK_RANK_QUARANTINE = 120, /* freed kernel memory that waits for TLBs, one a CPU */
	LOCK_RANK_MAP_ENTRIES = 150, /* pool of map entries */
	LOCK_RANK_SWAP = 160,        /* swap accounting */
	LOCK_RANK_OBJECT = 200,      /* struct vm_object */
	LOCK_RANK_RADIX = 250,       /* pool of radix nodes */
	LOCK_RANK_PMAP = 300,        /* kernel page table */
	LOCK_RANK_ZONES = 310,       /* the list of zones, and one zone's waiters */
	LOCK_RANK_KEG = 320,         /* the slabs of one zone in one domain */
	LOCK_RANK_SLAB = 330,        /* pools of zones and of slab headers */
	LOCK_RANK_FREE_PAGES = 400,  /* vm_phys, one a domain */
	LOCK_RANK_PAGE_WAIT = 430,   /* those who wait for pages */
	LOCK_RANK_SHOOTDOWN = 450,
	LOCK_RANK_SLEEP_QUEUE = 500,
	LOCK_RANK_RUN_QUEUE = 550,
	LOCK_RANK_CALL = 600, /* cross-CPU calls */
	LOCK_RANK_LOG = 800,
	LOCK_RANK_CONSOLE = 900,
};

#endif
