/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Generations of the TLB: shootdown that may wait.
 *
 * 1. Purpose. Asking every CPU costs an interrupt on each of them. Whoever frees memory need not
 *    have the answer now: it can keep the memory back until all CPUs happen to have forgotten. One
 *    flush of each CPU serves everything that was freed before it. And a CPU that idles has
 *    nothing to say at all, if it forgets before it does anything again.
 *
 * 2. Vocabulary. Generation: a number that grows by one when somebody begins the next; what was
 *    cleared in the page table before belongs to it. A CPU has seen a generation when it has
 *    flushed since that one began. A generation has passed when each CPU that is online and
 *    active has seen it. Lazy: idles, and touches permanent mappings only; active otherwise.
 *    Permanent mapping: one whose entry never changes as long as the CPU can use it. That is the
 *    direct map's frames and rights, the kernel image, and of what lies elsewhere the CPU's own
 *    area and the stack of its idle thread.
 *
 * 3. Structures. One global word, `generation`. Each CPU has a line that it alone writes, but for
 *    one bit: `seen`, and `state`, which is 0, LAZY, or LAZY and STALE.
 *
 *	who frees                          each CPU, at its tick
 *	1  clears page table entries       4  reads generation; done if it is the one seen
 *	2  generation + 1                  5  flushes everything, global entries included
 *	3  waits until it has passed       6  seen = what 4 read
 *	   and reuses memory, addresses
 *
 *	the idle loop, interrupts off      who shoots down, or asks what has passed
 *	7  state = LAZY                    10 has done 1 and 2, or 1 and a full barrier
 *	   waits for an interrupt          11 reads state: a lazy CPU is passed over;
 *	8  state = 0, takes what it was       a shootdown, which begins no generation, adds
 *	9  flushes if that was STALE or       STALE to it
 *	   generation is not the one seen
 *
 *    `passed` is the latest generation known to have passed: whoever finds out raises it, so that
 *    the common answer is one load, and the answer never turns back.
 *    Invariants: seen never decreases and is never ahead of generation; STALE is set only while
 *    LAZY is; at rest no active CPU's seen is behind passed. tlb_audit looks.
 *
 * 4. Order, each access with its partner.
 *    - 4 comes before 5. A CPU that read the number after its flush would answer for entries that
 *      it fetched in between, from a table that was not yet cleared.
 *    - 5 comes before 6, or memory is reused while this CPU can still write to it. 6 releases and
 *      3 acquires: what this CPU did to the memory comes before its next life. The contract's
 *      flush is over when it returns: nothing after it is translated by what was known before.
 *    - 2 is sequentially consistent and comes after 1, and so is 4's partner: whoever reads the
 *      new number flushes after the entries were cleared, and walks find them so.
 *    - 8 and then 9, against 2 and then 11: each writes its own word and reads the other's, all
 *      four sequentially consistent. Either 11 finds the CPU active, and waits for it or asks it;
 *      or 8 comes after 11, and then 9 finds the new number, or STALE, which is in the same word
 *      as what 8 exchanges. A CPU that read the number before it turned active could miss both.
 *    - 7 releases: what the CPU did before it idled comes before the reuse.
 *    - 9 is finished before the first access to anything but permanent mappings. Between 8 and the
 *      end of 9 the CPU counts as active but has not forgotten: nobody who finds it so takes it
 *      for passed, as its `seen` is old; a shootdown asks it, and it answers when it enables
 *      interrupts, after 9.
 *    - A CPU that comes online enters the online set, THEN reads the number, THEN flushes (smp.c
 *      on the first two). Whoever does not find it in the set cleared the entries before its flush;
 *      whoever does waits until it has published.
 *
 * 5. Why a lazy CPU may keep stale translations. It may hold old ones, and fetch more, at any time
 *    (Intel SDM vol. 3A 4.10.2.3): what counts is that it uses none. Its code, its data and its
 *    stack are permanent mappings, which stay right whatever else the TLB holds; a translation
 *    that is used for nothing does nothing. That is not so for
 *    - memory types: a line may be fetched into the cache through a stale translation without any
 *      instruction asking for it (vol. 3A 12.12.4 wants all of them gone), and the mapping that
 *      changes is the direct map's;
 *    - page sizes: translations of two sizes for one address, of which the CPU may use either, in
 *      the direct map or the image.
 *    So requests that change permanent mappings, and all that change a memory type, ask lazy CPUs
 *    too; the interrupt makes them leave first.
 *    Everything that an NMI runs is held to the same rule, as an NMI does not leave lazy: the
 *    handlers, exception stacks and CPU areas are permanent (nmi.c and stop.c of arch/x86_64).
 *
 * 6. Contexts. catch_up and passed wait for nobody and may run anywhere but in an NMI. A flush and
 *    the store of its number are one with respect to interrupts, or a handler's newer number could
 *    be overwritten by an older one. force is a shootdown of the laggards, with its patience,
 *    its messages, its resends and its panic: see shootdown.c.
 *
 * 7. Debugging. The host machine looks for stale translations when memory is reused, as ever. Those
 *    of a lazy CPU are excused there, but must be gone when it leaves; and a lazy CPU that touches
 *    anything but direct map and image, in an interrupt or an NMI, is a panic.
 *
 * 8. Numbers are 64 bits wide and compared as distances, so wrapping is no event; tests begin just
 *    below the wrap.
 *
 * 9. Rejected. A shootdown that begins a generation for the sake of lazy CPUs: every active CPU
 *    would flush everything at its next tick, for a page that it has dropped already. Flushing
 *    whenever idle ends: the tick ends it a hundred times a second. A set of lazy CPUs in one word:
 *    each CPU that falls idle would take the line from all others.
 */
