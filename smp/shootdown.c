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
 *	2  reads the set of online CPUs,         6  drops the ranges of those initiators
 *	   leaves out those that idle            7  clears its bit in each one's pending
 *	3  writes request and pending
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
 *      The same holds for a CPU that stops idling: tlb.c, which says as well which requests may
 *      leave such a CPU out.
 *    - 4 releases what 3 wrote; 5 acquires it. The interrupt is sent after the bit is set, so a
 *      target that finds no bit has been served already.
 *    - 5 comes before 6: a request that arrives during the flush keeps its bit and its interrupt.
 *      Taking the bit after flushing would acknowledge a range that was not dropped.
 *    - 6 comes before 7: the acknowledgement is what allows the initiator to give the memory to
 *      somebody else, and a target that acknowledges first can still write to it through the old
 *      translation. 7 releases, 9 acquires: what the target did to the memory comes before its
 *      next life. INVLPG and a load of CR4 are serialising (Intel SDM vol. 3A 9.3), so no access
 *      of before is under way when 7 is seen; where INVPCID stands for them an LFENCE follows.
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
 * 8. What is flushed. Page by page up to SHOOTDOWN_RANGE_PAGES_MAX, else everything: a flush costs
 *    what it takes to fetch the translations again, of which a CPU holds some 1500 to 2500. A large
 *    page is 512 small ones here, so its range is always flushed whole: INVLPG drops all that a CPU
 *    made of a large page only while the tables still map it as one (vol. 3A 4.10.4.1, footnote).
 *    Everything means global entries too, as all of the kernel's are, and what is remembered of the
 *    tables on the way.
 *
 * 9. Cost. One locked operation for the initiator and three for each target (inbox, its exchange,
 *    the acknowledgement), one interrupt command where the targets are all CPUs but one, and sets
 *    are walked by words that can have a bit: a machine of 64 CPUs pays nothing for MAXCPU.
 *
 * 10. Rejected. One global request under a lock: initiators would queue for each other, and the
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
#include "lib/trace.h"
#include "smp/patience.h"
#include "smp/preempt.h"
#include "smp/shootdown_private.h"
#include "smp/smp.h"
#include "smp/smp_private.h"
#include "smp/tlb_private.h"

/* Spinning with interrupts off ends in a panic of its own, which says more and should be first. */
#define SHOOTDOWN_WARN_NS  (5 * NS_PER_SECOND)
#define SHOOTDOWN_PANIC_NS (90 * NS_PER_SECOND)

/* When a test has lost the interrupt: shootdown_fault.c. */
#define LOST_WARN_NS (200 * NS_PER_MS)

struct shootdown_line *shootdown_lines;
unsigned shootdown_line_count;
unsigned shootdown_word_count;

/*
 * No read-modify-write: only its CPU writes a line's counters, and the one that its interrupt
 * handler writes is not written outside of it.
 */
static void count(struct shootdown_line *own, enum counter which, uint64_t n)
{
	struct atomic64 *counter = &own->counters[which];

	atomic64_store(counter, atomic64_load(counter, MO_RELAXED) + n, MO_RELAXED);
}

static void count_wait(struct shootdown_line *own, uint64_t ns)
{
	unsigned bucket = ns == 0 ? 0 : ilog2(ns);

	if (ns > atomic64_load(&own->counters[COUNT_MAX_WAIT_NS], MO_RELAXED))
		atomic64_store(&own->counters[COUNT_MAX_WAIT_NS], ns, MO_RELAXED);
	if (bucket >= SHOOTDOWN_WAIT_BUCKETS)
		bucket = SHOOTDOWN_WAIT_BUCKETS - 1;
	count(own, COUNT_WAITS + bucket, 1);
}

static void flush_line(const struct shootdown_line *line)
{
	if (unlikely(shootdown_pages(line) > SHOOTDOWN_RANGE_PAGES_MAX)) {
		tlb_flush_all();
		return;
	}
	if (unlikely(line->start == line->end))
		tlb_catch_up();
	for (vm_offset_t va = line->start; va < line->end; va += PAGE_SIZE)
		arch_tlb_invalidate_page(va);
}

/* --- Target --- */

/* The line of the lowest initiator in `bits`, which are those of word `i`. */
static struct shootdown_line *line_of(unsigned i, uint64_t bits)
{
	return &shootdown_lines[i * 64 + (unsigned)__builtin_ctzll(bits)];
}

/* Several requests that are a full flush together are one. */
static void flush_for(unsigned i, uint64_t initiators)
{
	uint64_t pages = 0;

	for (uint64_t bits = initiators; bits != 0; bits &= bits - 1)
		pages += shootdown_pages(line_of(i, bits));
	if (pages > SHOOTDOWN_RANGE_PAGES_MAX) {
		tlb_flush_all();
		return;
	}
	for (uint64_t bits = initiators; bits != 0; bits &= bits - 1)
		flush_line(line_of(i, bits));
}

