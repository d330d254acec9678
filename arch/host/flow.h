/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Flows: stacks with an execution on them, and switching between them so that the address and
 * thread sanitizers follow.
 *
 * A flow belongs to the machine and lives until the machine goes, or until a new flow is made on
 * the same stack: nobody tells the machine that a context has ended.
 */
#ifndef QUIRE_ARCH_HOST_FLOW_H
#define QUIRE_ARCH_HOST_FLOW_H

#include "lib/types.h"

struct host_flow {
	struct host_flow *next;
	void *sp;    /* while suspended */
	void *key;   /* the caller's stack, by which the flow is found again */
	char *stack; /* lowest usable byte */
	size_t stack_size;
	void *mapping; /* ours to unmap, or NULL */
	size_t mapping_size;
	void (*entry)(void *arg);
	void *arg;
	void *asan_stack; /* the address sanitizer's frames of this flow */
	void *tsan_fiber;
	bool tsan_owned;
	bool suspended;
};

/*
 * A flow that will call entry(arg), which never returns. `stack` may be NULL or too small: then
 * the machine maps one of at least `size` bytes with a guard page below.
 */
struct host_flow *host_flow_create(void *stack, size_t size, void (*entry)(void *arg), void *arg);

/* The flow that is running on the calling host thread's own stack. */
struct host_flow *host_flow_adopt(void);

/*
 * Suspends `from`, which runs, and resumes `to`. `ordered`: what the one did happens before what
 * the other does, as for two threads on one CPU; false between CPUs.
 */
void host_flow_switch(struct host_flow *from, struct host_flow *to, bool ordered);

/* Forgets all flows; none of them runs but adopted ones. */
void host_flows_destroy(void);

/* The ordering that hardware gives, told to the thread sanitizer where it watches. */
void host_order_release(void *what);
void host_order_acquire(void *what);

#endif
