/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TLB shootdown.
 *
 * 1. Purpose. A CPU remembers translations (its TLB) and parts of the way to them, and no other
 *    CPU can make it forget. So whoever takes a mapping or a right away asks every CPU, and does
 *    not go on before each has said that it has forgotten.
 *
 * 2. Vocabulary. Initiator: the CPU that asks. Target: a CPU that is asked. Request: a range of
 *    addresses. Acknowledgement: a target's word that it has dropped the range.
 *
 * 3. Structures. Each CPU has one line with room for one request of its own: an initiator waits
 *    with preemption off, so there is never a second. `pending` in the initiator's line names the
 *    targets that have not acknowledged; `inbox` in the target's line names the initiators that
 *    wait for it. Nothing is allocated, queued or locked, and any number of CPUs may ask at once.
 *
 *	initiator                                target, in its interrupt handler
 *	0  has changed the page table
 *	1  marks its line active                 5  takes all bits of its inbox
 *	2  reads the set of online CPUs          6  drops the ranges of those initiators
 *	3  writes request and pending            7  clears its bit in each one's pending
 *	4  sets its bit in each inbox,
 *	   sends the interrupt
 *	8  drops the range itself
 *	9  waits until pending is empty, with interrupts on: it is a target as well
 *
 *    Invariants: a bit of an inbox is set only while the initiator's pending has the target's bit,
 *    and pending is not empty only while the line is active.
 *
 * 4. Order, each access with its partner.
 *    - 1 is a sequentially consistent exchange, so that the change of step 0 is visible before the
 *      set is read. It pairs with a CPU that comes online: that one enters the set, also
 *      sequentially consistent, and THEN flushes. Either 2 finds it, or its flush comes after the
 *      change and drops whatever it had fetched before.
 *    - 4 releases what 3 wrote; 5 acquires it. The interrupt is sent after the bit is set, so a
 *      target that finds no bit has been served already.
 *    - 5 comes before 6: a request that arrives during the flush keeps its bit and its interrupt.
 *      Taking the bit after flushing would acknowledge a range that was not dropped.
 *    - 6 comes before 7: the acknowledgement is what allows the initiator to give the memory to
 *      somebody else, and a target that acknowledges first can still write to it through the old
 *      translation. 7 releases, 9 acquires: what the target did to the memory comes before its
 *      next life. INVLPG and a load of CR3 or CR4 are serialising (Intel SDM vol. 3A 9.3), so no
 *      access of before is under way when 7 is seen.
 *
 * 5. Contexts. Waiting with a spinlock held or interrupts off could wait for a CPU that waits for
 *    us; both are refused. While the boot CPU is alone it waits for nobody, and its interrupts may
 *    be off.
 *
 * 6. Failure. Interrupts can be merged or sent twice without harm. One that is lost is sent again
 *    after some time, and the target is named. A target that never answers ends in a panic, for
 *    there is no way to go on: the memory can neither be reused nor be mapped again.
 *
 * 7. Debugging. On the host machine each CPU has a simulated TLB that forgets nothing by itself,
 *    and each page that is given back is looked for in all of them. The moment of giving back is
 *    the one to look at: a stale entry that nobody happens to use afterwards is the same bug, and
 *    an acknowledgement that comes too early is seen at no other time.
 *
 * 8. Rejected. One global request under a lock: initiators would queue for each other, and the
 *    queue is longest when it hurts most. A counter instead of `pending`: as cheap, but it cannot
 *    say who did not answer.
 */
#include "smp/shootdown.h"

#include "arch/atomic.h"
#include "arch/clock.h"
#include "arch/ipi.h"
#include "arch/mmu.h"
#include "lib/bits.h"
#include "lib/check.h"
#include "lib/planted.h"
#include "smp/patience.h"
#include "smp/preempt.h"
#include "smp/shootdown_private.h"
#include "smp/smp.h"

/* Spinning with interrupts off ends in a panic of its own, which says more and should be first. */
#define SHOOTDOWN_WARN_NS  (5 * NS_PER_SECOND)
#define SHOOTDOWN_PANIC_NS (90 * NS_PER_SECOND)

struct shootdown_line *shootdown_lines;
unsigned shootdown_line_count;

