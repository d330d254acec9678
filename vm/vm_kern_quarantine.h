/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The quarantine: where freed kernel memory waits until no CPU remembers its translations.
 * The theory is in vm_kern_quarantine.c.
 */
#ifndef QUIRE_VM_VM_KERN_QUARANTINE_H
#define QUIRE_VM_VM_KERN_QUARANTINE_H

#include "vm/vm_param.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Before the first free; memory for `cpus` CPUs comes from the boot allocator. Once. */
void kmem_quarantine_init(unsigned cpus);

/*
 * Makes every CPU forget, and gives back all that waits, of every CPU; asks only CPUs that have not
 * flushed since. Returns pages; 0, with nothing done, where CPUs cannot be asked: with a spinlock
 * held, interrupts off, or in an interrupt. For whoever is short of pages or of addresses.
 */
uint64_t kmem_quarantine_flush(void);

/*
 * Gives back a piece of what this CPU may give back by now: a part of vm_idle. False when there is
 * nothing.
 */
bool kmem_quarantine_idle(void);

/*
 * Immediate: frees shoot down at once, as they did before there was a quarantine; what waits is
 * flushed. sysctl vm.tlb.immediate. Context of kmem_quarantine_flush.
 */
void kmem_quarantine_set_immediate(bool immediate);
bool kmem_quarantine_immediate(void);

/* Pages in quarantine: allocated as far as maps and objects know. Exact at rest. Any context. */
uint64_t kmem_quarantine_pages(void);

struct kmem_quarantine_stats {
	uint64_t ranges, pages;        /* put there since boot */
	uint64_t runs;                 /* given back: neighbours in one piece */
	uint64_t batches;              /* generations that were begun for them */
	uint64_t flushes;              /* of everything, for whoever was short or at the limit */
	uint64_t limit_flushes;        /* of these: at the limit */
	uint64_t pages_now, pages_max; /* waiting; the most that ever did, seen at batches */
	uint64_t pages_limit;          /* for all CPUs together */
};
void kmem_quarantine_stats(struct kmem_quarantine_stats *stats);

/* Makes the sysctls. Once. */
void kmem_quarantine_sysctl_init(void);

/* Nothing in quarantine is mapped, and counts are right. Returns broken rules, reported. Exact when
 * nobody frees. Thread context. */
unsigned kmem_quarantine_audit(void (*report)(const char *line));

#ifdef __cplusplus
}
#endif

#endif
