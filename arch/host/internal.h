/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the host machine share. Not for tests: they have machine.h.
 *
 * The thread sanitizer does not look into these files (see BUILD): their state is the machine's,
 * not the program's, and ordering it would order the simulated CPUs. Where hardware orders two
 * CPUs, host_order_release() and host_order_acquire() say so.
 *
 * In THREADS mode several threads are in here. Fields written by more than one of them are
 * accessed with the compiler's atomics or under a host_latch; in COROUTINES mode neither matters.
 */
#ifndef QUIRE_ARCH_HOST_INTERNAL_H
#define QUIRE_ARCH_HOST_INTERNAL_H

#include <pthread.h>

#include "arch/bootinfo.h"
#include "arch/clock.h"
#include "arch/cpu.h"
#include "arch/host/director.h"
#include "arch/host/flow.h"
#include "arch/host/machine.h"
#include "arch/host/tlb.h"
#include "arch/physmap.h"
#include "lib/check.h"

#define HOST_NEVER UINT64_MAX

/* One round of the checksum over a run: FNV-1a's. */
#define HOST_TRACE_PRIME UINT64_C(0x100000001b3)

/* Bits of host_core.pending: one for each IPI, then these. */
enum {
	HOST_PENDING_TIMER = 1 << 8,
	HOST_PENDING_WAKE = 1 << 9, /* no interrupt: only ends an idle wait */
};

/* A lock that neither sanitizer nor simulated CPU sees. Held for a few instructions. */
struct host_latch {
	uint32_t held;
};

void host_latch_take(struct host_latch *latch);
void host_latch_drop(struct host_latch *latch);

struct host_job {
	void (*fn)(void *arg);
	void *arg;
	uint32_t waiting; /* (a) given, not yet taken */
	uint32_t done;    /* (a) */
};

/* A store that its CPU has made and no other CPU can see yet. */
struct host_store {
	volatile void *where;
	uint64_t value;
	unsigned size; /* bytes */
};

/* Oldest first. Only what runs on the CPU adds; whoever directs the machine drains. */
struct host_stores {
	unsigned count;
	struct host_store entries[HOST_STORES_MAX];
};

/* Runs fn(arg) in an interrupt at a place of a restartable sequence; fn NULL: none. */
struct host_probe {
	void (*fn)(void *arg);
	void *arg;
	unsigned sequence, place;
};

/*
 * A page that was released while this CPU, lazy, still knew it: the latest since its last full
 * flush. It must have flushed when it is lazy no more.
 */
struct host_excuse {
	bool given;
	vm_paddr_t pa;
	vm_offset_t va;
};

struct host_boot {
	struct arch_cpu_boot *slot; /* NULL: not started by arch_cpus_start */
	void (*entry)(void);
	uint64_t late_ns;
	bool silent;
};

/*
 * One CPU.
 * (o) that CPU only  (a) atomic  (t) tlb_latch  (c) constant once it runs
 */
struct host_cpu {
	struct host_core core; /* first */
	unsigned id;           /* (c) */
	uint32_t state;        /* (a) enum host_cpu_state */
	uint32_t listening;    /* (a) interrupts reach it */
	struct arch_percpu early_area;

	struct host_flow *flow; /* (o) what runs on it */
	struct host_flow *home; /* (c) what it started with */
	struct host_flow *base; /* (c) the host thread's own stack, in THREADS mode */
	pthread_t thread;
	bool has_thread;
	struct host_job job;
	struct host_boot boot;

	uint64_t random; /* (o) */
	bool watching;   /* (o) inside of the test's watch function */
	uint32_t polls;  /* (o) */

	uint64_t timer_period_ns;           /* (o) 0: not started */
	uint64_t timer_next_ns;             /* (o) */
	uint64_t wake_ns;                   /* (o) ends an idle wait */
	uint32_t delayed;                   /* (a) bits: IPIs on their way */
	uint32_t again;                     /* (a) bits: IPIs that arrive twice */
	uint64_t due_ns[ARCH_IPI_COUNT];    /* (a) */
	uint64_t delivered[ARCH_IPI_COUNT]; /* (o) */