#include "smp/tlb.h"

#include "arch/cpu.h"
#include "arch/mmu.h"
#include "lib/check.h"
#include "lib/planted.h"
#include "smp/shootdown_private.h"
#include "smp/smp.h"
#include "smp/smp_private.h"
#include "smp/tlb_private.h"

struct tlb_line *tlb_lines;
unsigned tlb_line_count;

/* On lines of their own: read by all at every tick, written when a generation begins or passes. */
static struct atomic64 generation QUIRE_ALIGNED(CACHE_LINE);
static struct atomic64 passed QUIRE_ALIGNED(CACHE_LINE);

static uint64_t generation_first; /* constant after init, but for tests */

/* Is a the same generation as b, or a later one? */
static bool reaches(tlb_generation_t a, tlb_generation_t b)
{
	if (PLANTED(generation_is_a_number))
		return a >= b;
	return (int64_t)(a - b) >= 0;
}

static struct tlb_line *own_line(void)
{
	return &tlb_lines[arch_cpu_id()];
}

/* No read-modify-write: this CPU alone writes its counters, with interrupts disabled. */
static void count(enum tlb_counter which)
{
	struct atomic64 *counter = &own_line()->counters[which];

	atomic64_store(counter, atomic64_load(counter, MO_RELAXED) + 1, MO_RELAXED);
}

/* --- Flushing --- */

static void flush_and_publish(void)
{
	struct tlb_line *own = own_line();
	uint64_t now;

	if (PLANTED(generation_read_after_flush))
		arch_tlb_flush();
	/* Sequentially consistent: behind the entry into the online set, and as in is_behind. */
	now = atomic64_load(&generation, MO_SEQ_CST);
	if (PLANTED(publish_before_flush))
		atomic64_store(&own->seen, now, MO_RELEASE);
	if (!PLANTED(generation_read_after_flush))
		arch_tlb_flush();
	/* Release: pairs with the acquire in earlier. */
	atomic64_store(&own->seen, now, MO_RELEASE);
	count(TLB_COUNT_FLUSHES);
}

void tlb_flush_all(void)
{
	bool irq_was_enabled = arch_irq_save();

	flush_and_publish();
	arch_irq_restore(irq_was_enabled);
}

