/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * smp/: what it takes for several CPUs to share one memory.
 *
 * 1. Purpose. Everything above this layer may assume that it runs on any of N CPUs, knows which
 *    one, can exclude the others for a moment, and can make them do something. How interrupts are
 *    sent, CPUs started and translations dropped is the business of the layer below.
 *
 * 2. Vocabulary. present: listed by firmware. online: see below. Boot CPU: number 0, the one
 *    that the loader started. AP: any other. Site: "file:line" of an acquisition.
 *
 * 3. Parts. percpu: a CPU's own area. spinlock: the only lock that excludes interrupts, with
 *    lock_rank and lock_order, which say and check the order. preempt: the count that keeps the
 *    scheduler away, and the rules on who may sleep. patience: the bound on every wait for another
 *    CPU. call: run a function elsewhere. shootdown: make others forget translations. tlb: the
 *    same without asking them. smp: this.
 *
 * 4. Contexts. Waiting for another CPU's answer (call, shootdown) is done with interrupts on, so
 *    that the waiter answers others meanwhile; waiting for a spinlock is done with interrupts off,
 *    and its holder waits for nobody's answer. So no cycle of waiting CPUs exists.
 *
 * 5. Failure. A CPU that does not start is left out and the machine goes on. A CPU that is online
 *    and stops answering is named, asked again, and in the end is a panic: memory that it may
 *    still reach cannot be given to anybody.
 *
 * How a CPU becomes online. The starter and the CPU race twice, each time on one word:
 *
 *	claim (in arch_cpu_boot)  The CPU takes it before it touches its stack. The starter, out
 *				  of patience, takes it as abandoned; then the memory is free to
 *				  be given back, and a CPU that comes later parks without a stack.
 *	join (in struct percpu)   The CPU takes it when it is ready. The starter, out of patience
 *				  with a CPU that has its stack but does not get ready, refuses
 *				  it; the memory is lost then, and the CPU parks if it ever comes.
 *
 * After join the CPU sets its bit in the online set, THEN drops its whole TLB, and only then runs
 * code that uses translations which can be taken away. A CPU that changes a page table entry and
 * reads the online set afterwards has two cases, as both accesses to the set are sequentially
 * consistent. Either it finds the bit and asks the new CPU, which answers when it enables
 * interrupts. Or the bit was set after the read, hence after the change: the flush, which comes
 * later still, drops what had been fetched from the old entry, even speculatively (Intel SDM
 * vol. 3A 4.10.2.3), and the walks after it find the new one. Flushing before the bit is set
 * would leave a gap in which an old entry is fetched and nobody is told.
 */
#include "smp/smp.h"

#include "arch/clock.h"
#include "lib/check.h"
#include "lib/planted.h"
#include "smp/call.h"
#include "smp/patience.h"
#include "smp/smp_private.h"
#include "smp/tlb_private.h"

enum { JOIN_STARTING, JOIN_ONLINE, JOIN_REFUSED };

struct atomic64 smp_online[CPUSET_WORDS];

static struct {
	unsigned count; /* constant after smp_init */

	/* Written before the CPUs are started. */
	const struct smp_provider *provider;
	struct arch_cpu_boot *boots;
	void (*ap_main)(void);
} smp;

static void online_add(unsigned cpu)
{
	/* Sequentially consistent: pairs with the load in smp_online_set. */
	atomic64_or(&smp_online[cpu / 64], (uint64_t)1 << (cpu % 64), MO_SEQ_CST);
}

void smp_online_set(struct cpuset *set)
{
	for (unsigned i = 0; i < CPUSET_WORDS; i++)
		set->words[i] = i * 64 < smp.count ? atomic64_load(&smp_online[i], MO_SEQ_CST) : 0;
}

bool smp_cpu_online(unsigned cpu)
{
	if (cpu >= MAXCPU)
		return false;
	return atomic64_load(&smp_online[cpu / 64], MO_ACQUIRE) >> (cpu % 64) & 1;
}

unsigned smp_online_count(void)
{
	struct cpuset set;

	smp_online_set(&set);
	return cpuset_count(&set);
}

unsigned smp_cpu_count(void)
{
	return smp.count;
}

void smp_init(void)
{
	unsigned listed = arch_cpu_count();

	CHECK_LT(0, listed);
	percpu_init_boot();
	for (unsigned i = 0; i < CPUSET_WORDS; i++)
		atomic64_store(&smp_online[i], 0, MO_RELAXED);
	smp.count = listed < MAXCPU ? listed : MAXCPU;
	smp_call_init();
	tlb_forget();
	online_add(0);
}

void smp_set_limit(unsigned max)
{
	CHECK_LT(0, max);
	if (max < smp.count)
		smp.count = max;
}

void smp_join(void)
{
	if (PLANTED(join_flush_before_online))
		tlb_join();
	online_add(arch_cpu_id());
	if (!PLANTED(join_flush_before_online))
		tlb_join();
}

void smp_join_begin(unsigned cpu)
{
	atomic32_store(&percpu_of(cpu)->join, JOIN_STARTING, MO_RELAXED);
}

bool smp_join_claim(void)
{
	uint32_t starting = JOIN_STARTING;

	/* Acquire: pairs with the release in join_refuse, should the starter have refused. */
	return atomic32_cas(&percpu_self()->join, &starting, JOIN_ONLINE, MO_ACQ_REL);
}

static bool join_refuse(unsigned cpu)
{
	struct atomic32 *join = &percpu_of(cpu)->join;
	uint32_t starting = JOIN_STARTING;

	if (PLANTED(join_refused_by_store) && atomic32_load(join, MO_ACQUIRE) == starting) {
		atomic32_store(join, JOIN_REFUSED, MO_RELEASE);
		return true;
	}
	return atomic32_cas(join, &starting, JOIN_REFUSED, MO_ACQ_REL);
}