/* Afterwards the initiators' lines are their own again, and are not looked at here. */
static unsigned acknowledge(unsigned i, uint64_t initiators)
{
	unsigned self = arch_cpu_id(), n = 0;
	uint64_t bit = shootdown_bit(self);

	for (uint64_t bits = initiators; bits != 0; bits &= bits - 1, n++) {
		/* Release: pairs with the acquire in is_silent. Subtracted, as one instruction. */
		uint64_t before =
		    atomic64_sub(&line_of(i, bits)->pending[self / 64], bit, MO_RELEASE);

		CHECK((before & bit) != 0);
	}
	return n;
}

/* What waits in one word of the inbox. The interrupt comes after the bit, so none is missed. */
static void serve(struct shootdown_line *own, unsigned i)
{
	uint64_t initiators;

	if (PLANTED(take_inbox_after_flush))
		flush_for(i, atomic64_load(&own->inbox[i], MO_ACQUIRE));
	if (atomic64_load(&own->inbox[i], MO_RELAXED) == 0)
		return;
	/* Acquire: pairs with the release in post. */
	initiators = atomic64_exchange(&own->inbox[i], 0, MO_ACQUIRE);
	if (!PLANTED(take_inbox_after_flush) && !PLANTED(ack_before_flush))
		flush_for(i, initiators);
	count(own, COUNT_SERVED, acknowledge(i, initiators));
	if (PLANTED(ack_before_flush))
		flush_for(i, initiators);
}

static void shootdown_handler(void)
{
	struct shootdown_line *own = &shootdown_lines[arch_cpu_id()];

	percpu_count_ipi();
	for (unsigned i = 0; i < shootdown_words(); i++)
		serve(own, i);
}

/* --- Initiator --- */

/*
 * Does the request concern nothing that a CPU which idles may touch? Permanent mappings it uses,
 * and memory types matter even where nothing is used: tlb.c, 5.
 */
static bool may_leave_out_lazy(const struct shootdown_line *own)
{
	return own->reason != SHOOTDOWN_MEMATTR && own->start >= VM_MIN_KERNEL_ADDRESS &&
	       own->end <= KERNBASE;
}

/* The CPUs of word `i` that have to be asked, and how many do not. */
static uint64_t without_lazy(unsigned i, uint64_t online, unsigned *left_out)
{
	uint64_t targets = online;

	for (uint64_t bits = online; bits != 0; bits &= bits - 1) {
		if (!tlb_leave_out(i * 64 + (unsigned)__builtin_ctzll(bits)))
			continue;
		targets &= ~(bits & -bits);
		++*left_out;
	}
	return targets;
}

/* Those in `wanted`, or all that are online where that is NULL; without what need not be asked. */
static bool choose_targets(struct shootdown_line *own, const struct cpuset *wanted,
			   struct cpuset *targets)
{
	bool leave_out = wanted == NULL && may_leave_out_lazy(own);
	unsigned self = arch_cpu_id(), left_out = 0;
	uint64_t any = 0;

	cpuset_zero(targets);
	for (unsigned i = 0; i < shootdown_words(); i++) {
		/* Sequentially consistent: pairs with a CPU that enters the set and flushes. */
		uint64_t bits =
		    wanted != NULL ? wanted->words[i] : atomic64_load(&smp_online[i], MO_SEQ_CST);

		if (i == self / 64)
			bits &= ~shootdown_bit(self);
		if (leave_out)
			bits = without_lazy(i, bits, &left_out);
		targets->words[i] = bits;
		any |= bits;
	}
	if (left_out != 0)
		count(own, COUNT_LEFT_OUT, left_out);
	return any != 0;
}

/* Finds the CPUs that must forget, in the order that the theory asks for. True: there are some. */
static bool begin(struct shootdown_line *own, const struct cpuset *wanted, struct cpuset *targets)
{
	bool any;

	/* Sequentially consistent: pairs with CPUs that come online, and with those that stop
	 * idling. */
	if (PLANTED(missing_fence))
		atomic32_store(&own->active, 1, MO_RELAXED);
	else
		CHECK_EQ(atomic32_exchange(&own->active, 1, MO_SEQ_CST), 0);
	any = choose_targets(own, wanted, targets);
	if (unlikely(shootdown_sabotaged) || PLANTED(last_cpu_left_out)) {
		cpuset_del(targets, smp_cpu_count() - 1);
		any = !cpuset_empty(targets);
	}
	CHECK(!any || arch_irq_enabled());
	return any;
}