	enum arch_hook_kind last_kind;   /* (o) for reports */
	const volatile void *last_where; /* (o) */

	struct host_stores stores; /* COROUTINES */
	unsigned irq_hold;         /* interrupts are taken so many hooks later */
	void (*nmi)(void);         /* to be taken, or NULL */
	bool in_nmi;

	struct host_probe probe; /* (o) */
	uint64_t restarts;       /* (o) sequences that were sent back */
	bool restart_disabled;   /* (o) by a test of the tests */

	struct host_latch tlb_latch;
	struct tlb tlb;             /* (t) */
	bool tlb_deaf;              /* set by tests while the CPU is quiet */
	struct host_excuse excuse;  /* (t) */
	uint64_t tlb_invalidations; /* (o) */
	uint64_t tlb_flushes;       /* (o) */
};

enum { HOST_RECENT = 64 };

/* How many of what translates to each frame, outside of the direct map, over all CPUs. */
struct host_reverse {
	uint32_t *leaves[4]; /* (a) by level 1..3, index = address >> shift of the level */
	uint32_t *tables;    /* (a) by frame */
	uint32_t typed;      /* (a) leaves, direct map included, whose type is not the default */
	uint64_t limit;      /* (c) bytes covered */
};

struct host_machine {
	struct host_config config;
	struct host_cpu *cpus;
	struct boot_info *boot;
	vm_paddr_t ram_end; /* end of the last range */
	vm_paddr_t root;
	vm_offset_t image_end;
	struct host_reverse reverse;

	uint64_t now_ns;     /* COROUTINES: simulated; THREADS: when it was made, in real time */
	uint64_t next_event; /* COROUTINES: no timer or interrupt is due before */
	uint64_t steps;
	uint64_t trace;
	uint64_t lonely_ns;   /* time that one CPU has spun with nobody else to run */
	unsigned quiet_ticks; /* (a) idle jumps since anything but an interrupt ran */
	uint32_t stopping;    /* (a) THREADS: every CPU leaves */
	uint32_t frozen;      /* (a) after a panic */

	void (*watch)(enum arch_hook_kind kind, const volatile void *where, void *ctx);
	void *watch_ctx;

	const struct host_director *director; /* decides in place of chance, or NULL */
	bool directed;                        /* it is asked now */
	bool store_buffers;
	bool watch_values;
	uint64_t rewind_ns; /* the time that host_rewind() goes back to */

	bool probes_used; /* restartable sequences go step by step */

	uint64_t recent[HOST_RECENT]; /* (a) addresses used lately, for speculation */
	uint32_t recent_next;         /* (a) */
};

extern struct host_machine *host_machine;

static inline struct host_cpu *host_self(void)
{
	return (struct host_cpu *)host_core;
}

static inline bool host_is_threads(void)
{
	return host_machine->config.mode == HOST_THREADS;
}

/* Something other than a tick happened. */
static inline void host_not_quiet(void)
{
	__atomic_store_n(&host_machine->quiet_ticks, 0, __ATOMIC_RELAXED);
}

/* machine.c */
struct host_cpu *host_cpu_of(unsigned cpu); /* panics when there is none */
void host_hooks_update(void);               /* arms the hooks if anything needs them */

/* ram.c: the RAM itself. tables.c: the tables that are there at boot. */
void host_ram_create(struct host_machine *machine);
void host_ram_destroy(struct host_machine *machine);
bool host_ram_contains(vm_paddr_t pa);
void host_tables_create(struct host_machine *machine);