static bool is_behind(const struct tlb_line *own)
{
	/* Sequentially consistent: behind the exchange in lazy_end, pairs with
	 * tlb_generation_begin. */
	return atomic64_load(&generation, MO_SEQ_CST) != atomic64_load(&own->seen, MO_RELAXED);
}

void tlb_catch_up(void)
{
	if (tlb_lines != NULL && is_behind(own_line()))
		tlb_flush_all();
}

void tlb_join(void)
{
	if (tlb_lines == NULL)
		arch_tlb_flush();
	else
		flush_and_publish();
}

/* --- Idle CPUs --- */

void tlb_lazy_enter(void)
{
	if (tlb_lines == NULL)
		return;
	CHECK(!arch_irq_enabled());
	arch_lazy_begin();
	count(TLB_COUNT_LAZY_ENTERED);
	/* Release: pairs with the loads of others, in tlb_leave_out and earlier. */
	atomic32_store(&own_line()->state, TLB_LAZY, MO_RELEASE);
}

/* From here on this CPU is waited for and asked; returns what it was. */
static uint32_t lazy_end(struct tlb_line *own)
{
	uint32_t was;

	if (PLANTED(lazy_leave_missing_fence)) {
		was = atomic32_load(&own->state, MO_RELAXED);
		atomic32_store(&own->state, 0, MO_RELAXED);
		return was;
	}
	/* Sequentially consistent: pairs with the loads of others, see the theory. */
	was = atomic32_exchange(&own->state, 0, MO_SEQ_CST);
	CHECK((was & TLB_LAZY) != 0);
	return was;
}

void tlb_lazy_leave(void)
{
	struct tlb_line *own;
	bool behind = false;

	if (!arch_lazy())
		return;
	own = own_line();
	if (PLANTED(lazy_leave_reads_early))
		behind = is_behind(own);
	if ((lazy_end(own) & TLB_STALE) != 0)
		behind = true;
	if (!PLANTED(lazy_leave_reads_early) && is_behind(own))
		behind = true;
	if (behind && !PLANTED(lazy_leave_without_catch_up)) {
		flush_and_publish();
		count(TLB_COUNT_LAZY_FLUSHES);
	}
	arch_lazy_end();
}

bool tlb_mark_stale(unsigned cpu)
{
	uint32_t lazy = TLB_LAZY;

	if (PLANTED(lazy_not_marked))
		return true;
	/* Sequentially consistent: pairs with the exchange in lazy_end. */
	return atomic32_cas(&tlb_lines[cpu].state, &lazy, TLB_LAZY | TLB_STALE, MO_SEQ_CST) ||
	       lazy == (TLB_LAZY | TLB_STALE);
}

/* --- Generations --- */

tlb_generation_t tlb_generation_begin(void)
{
	uint64_t next;

	if (PLANTED(generation_missing_fence)) {
		next = atomic64_load(&generation, MO_RELAXED) + 1;
		atomic64_store(&generation, next, MO_RELAXED);
	} else {
		/* Sequentially consistent: pairs with lazy_end, and with CPUs that come online. */
		next = atomic64_add(&generation, 1, MO_SEQ_CST) + 1;
	}
	return next;
}

tlb_generation_t tlb_generation_now(void)
{
	return atomic64_load(&generation, MO_ACQUIRE);
}

uint64_t tlb_generations_begun(void)
{
	return tlb_generation_now() - generation_first;
}

tlb_generation_t tlb_generation_known_passed(void)
{
	/* Acquire: pairs with the release in raise_passed. */
	return atomic64_load(&passed, MO_ACQUIRE);
}

/* The earlier one of `lowest` and what this CPU has seen, if it is one to be waited for. */
static uint64_t earlier(uint64_t lowest, unsigned cpu)
{
	uint64_t seen;

	/* Sequentially consistent: pairs with the exchange in lazy_end. */
	if ((atomic32_load(&tlb_lines[cpu].state, MO_SEQ_CST) & TLB_LAZY) != 0)
		return lowest;
	/* Acquire: pairs with the release in flush_and_publish. */
	seen = atomic64_load(&tlb_lines[cpu].seen, MO_ACQUIRE);
	return reaches(seen, lowest) ? lowest : seen;
}