/* The first code of ours that an AP runs: own stack, own area, interrupts disabled. */
static void ap_entry(void)
{
	if (!smp_join_claim())
		arch_cpu_halt();
	smp_join();
	smp.ap_main();
	panic("cpu %u: its main function returned", arch_cpu_id());
}

static void ap_release(unsigned cpu)
{
	struct arch_cpu_boot *boot = &smp.boots[cpu];

	percpu_forget(cpu);
	if (boot->stack_base != NULL)
		smp.provider->stack_free(boot->stack_base, boot->stack_size);
	if (boot->percpu != NULL)
		smp.provider->free(boot->percpu, sizeof(struct percpu));
	boot->stack_base = NULL;
	boot->percpu = NULL;
}

/* Gives a CPU what it starts with, or makes it park when it comes. */
static void ap_prepare(unsigned cpu)
{
	struct arch_cpu_boot *boot = &smp.boots[cpu];
	struct percpu *area = (struct percpu *)smp.provider->alloc(sizeof(*area));

	if (area != NULL) {
		boot->percpu = &area->arch;
		boot->stack_base = smp.provider->stack_alloc(&boot->stack_size);
	}
	if (boot->stack_base == NULL) {
		ap_release(cpu);
		atomic32_store(&boot->claim, ARCH_CPU_ABANDONED, MO_RELAXED);
		return;
	}
	percpu_init(area, cpu);
	smp_join_begin(cpu);
	atomic32_store(&boot->claim, ARCH_CPU_UNCLAIMED, MO_RELAXED);
}

static unsigned aps_prepare(void)
{
	unsigned prepared = 0;

	for (unsigned cpu = 1; cpu < smp.count; cpu++) {
		ap_prepare(cpu);
		prepared += smp.boots[cpu].percpu != NULL;
	}
	return prepared;
}

/* Takes the memory of a CPU that has not touched it; false when it has. */
static bool ap_abandon(unsigned cpu)
{
	uint32_t unclaimed = ARCH_CPU_UNCLAIMED;

	/* Pairs with the CPU's own exchange: exactly one of us gets the stack. */
	return atomic32_cas(&smp.boots[cpu].claim, &unclaimed, ARCH_CPU_ABANDONED, MO_ACQ_REL);
}

bool smp_join_await(unsigned cpu, uint64_t start_ns, uint64_t limit_ns)
{
	while (!smp_cpu_online(cpu)) {
		arch_cpu_relax();
		if (arch_clock_ns() - start_ns < limit_ns)
			continue;
		if (join_refuse(cpu))
			return false;
		/* It has joined: setting its bit is the next thing that it does. */
	}
	return true;
}

/* Decides what has become of a CPU at the end of the wait, and says so. */
static void ap_settle(unsigned cpu, uint64_t start_ns, uint64_t timeout_ns)
{
	unsigned id = arch_cpu_hwid(cpu);
	unsigned ms = (unsigned)(timeout_ns / NS_PER_MS);

	if (smp.boots[cpu].percpu == NULL) {
		kprintf("cpu %u: no memory to start it (apic id %u), left out\n", cpu, id);
	} else if (smp_cpu_online(cpu)) {
		kprintf("cpu %u: online (apic id %u)\n", cpu, id);
	} else if (ap_abandon(cpu)) {
		ap_release(cpu);
		kprintf("cpu %u: no answer in %u ms (apic id %u), left out\n", cpu, ms, id);
	} else if (smp_join_await(cpu, start_ns, 2 * timeout_ns)) {
		kprintf("cpu %u: online (apic id %u), late\n", cpu, id);
	} else {
		kprintf("cpu %u: not ready in %u ms (apic id %u), left out with its stack\n", cpu,
			2 * ms, id);
	}
}

static struct smp_start_cost start_cost;

void smp_start_cost(struct smp_start_cost *cost)
{
	*cost = start_cost;
}

/* Starts the others; each is settled when this returns. */
static void aps_start(uint64_t timeout_ns)
{
	size_t bytes = smp.count * sizeof(*smp.boots);
	uint64_t start_ns, start_cycles;
	unsigned expected;

	/* For ever, as a CPU may come at any time later and look at its claim. */
	smp.boots = (struct arch_cpu_boot *)smp.provider->alloc(bytes);
	if (smp.boots == NULL) {
		kprintf("smp: no memory to start other CPUs\n");
		return;
	}
	expected = 1 + aps_prepare();
	start_ns = arch_clock_ns();
	start_cycles = arch_cycles();
	arch_cpus_start(smp.boots, smp.count, ap_entry);
	while (smp_online_count() < expected && arch_clock_ns() - start_ns < timeout_ns)
		arch_cpu_relax();
	start_cost.ns = arch_clock_ns() - start_ns;
	start_cost.cycles = arch_cycles() - start_cycles;
	for (unsigned cpu = 1; cpu < smp.count; cpu++)
		ap_settle(cpu, start_ns, timeout_ns);
}

void smp_start(const struct smp_provider *provider, void (*ap_main)(void), uint64_t timeout_ns)
{
	CHECK_EQ(arch_cpu_id(), 0);
	smp.provider = provider;
	smp.ap_main = ap_main;
	if (arch_cpu_count() > smp.count)
		kprintf("smp: %u CPUs are listed, %u are used\n", arch_cpu_count(), smp.count);
	kprintf("cpu 0: online (apic id %u)\n", (unsigned)arch_cpu_hwid(0));
	if (smp.count > 1)
		aps_start(timeout_ns);
	kprintf("smp: %u of %u CPUs online\n", smp_online_count(), smp.count);
}