/* sched.c: turns, in COROUTINES mode. */
bool host_sched_yield(struct host_cpu *self); /* false: nobody else can run */
void host_sched_hook(struct host_cpu *self, enum arch_hook_kind kind);
void host_sched_relax(struct host_cpu *self);
void host_sched_idle(struct host_cpu *self); /* returns with something pending */
void host_sched_step(struct host_cpu *self, enum arch_hook_kind kind);
bool host_sched_can_run(const struct host_cpu *cpu);

/* stores.c: store buffers. */
void host_values_seen(const struct host_cpu *self, uint64_t value); /* tells the director */
void host_stores_drain_all(struct host_cpu *cpu);
static inline void host_stores_fence(struct host_cpu *self)
{
	if (unlikely(self->stores.count != 0))
		host_stores_drain_all(self);
}

/* threads.c: the same in THREADS mode. */
void host_threads_hook(struct host_cpu *self);
void host_threads_relax(struct host_cpu *self);
void host_threads_idle(struct host_cpu *self);
void host_threads_start(struct host_cpu *cpu);
void host_threads_wake(struct host_cpu *cpu);
void host_threads_stop_all(void);

/* cpus.c: what a CPU does from its first instruction on. */
void host_cpu_start_flow(struct host_cpu *cpu);

/* irq.c */
void host_irq_set(struct host_cpu *cpu, uint32_t bits); /* from any CPU; wakes it */
void host_irq_deliver(struct host_cpu *self);           /* if enabled and pending */
void host_irq_reset(void);
void host_nmi_take(struct host_cpu *self); /* if one waits */

/* timer.c: what happens at a time. */
void host_events_fire(struct host_cpu *cpu, uint64_t now);
uint64_t host_events_next(const struct host_cpu *cpu);
void host_events_changed(void); /* COROUTINES: next_event may be earlier than thought */
void host_wake_after(struct host_cpu *self, uint64_t ns);
void host_ipi_post_late(struct host_cpu *cpu, enum arch_ipi ipi, uint64_t ns);

/* ipi.c, fault_point.c, log.c, console.c, fault.c: back to how a new machine has them. */
void host_ipi_reset(void);
void host_faults_reset(void);
void host_log_reset(void);
void host_console_reset(void);
void host_fault_handler_reset(void);
bool host_fault_resolve(const struct arch_fault *fault, char *why, size_t why_size);

/* real.c: the workstation underneath. */
uint64_t host_real_ns(void);
void host_real_pause(void);

/* random.c */
uint64_t host_random_start(uint64_t seed, unsigned stream);
uint64_t host_random_next(uint64_t *state);
bool host_chance(struct host_cpu *self, uint32_t ppm);

/* walk.c */
enum host_walk_result { HOST_WALK_OK, HOST_WALK_FAULT, HOST_WALK_NON_CANONICAL };
enum host_walk_result host_mmu_access(vm_offset_t va, enum host_access access, vm_paddr_t *pa,
				      struct arch_fault *fault);
void host_mmu_speculate(struct host_cpu *self);
void host_mmu_used(vm_offset_t va); /* speculation goes where addresses were used lately */

/* What a walk of `self` finds in an entry: its own buffered stores come first. */
pte_t host_stores_pte(const struct host_cpu *self, const pte_t *entry);

/* mmu.c */
void host_tlb_rewind(struct host_cpu *cpu);
void host_tlb_add(struct host_cpu *self, const struct tlb_entry *entry);
void host_tlb_forget(struct host_cpu *self, vm_offset_t va, bool tables);

/* cache.c */
void host_cache_reset(void);

/* oracle.c */
bool host_permanent(vm_offset_t va); /* maps the same for as long as the machine exists */
void host_oracle_cache_flushed(vm_paddr_t pa, vm_size_t size);
void host_reverse_create(struct host_reverse *reverse, vm_paddr_t limit);
void host_reverse_destroy(struct host_reverse *reverse);
void host_reverse_count(struct host_reverse *reverse, const struct tlb_entry *entry, int change);

#endif
