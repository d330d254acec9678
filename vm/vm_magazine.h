/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page magazines: each CPU keeps a few free pages at hand, so that a page is usually allocated
 * and freed without a shared lock. Bonwick and Adams, "Magazines and Vmem" (USENIX 2001).
 */
#ifndef QUIRE_VM_VM_MAGAZINE_H
#define QUIRE_VM_VM_MAGAZINE_H

#include "vm/vm_page.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { VM_MAGAZINE_ROUNDS = 32 }; /* pages in a magazine; also the batch exchanged with vm_phys */

/*
 * Makes room for `cpus` CPUs: memory from vm_boot_alloc, so before vm_phys_init. Without it pages
 * come from vm_phys.
 */
void vm_magazine_init(unsigned cpus);

/*
 * One page of the domain for the running CPU, or NULL when neither its magazines nor vm_phys
 * have one. `floor` is how many free pages of the machine must remain in vm_phys for this class.
 * Any context.
 */
vm_page_t vm_magazine_alloc(unsigned domain, uint64_t floor);

/* Takes a page that is in no object, unwired. Any context. */
void vm_magazine_free(vm_page_t m);

/* Gives every CPU's pages back to vm_phys, from any CPU, while the others run. Returns how many. */
uint64_t vm_magazine_drain(void);

struct vm_magazine_stats {
	uint64_t cached; /* pages held now */
	uint64_t alloc_hits, alloc_misses;
	uint64_t free_hits, free_misses;
};
void vm_magazine_stats(unsigned cpu, struct vm_magazine_stats *stats);

/* Checks counts, states and that no page is in two places; returns broken rules reported. */
unsigned vm_magazine_audit(void (*report)(const char *line));

#ifdef __cplusplus
}
#endif

#endif
