/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host machine: a multiprocessor that exists in a test program, seen from the test.
 *
 * Purpose. vm/, smp/ and kernel/sched/ run on it as they ship. It has N CPUs, RAM with holes, the
 * page-table format of the real machine walked in software, a TLB for each CPU that keeps every
 * translation until somebody invalidates it, interrupts, timers and a clock.
 *
 * Vocabulary. A *flow* is a stack with somebody's execution on it: one per CPU to begin with, one
 * more for each context that the kernel makes. A *hook* is a place where portable code touches
 * shared state (arch/hook.h). A *step* is one hook that was taken while hooks were armed.
 *
 * Modes. COROUTINES: all CPUs live in one thread of the host and take turns; who runs next is
 * drawn from the seed at hooks, always at arch_cpu_relax() and arch_cpu_idle(). Time is simulated:
 * it advances with steps, and jumps when every CPU is idle. Same seed, same run, to the bit.
 * THREADS: each CPU is a thread of the host and time is real: for the thread sanitizer.
 * CPU 0 is the flow that created the machine, in both modes.
 *
 * The thread sanitizer sees CPUs as unordered in both modes, so plain variables which two CPUs
 * share are reported; starting a CPU, host_cpu_wait() and interrupts order as they do on hardware.
 *
 * Context: unless a function says otherwise it may be called from any CPU's flow, and a broken
 * precondition panics. Addresses never take part in a decision.
 */
#ifndef QUIRE_ARCH_HOST_MACHINE_H
#define QUIRE_ARCH_HOST_MACHINE_H

#include "arch/cpus.h"
#include "arch/fault.h"
#include "arch/hook.h"
#include "arch/ipi.h"
#include "arch/mmu.h"
#include "lib/types.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
	HOST_RANGES_MAX = 64,
	HOST_PHYS_BITS = 40, /* bits of a physical address; the ones above are reserved in tables */
	/* Contexts on smaller stacks get one from the host instead, which sanitizers need. */
	HOST_STACK_MIN = 64 * 1024,
};

enum host_mode { HOST_COROUTINES, HOST_THREADS };

/* RAM, [start, end), page-aligned. What lies between ranges is a hole: touching it crashes. */
struct host_range {
	vm_paddr_t start;
	vm_paddr_t end;
	unsigned domain;
};

/* A field that is 0 means its default. */
struct host_config {
	unsigned cpus; /* default 1 */
	enum host_mode mode;
	uint64_t seed;
	struct host_range ranges[HOST_RANGES_MAX]; /* sorted, disjoint; default 64 MiB, one hole */
	unsigned range_count;
	uint8_t cpu_domains[MAXCPU]; /* the domain nearest to each CPU */
	vm_size_t image_size;        /* of the simulated kernel image; default 2 MiB, or RAM / 8 */
	const char *cmdline;         /* default "" */
	uint32_t switch_ppm;         /* millionths: how often a hook lets another CPU run */
	uint32_t speculate_ppm;      /* millionths: how often a hook fills the TLB uncalled for */
	unsigned tlb_capacity;       /* entries per CPU, then a random one goes; default no limit */
	uint64_t step_ns;            /* simulated time of one step; default 20 */
	uint64_t max_steps;       /* panic after so many: for hunting livelocks; default no limit */
	unsigned quiet_ticks_max; /* ticks with nothing but ticks until it counts as a deadlock */
	bool fill_ram;            /* with junk, as after power-on; otherwise RAM starts as zeroes */
};

/*
 * One machine at a time. Everything starts afresh: RAM, TLBs, handlers, controls below, log.
 * destroy: from the flow that called create; the other CPUs are stopped wherever they are.
 */
void host_machine_create(const struct host_config *config);
void host_machine_destroy(void);
bool host_machine_exists(void);
const struct host_config *host_machine_config(void);

/* --- CPUs, without the kernel's own way to start them --- */

/*
 * Runs fn(arg) on a CPU's own flow, interrupts enabled, soon; an interrupt that is sent from now
 * on reaches it. When fn returns the CPU waits for interrupts with them enabled, and may be given
 * the next function. Not for CPU 0, nor for a CPU that arch_cpus_start() started.
 */
void host_cpu_run(unsigned cpu, void (*fn)(void *arg), void *arg);

/* Until that function has returned, interrupts on meanwhile as the caller had them. */
void host_cpu_wait(unsigned cpu);