/* The CPUs of word `i` that are online. Sequentially consistent: pairs with their entering. */
static uint64_t online_word(unsigned i)
{
	uint64_t bits = atomic64_load(&smp_online[i], MO_SEQ_CST);
	unsigned last = smp_cpu_count() - 1;

	if (unlikely(shootdown_sabotaged) || PLANTED(generation_last_cpu_left_out))
		if (last / 64 == i)
			bits &= ~shootdown_bit(last);
	return bits;
}

/* The latest generation that has passed. What had begun before is what counts. */
static uint64_t find_passed(void)
{
	/* Sequentially consistent: comes before the looks at who is online and who is lazy. */
	uint64_t first = atomic64_load(&generation, MO_SEQ_CST), lowest = first;

	for (unsigned i = 0; i < shootdown_words(); i++)
		for (uint64_t bits = online_word(i); bits != 0; bits &= bits - 1)
			lowest = earlier(lowest, i * 64 + (unsigned)__builtin_ctzll(bits));
	if (PLANTED(passed_read_late) && lowest == first)
		lowest = atomic64_load(&generation, MO_SEQ_CST);
	return lowest;
}

static void raise_passed(uint64_t to)
{
	uint64_t before = atomic64_load(&passed, MO_RELAXED);

	/* Release: pairs with the acquire in tlb_generation_known_passed. */
	while (!reaches(before, to))
		if (atomic64_cas(&passed, &before, to, MO_ACQ_REL))
			return;
}

bool tlb_generation_passed(tlb_generation_t wanted)
{
	uint64_t found;

	if (reaches(tlb_generation_known_passed(), wanted))
		return true;
	if (tlb_lines == NULL)
		return false;
	found = find_passed();
	raise_passed(found);
	return reaches(found, wanted);
}

/* The CPUs that have neither flushed since then nor idle, this one left out. */
static void find_laggards(tlb_generation_t wanted, struct cpuset *laggards)
{
	cpuset_zero(laggards);
	for (unsigned i = 0; i < shootdown_words(); i++) {
		for (uint64_t bits = online_word(i); bits != 0; bits &= bits - 1) {
			unsigned cpu = i * 64 + (unsigned)__builtin_ctzll(bits);

			if (cpu != arch_cpu_id() && earlier(wanted, cpu) != wanted)
				cpuset_add(laggards, cpu);
		}
	}
}

void tlb_generation_force(tlb_generation_t wanted, enum shootdown_reason reason)
{
	struct cpuset laggards;

	CHECK(tlb_lines != NULL && reaches(tlb_generation_now(), wanted));
	tlb_catch_up();
	/* More than once only when a CPU comes online meanwhile and has not flushed yet. */
	while (!tlb_generation_passed(wanted)) {
		find_laggards(wanted, &laggards);
		shootdown_catch_up(&laggards, reason);
	}
}

/* --- Beginning --- */

void tlb_set_generation(tlb_generation_t number)
{
	generation_first = number;
	atomic64_store(&generation, number, MO_RELAXED);
	atomic64_store(&passed, number, MO_RELAXED);
	for (unsigned cpu = 0; cpu < tlb_line_count; cpu++) {
		atomic64_store(&tlb_lines[cpu].seen, number, MO_RELAXED);
		atomic32_and(&tlb_lines[cpu].state, ~(uint32_t)TLB_STALE, MO_RELAXED);
	}
}

void tlb_forget(void)
{
	tlb_lines = NULL;
	tlb_line_count = 0;
}

void tlb_init(unsigned cpus, void *(*alloc)(size_t bytes))
{
	tlb_lines = (struct tlb_line *)alloc(cpus * sizeof(*tlb_lines));
	CHECK(tlb_lines != NULL && is_aligned((uintptr_t)tlb_lines, CACHE_LINE));
	tlb_line_count = cpus;
	tlb_set_generation(0);
	arch_lazy_set_handler(tlb_lazy_leave);
}
