/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Directing the host machine: somebody else than chance decides what happens at each hook. For the
 * schedule explorer (tests/explore), which runs many short schedules on one machine.
 *
 * COROUTINES mode. A director is asked at every hook and whenever the running CPU cannot go on, in
 * that CPU's flow, and acts through the functions below. While one is set and active, nothing
 * random happens: a run depends on its answers alone.
 *
 * Store buffers. A CPU of x86 keeps its stores to itself for a while; its own loads find them,
 * other CPUs do not, and they become visible in their order (Intel SDM vol. 3A 9.2.2). Switched
 * on, the atomic stores and page-table writes of each CPU wait in such a buffer until the director
 * drains it, or it is full, or the CPU does one of these: a locked operation, a sequentially
 * consistent store, INVLPG or a load of CR3, an interrupt command, a return from an interrupt
 * (9.3 on serialising instructions). Plain variables are not buffered: code without data races
 * cannot tell.
 */
#ifndef QUIRE_ARCH_HOST_DIRECTOR_H
#define QUIRE_ARCH_HOST_DIRECTOR_H

#include "arch/hook.h"
#include "arch/host/machine.h"
#include "lib/types.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { HOST_STORES_MAX = 8 };

struct host_director {
	/* Before the access that the hook announces. May do anything below. */
	void (*hook)(unsigned cpu, enum arch_hook_kind kind, const volatile void *where);

	/* The CPU waits: it relaxes, or idles. Lets another run; false if that was not possible. */
	bool (*yield)(unsigned cpu);

	/* What an atomic access, a table walk or a load through the TLB found. May be NULL. */
	void (*seen)(unsigned cpu, uint64_t value);

	/* What an atomic access stores, unless it is a read-modify-write. May be NULL. */
	void (*stored)(unsigned cpu, uint64_t value);

	/* The CPU takes an interrupt (enum arch_ipi, or ARCH_IPI_COUNT for a tick). May be NULL. */
	void (*interrupt)(unsigned cpu, unsigned ipi);
};

/* NULL: chance again. Not copied. Starts inactive. */
void host_direct(const struct host_director *director);

/* Inactive, the machine behaves as if hooks were not armed; waiting CPUs still let others run. */
void host_direct_activate(bool on);

/* The CPUs that could run now, as bits, the running one included. */
uint32_t host_runnable(void);

/* Buffers stores from here on; off drains all that wait. */
void host_set_store_buffers(bool on);

/* Has `seen` and `stored` called although stores are not buffered. */
void host_set_watch_values(bool on);

unsigned host_stores_waiting(unsigned cpu);
bool host_stores_oldest(unsigned cpu, const volatile void **where, uint64_t *value);

/* The oldest store of `cpu` becomes visible to all; false if there is none. */
bool host_stores_drain(unsigned cpu);

/* `cpu` reads ahead: it fetches the translation of va, if the tables have one. */
void host_speculate(unsigned cpu, vm_offset_t va);

/* The same for an address near one that was used lately: which it was, or 0 if there is none. */
vm_offset_t host_speculate_near(unsigned cpu, uint64_t chance);

/* The running CPU takes no interrupt at its next `hooks` hooks, unless it idles or relaxes. */
void host_irq_hold(unsigned hooks);

/* Whether the running CPU is about to take one, at this hook. */
bool host_irq_imminent(void);

/* Interrupts that wait for `cpu`, as bits. */
uint32_t host_irq_waiting(unsigned cpu);

/* Whether `cpu` would take one when it runs. */
bool host_irq_deliverable(unsigned cpu);

/* A checksum of the stores that wait on `cpu`. */
uint64_t host_stores_hash(unsigned cpu);

/* Ends the wait of a CPU that idles. */
void host_cpu_wake(unsigned cpu);

/*
 * `cpu` runs fn in a non-maskable interrupt before its next hook, or at once where it idles and is
 * let run: interrupts stay off in it, and no second one comes until it is over. False, and nothing
 * happens, if one is under way there or the CPU is not started.
 */
bool host_nmi(unsigned cpu, void (*fn)(void));

/* A checksum of what `cpu` has in its TLB, whatever the order in which it came there. */
uint64_t host_tlb_hash(unsigned cpu);

/* The end of simulated RAM, as a physical address. */
vm_paddr_t host_ram_end(void);

/* Mixes a decision into host_trace(). */
void host_trace_mix(uint64_t value);

/*
 * Everything of the machine's that decides how a run goes, as after the first call: time, chance
 * (from the seed), steps and trace, TLBs, store buffers, interrupts under way, controls of
 * interrupts. Memory and handlers stay. All CPUs but the caller, CPU 0, idle. In THREADS mode,
 * where time and chance decide, only the TLBs.
 */
void host_rewind(uint64_t seed);

/*
 * What panic() calls first, with the message, on whatever stack it happens; NULL for none. If it
 * returns, panic() goes on. Outlives machines.
 */
void host_set_panic_handler(void (*handler)(const char *message));

#ifdef __cplusplus
}
#endif

#endif