/* fn(arg) on every CPU at once, the calling CPU 0 included; returns when all have finished. */
void host_run_all(void (*fn)(void *arg), void *arg);

/*
 * Runs fn(arg) at once, on the caller's stack, as if on `cpu`: its TLB, its area, its interrupt
 * flag. Only for a CPU that has never been started.
 */
void host_cpu_borrow(unsigned cpu, void (*fn)(void *arg), void *arg);

/* COROUTINES: lets `cpu` run now if it can; returns when the caller's turn comes again. */
void host_switch_to(unsigned cpu);

/* Before arch_cpus_start(): a CPU that never answers, or one that answers so much later. */
void host_cpu_set_silent(unsigned cpu);
void host_cpu_set_late(unsigned cpu, uint64_t ns);

enum host_cpu_state {
	HOST_CPU_OFF,    /* never started */
	HOST_CPU_ACTIVE, /* runs or would run */
	HOST_CPU_IDLE,   /* in arch_cpu_idle() */
	HOST_CPU_HALTED, /* for good */
};

enum host_cpu_state host_cpu_state(unsigned cpu);

/* --- Scheduling --- */

/* Changes the probabilities of the configuration from here on. */
void host_set_switch_ppm(uint32_t ppm);
void host_set_speculate_ppm(uint32_t ppm);

/*
 * Calls watch(kind, where, ctx) at every hook, on the CPU that took it, before anything else
 * happens there; NULL ends it. It may call host_switch_to() and the controls of this file. Hooks
 * inside of it are not watched. `where` must not decide anything: it differs between runs.
 */
void host_set_watch(void (*watch)(enum arch_hook_kind kind, const volatile void *where, void *ctx),
		    void *ctx);

/* Steps so far, and a checksum over who took which hook in which order. COROUTINES. */
uint64_t host_steps(void);
uint64_t host_trace(void);

/* COROUTINES: moves simulated time forward; timers fire at the hooks that follow. */
void host_clock_advance(uint64_t ns);

/* A number in [0, limit) from this CPU's part of the seed, for tests that need chance. */
uint64_t host_random(uint64_t limit);

/* --- Interrupts --- */

/* A `kind` of ARCH_IPI_COUNT means every kind, in what follows. */

/* Loses the next `count` interrupts of the kind (each target of a set is one), or all. */
void host_ipi_drop_next(enum arch_ipi kind, unsigned count);
void host_ipi_drop_all(enum arch_ipi kind, bool on);

/* Interrupts arrive so much later; twice; or without having been sent. */
void host_ipi_delay(enum arch_ipi kind, uint64_t ns);
void host_ipi_duplicate(enum arch_ipi kind, bool on);
void host_ipi_spurious(unsigned cpu, enum arch_ipi kind);

/* Sent: one for each target, lost ones included. Delivered: handler runs on that CPU. */
uint64_t host_ipi_sent(enum arch_ipi kind);
uint64_t host_ipi_dropped(enum arch_ipi kind);
uint64_t host_ipi_delivered(unsigned cpu, enum arch_ipi kind);

/* --- Kernel memory as the CPU that asks sees it --- */

enum host_access { HOST_READ, HOST_WRITE, HOST_EXECUTE };

/*
 * Through this CPU's TLB and, on a miss, its walk of the tables. A page fault goes to the handler
 * of arch_fault_set_handler(); one that it does not resolve panics. The bytes may span pages.
 */
void host_load(vm_offset_t va, void *dst, size_t n);
void host_store(vm_offset_t va, const void *src, size_t n);
void host_fill(vm_offset_t va, int byte, size_t n);

/* One aligned word, as one atomic relaxed access. */
uint64_t host_load64(vm_offset_t va);
void host_store64(vm_offset_t va, uint64_t value);

/* Fetches an instruction, as far as the tables are concerned. */
void host_execute(vm_offset_t va);

/* The same, but an unresolved fault gives false, and bytes of earlier pages are done. */
bool host_load_nofault(vm_offset_t va, void *dst, size_t n);
bool host_store_nofault(vm_offset_t va, const void *src, size_t n);
bool host_execute_nofault(vm_offset_t va);

/* Asks without the fault handler. On true *pa (may be NULL) is the address; *fault otherwise. */
bool host_translate(vm_offset_t va, enum host_access access, vm_paddr_t *pa,
		    struct arch_fault *fault);