/*
 * No read-modify-write: only this CPU writes its counters, and the one that its interrupt handler
 * writes is not written outside of it.
 */
static void count(enum counter which, uint64_t n)
{
	struct atomic64 *counter = &shootdown_lines[arch_cpu_id()].counters[which];

	atomic64_store(counter, atomic64_load(counter, MO_RELAXED) + n, MO_RELAXED);
}

static void count_wait(uint64_t ns)
{
	struct atomic64 *counter = &shootdown_lines[arch_cpu_id()].counters[COUNT_MAX_WAIT_NS];

	if (ns > atomic64_load(counter, MO_RELAXED))
		atomic64_store(counter, ns, MO_RELAXED);
}

static void flush_line(const struct shootdown_line *line)
{
	if (shootdown_pages(line) > SHOOTDOWN_RANGE_PAGES_MAX) {
		arch_tlb_flush();
		return;
	}
	for (vm_offset_t va = line->start; va < line->end; va += PAGE_SIZE)
		arch_tlb_invalidate_page(va);
}

/* --- Target --- */

static void take_inbox(struct cpuset *initiators)
{
	struct shootdown_line *own = &shootdown_lines[arch_cpu_id()];

	cpuset_zero(initiators);
	for (unsigned i = 0; i < shootdown_words(); i++)
		/* Acquire: pairs with the release in post. */
		initiators->words[i] = atomic64_exchange(&own->inbox[i], 0, MO_ACQUIRE);
}

/* Several requests that are a full flush together are one. */
static void flush_for(const struct cpuset *initiators)
{
	uint64_t pages = 0;

	CPUSET_FOREACH (cpu, initiators)
		pages += shootdown_pages(&shootdown_lines[cpu]);
	if (pages > SHOOTDOWN_RANGE_PAGES_MAX) {
		arch_tlb_flush();
		return;
	}
	CPUSET_FOREACH (cpu, initiators)
		flush_line(&shootdown_lines[cpu]);
}

static void acknowledge(const struct cpuset *initiators)
{
	unsigned self = arch_cpu_id();

	/* Afterwards the initiator's line is its own again, and is not looked at here. */
	CPUSET_FOREACH (cpu, initiators) {
		/* Release: pairs with the acquire in find_silent. */
		uint64_t before = atomic64_and(&shootdown_lines[cpu].pending[self / 64],
					       ~shootdown_bit(self), MO_RELEASE);

		CHECK((before & shootdown_bit(self)) != 0);
	}
}

/* What the handler must not do: the bits stay, and more may come before they are taken. */
static void flush_for_inbox(void)
{
	struct cpuset initiators;

	cpuset_zero(&initiators);
	for (unsigned i = 0; i < shootdown_words(); i++)
		initiators.words[i] =
		    atomic64_load(&shootdown_lines[arch_cpu_id()].inbox[i], MO_ACQUIRE);
	flush_for(&initiators);
}

static void shootdown_handler(void)
{
	struct cpuset initiators;

	percpu_count_ipi();
	if (PLANTED(take_inbox_after_flush))
		flush_for_inbox();
	take_inbox(&initiators);
	if (cpuset_empty(&initiators))
		return;
	count(COUNT_SERVED, cpuset_count(&initiators));
	if (!PLANTED(take_inbox_after_flush))
		if (!PLANTED(ack_before_flush))
			flush_for(&initiators);
	acknowledge(&initiators);
	if (PLANTED(ack_before_flush))
		flush_for(&initiators);
}

/* --- Initiator --- */

/* The CPUs that must forget, this one left out; in the order that the theory asks for. */
static void begin(struct cpuset *targets)
{
	struct shootdown_line *own = &shootdown_lines[arch_cpu_id()];

	/* Sequentially consistent: pairs with a CPU that enters the online set and flushes. */
	if (PLANTED(missing_fence))
		atomic32_store(&own->active, 1, MO_RELAXED);
	else
		CHECK_EQ(atomic32_exchange(&own->active, 1, MO_SEQ_CST), 0);
	smp_online_set(targets);
	cpuset_del(targets, arch_cpu_id());
	if (PLANTED(last_cpu_left_out))
		cpuset_del(targets, smp_cpu_count() - 1);
	CHECK(cpuset_empty(targets) || arch_irq_enabled());
}