/* Returns how many were asked. */
static unsigned post(struct shootdown_line *own, const struct cpuset *targets)
{
	unsigned self = arch_cpu_id(), n = 0;

	/* Relaxed: published by the release that follows, whose bit the target takes first. */
	for (unsigned i = 0; i < shootdown_words(); i++)
		atomic64_store(&own->pending[i], targets->words[i], MO_RELAXED);
	for (unsigned i = 0; i < shootdown_words(); i++)
		for (uint64_t bits = targets->words[i]; bits != 0; bits &= bits - 1, n++)
			atomic64_or(&line_of(i, bits)->inbox[self / 64], shootdown_bit(self),
				    MO_RELEASE);
	if (unlikely(own->fault != SHOOTDOWN_SENT))
		shootdown_send_faulty(own, targets);
	else
		arch_ipi_send_set(targets, ARCH_IPI_SHOOTDOWN);
	return n;
}

static bool is_silent(const struct shootdown_line *own)
{
	uint64_t any = 0;

	for (unsigned i = 0; i < shootdown_words(); i++)
		any |= atomic64_load(&own->pending[i], MO_ACQUIRE);
	return any != 0;
}

/* Patience is over once more: names those that have not answered, asks again or gives up. */
static void remind(struct shootdown_line *own, enum patience_verdict verdict, uint64_t waited_ns)
{
	struct cpuset silent;

	cpuset_zero(&silent);
	for (unsigned i = 0; i < shootdown_words(); i++)
		silent.words[i] = atomic64_load(&own->pending[i], MO_ACQUIRE);
	if (cpuset_empty(&silent))
		return;
	shootdown_name_silent(&silent, waited_ns);
	if (verdict == PATIENCE_OUT)
		shootdown_give_up(&silent);
	count(own, COUNT_RESENDS, cpuset_count(&silent));
	arch_ipi_send_set(&silent, ARCH_IPI_SHOOTDOWN);
}

static void wait_for_all(struct shootdown_line *own)
{
	struct patience patience;

	patience_start(&patience, own->impatient ? LOST_WARN_NS : SHOOTDOWN_WARN_NS,
		       SHOOTDOWN_PANIC_NS);
	own->impatient = false;
	while (is_silent(own)) {
		enum patience_verdict verdict = patience_turn(&patience);

		if (unlikely(verdict != PATIENCE_WAIT))
			remind(own, verdict, patience_waited_ns(&patience));
	}
}

static void count_request(struct shootdown_line *own)
{
	uint64_t pages = shootdown_pages(own);

	count(own, COUNT_REQUESTS + own->reason, 1);
	count(own, COUNT_PAGES, pages);
	if (pages > SHOOTDOWN_RANGE_PAGES_MAX)
		count(own, COUNT_FULL_FLUSHES, 1);
}

static void ask_all(struct shootdown_line *own, const struct cpuset *targets)
{
	uint64_t start_ns = arch_clock_ns();

	count(own, COUNT_TARGETS, post(own, targets));
	flush_line(own); /* while the others do the same */
	if (!PLANTED(free_before_ack))
		wait_for_all(own);
	count_wait(own, arch_clock_ns() - start_ns);
}

/* Asks those in `wanted`, or where that is NULL all who have to be asked. */
static void request(vm_offset_t start, vm_offset_t end, enum shootdown_reason reason,
		    const struct cpuset *wanted)
{
	struct shootdown_line *own;
	struct cpuset targets;

	CHECK(shootdown_lines != NULL);
	CHECK(!in_interrupt());
	CHECK_EQ(spin_held_count(), 0);

	preempt_disable();
	own = &shootdown_lines[arch_cpu_id()];
	own->start = start;
	own->end = end;
	own->reason = reason;
	count_request(own);
	if (begin(own, wanted, &targets)) {
		ask_all(own, &targets);
	} else {
		count(own, COUNT_LOCAL_ONLY, 1);
		flush_line(own);
	}
	atomic32_store(&own->active, 0, MO_RELEASE); /* the audit looks */
	preempt_enable();
}

void shootdown_range(vm_offset_t start, vm_offset_t end, enum shootdown_reason reason)
{
	CHECK(is_aligned(start | end, PAGE_SIZE));
	CHECK_LT(start, end);
	trace(TRACE_SHOOTDOWN, start, end);
	request(start, end, reason, NULL);
}

void shootdown_catch_up(const struct cpuset *laggards, enum shootdown_reason reason)
{
	request(0, 0, reason, laggards);
}

void shootdown_init(unsigned cpus, void *(*alloc)(size_t bytes))
{
	CHECK(cpus > 0 && cpus <= MAXCPU);
	shootdown_lines = (struct shootdown_line *)alloc(cpus * sizeof(*shootdown_lines));
	CHECK(shootdown_lines != NULL && is_aligned((uintptr_t)shootdown_lines, CACHE_LINE));
	shootdown_line_count = cpus;
	shootdown_word_count = (cpus + 63) / 64;
	tlb_init(cpus, alloc);
	arch_ipi_set_handler(ARCH_IPI_SHOOTDOWN, shootdown_handler);
}