/* What the tables say now, past every TLB: the leaf entry, or 0 when nothing is mapped. */
pte_t host_walk_tables(vm_offset_t va, unsigned *level);

/* --- TLBs --- */

/* A leaf that a CPU remembers, or a table (`table`) on the way to leaves below `va`. */
struct host_tlb_entry {
	vm_offset_t va; /* first address it covers */
	vm_paddr_t pa;  /* of the page, or of the table */
	unsigned level; /* leaf: 1, 2, 3 for 4 KiB, 2 MiB, 1 GiB; table: level of the table */
	bool table;
	bool writable, executable, dirty;
	vm_memattr_t attr;
};

/* The leaf through which `cpu` would translate va without looking at the tables. */
bool host_tlb_find(unsigned cpu, vm_offset_t va, struct host_tlb_entry *out);

/* The deepest table that `cpu` remembers for va. */
bool host_tlb_find_table(unsigned cpu, vm_offset_t va, struct host_tlb_entry *out);

/* Leaves that `cpu` holds. */
size_t host_tlb_count(unsigned cpu);

/*
 * Sabotage: from here on `cpu` invalidates nothing, although it does everything else that it is
 * asked to. This is the machine on which a shootdown is missing.
 */
void host_tlb_set_deaf(unsigned cpu, bool on);

/* Invalidations that `cpu` made. */
uint64_t host_tlb_invalidations(unsigned cpu);
uint64_t host_tlb_flushes(unsigned cpu);

/*
 * The oracle. arch_page_released() panics when any CPU still translates something to a page that
 * is given back, outside of the direct map, or remembers it as a table, or knows it with another
 * memory type than the default, the direct map included. arch_cache_flush() panics when a CPU
 * knows a page with another memory type than the tables give it in the direct map: that CPU could
 * fill its caches again. On unless switched off.
 * What a lazy CPU (arch/cpu.h) knows is no reason to panic; but it panics when it is lazy no more
 * and has not flushed, and at once when it uses anything but the direct map and the image.
 * The second form is the same question about a range of addresses that is about to be reused.
 */
void host_oracle_enable(bool on);
void host_assert_no_translation(vm_offset_t start, vm_offset_t end);

/* --- Caches --- */

struct host_cache_stats {
	uint64_t ranges; /* calls of arch_cache_flush() that were done */
	uint64_t pages;  /* in them */
	vm_paddr_t pa;   /* the latest range */
	vm_size_t size;  /* bytes */
	uint64_t all;    /* calls of arch_cache_flush_all(), on all CPUs */
};

/* Exact at rest. */
void host_cache_stats(struct host_cache_stats *stats);

/* Makes a machine whose CPUs cannot flush by address; new machines can. */
void host_cache_set_by_address(bool on);

/* --- Allocations that fail --- */

enum host_fault_policy {
	HOST_FAULT_OBSERVE,     /* count only */
	HOST_FAULT_NTH,         /* fail the nth call (1 = the next) */
	HOST_FAULT_FROM_NTH,    /* and all that follow */
	HOST_FAULT_PROBABILITY, /* fail `ppm` millionths of the calls */
};

struct host_fault_plan {
	enum host_fault_policy policy;
	uint64_t nth;
	uint32_t ppm;
	const char *site; /* calls of this site only; NULL for all. Not copied. */
};

/* Starts counting afresh; the sites seen are forgotten. */
void host_fault_arm(const struct host_fault_plan *plan);
void host_fault_disarm(void); /* counts stay readable */

uint64_t host_fault_calls(void);    /* that passed the plan's filter, since armed */
uint64_t host_fault_failures(void); /* of them */

struct host_fault_site {
	const char *name;
	uint64_t calls, failures;
};

/* Every site that was called since armed, filter or not, in the order of the first call. */
size_t host_fault_site_count(void);
bool host_fault_site_get(size_t index, struct host_fault_site *out);

/* --- What was said --- */

/* Everything that went through kprintf() since the machine was made; the last 256 KiB of it. */
const char *host_log(void);
void host_log_clear(void);

/* What arch_console_write() wrote, and what arch_console_read() will read. The text is copied. */
const char *host_console_output(void);
void host_console_input(const char *text);

/* One line for each CPU on what it is doing, on stderr. panic() prints it too. */
void host_print_cpus(void);

#ifdef __cplusplus
}
#endif

#endif