static void post(const struct cpuset *targets)
{
	unsigned self = arch_cpu_id();

	/* Relaxed: published by the release that follows, whose bit the target takes first. */
	for (unsigned i = 0; i < shootdown_words(); i++)
		atomic64_store(&shootdown_lines[self].pending[i], targets->words[i], MO_RELAXED);
	CPUSET_FOREACH (cpu, targets)
		atomic64_or(&shootdown_lines[cpu].inbox[self / 64], shootdown_bit(self),
			    MO_RELEASE);
	arch_ipi_send_set(targets, ARCH_IPI_SHOOTDOWN);
}

/* The targets that have not acknowledged; true if there are any. */
static bool find_silent(struct cpuset *silent)
{
	const struct shootdown_line *own = &shootdown_lines[arch_cpu_id()];

	cpuset_zero(silent);
	for (unsigned i = 0; i < shootdown_words(); i++)
		silent->words[i] = atomic64_load(&own->pending[i], MO_ACQUIRE);
	return !cpuset_empty(silent);
}

static void wait_for_all(void)
{
	struct patience patience;
	struct cpuset silent;

	patience_start(&patience, SHOOTDOWN_WARN_NS, SHOOTDOWN_PANIC_NS);
	while (find_silent(&silent)) {
		enum patience_verdict verdict = patience_turn(&patience);

		if (verdict == PATIENCE_WAIT)
			continue;
		shootdown_name_silent(&silent, patience_waited_ns(&patience));
		if (verdict == PATIENCE_OUT)
			shootdown_give_up(&silent);
		count(COUNT_RESENDS, cpuset_count(&silent));
		arch_ipi_send_set(&silent, ARCH_IPI_SHOOTDOWN);
	}
}

static void count_request(const struct shootdown_line *own, const struct cpuset *targets)
{
	count(COUNT_REQUESTS + own->reason, 1);
	count(COUNT_PAGES, shootdown_pages(own));
	if (shootdown_pages(own) > SHOOTDOWN_RANGE_PAGES_MAX)
		count(COUNT_FULL_FLUSHES, 1);
	if (cpuset_empty(targets))
		count(COUNT_LOCAL_ONLY, 1);
	else
		count(COUNT_TARGETS, cpuset_count(targets));
}

/* Preemption is off. */
static void shootdown_line_run(struct shootdown_line *own)
{
	struct cpuset targets;
	uint64_t start_ns;

	begin(&targets);
	count_request(own, &targets);
	if (cpuset_empty(&targets)) {
		flush_line(own);
	} else {
		start_ns = arch_clock_ns();
		post(&targets);
		flush_line(own); /* while the others do the same */
		if (!PLANTED(free_before_ack))
			wait_for_all();
		count_wait(arch_clock_ns() - start_ns);
	}
	atomic32_store(&own->active, 0, MO_RELEASE); /* the audit looks */
}

void shootdown_range(vm_offset_t start, vm_offset_t end, enum shootdown_reason reason)
{
	struct shootdown_line *own;

	CHECK(shootdown_lines != NULL);
	CHECK(is_aligned(start, PAGE_SIZE) && is_aligned(end, PAGE_SIZE));
	CHECK_LT(start, end);
	CHECK(!in_interrupt());
	CHECK_EQ(spin_held_count(), 0);

	preempt_disable();
	own = &shootdown_lines[arch_cpu_id()];
	own->start = start;
	own->end = end;
	own->reason = reason;
	shootdown_line_run(own);
	preempt_enable();
}

void shootdown_init(unsigned cpus, void *(*alloc)(size_t bytes))
{
	CHECK(cpus > 0 && cpus <= MAXCPU);
	shootdown_lines = (struct shootdown_line *)alloc(cpus * sizeof(*shootdown_lines));
	CHECK(shootdown_lines != NULL && is_aligned((uintptr_t)shootdown_lines, CACHE_LINE));
	shootdown_line_count = cpus;
	arch_ipi_set_handler(ARCH_IPI_SHOOTDOWN, shootdown_handler);
}
