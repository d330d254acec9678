/* SPDX-License-Identifier: BSD-2-Clause */
/* Page magazines from inside. */
#ifndef QUIRE_VM_VM_MAGAZINE_PRIVATE_H
#define QUIRE_VM_VM_MAGAZINE_PRIVATE_H

#include "arch/bootinfo.h"
#include "vm/vm_magazine.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Constant after init, what the caches contain and atomics apart. */
struct vm_magazines {
	struct mag_cache caches[MAXMEMDOM][VM_MAGAZINE_KINDS];
	uint8_t cpu_domain[MAXCPU];
	unsigned domains; /* 0: no magazines yet */
	unsigned cpus;
	struct atomic64 next_age_ns;
};
extern struct vm_magazines vm_magazines;

/* vm_magazine_zero.c: forgets who was at it; with the machine's memory. */
void vm_magazine_zero_init(void);

/* Does somebody count? */
bool vm_magazine_paused(void);

#ifdef __cplusplus
}
#endif

#endif
