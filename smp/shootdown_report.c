/* SPDX-License-Identifier: BSD-2-Clause */
/* What shootdown tells people: who does not answer, statistics, audit. */
#include "arch/atomic.h"
#include "lib/check.h"
#include "lib/format.h"
#include "smp/patience.h"
#include "smp/shootdown.h"
#include "smp/shootdown_private.h"
#include "smp/smp.h"
#include "smp/tlb_private.h"

void shootdown_name_silent(const struct cpuset *silent, uint64_t waited_ns)
{
	unsigned self = arch_cpu_id();
	const struct shootdown_line *own = &shootdown_lines[self];

	CPUSET_FOREACH (cpu, silent) {
		uint64_t inbox = atomic64_load(&shootdown_lines[cpu].inbox[self / 64], MO_RELAXED);
		char what[64] = "to catch up";

		if (own->start != own->end)
			format(what, sizeof(what), "%#llx to %#llx", (unsigned long long)own->start,
			       (unsigned long long)own->end);
		kprintf("shootdown: cpu %u has not %s the request of cpu %u in %u ms: %s (%s)\n",
			cpu, inbox & shootdown_bit(self) ? "taken" : "acknowledged", self,
			(unsigned)(waited_ns / NS_PER_MS), what,
			shootdown_reason_name(own->reason));
	}
}

/*
 * What a CPU is at, read from outside while it may go on: a hint for people, before a panic. Of
 * its spinlocks the one taken last is named; it is the likeliest to explain the silence.
 */
static QUIRE_POST_MORTEM void describe_cpu(unsigned cpu, char *text, size_t size)
{
	const struct percpu *area = percpu_of(cpu);
	unsigned depth = area->spin_depth < SPIN_HELD_MAX ? area->spin_depth : SPIN_HELD_MAX;
	const struct spinlock *lock = depth != 0 ? area->spin_held[depth - 1] : NULL;
	size_t used = format(text, size, "cpu %u: interrupt depth %u, preemption count %u", cpu,
			     area->arch.irq_depth, area->arch.preempt_count);

	if (lock == NULL || used >= size)
		return;
	format(text + used, size - used, ", %u spinlocks, the last \"%s\" taken at %s", depth,
	       lock->name, spin_site(lock) != NULL ? spin_site(lock) : "an unknown place");
}

void shootdown_give_up(const struct cpuset *silent)
{
	char own[160], other[160];
	unsigned self = arch_cpu_id(), first = cpuset_next(silent, 0);

	CPUSET_FOREACH (cpu, silent) {
		describe_cpu(cpu, other, sizeof(other));
		kprintf("shootdown: silent %s\n", other);
	}
	describe_cpu(first, other, sizeof(other));
	describe_cpu(self, own, sizeof(own));
	panic("shootdown: cpu %u does not answer cpu %u; %s; %s", first, self, other, own);
}

const char *shootdown_reason_name(enum shootdown_reason reason)
{
	static const char *const names[SHOOTDOWN_REASONS] = {
	    [SHOOTDOWN_FREE] = "free",       [SHOOTDOWN_PROTECT] = "protect",
	    [SHOOTDOWN_DEMOTE] = "demote",   [SHOOTDOWN_QREMOVE] = "qremove",
	    [SHOOTDOWN_MEMATTR] = "memattr", [SHOOTDOWN_FORCED] = "forced",
	};

	return (unsigned)reason < SHOOTDOWN_REASONS ? names[reason] : "unknown";
}

bool shootdown_sabotaged;

void shootdown_sabotage(void)
{
	shootdown_sabotaged = true;
	kprintf("tlb.sabotage: ****************************************************************\n");
	kprintf("tlb.sabotage: shootdown is BROKEN ON PURPOSE: cpu %u is never told to forget\n",
		smp_cpu_count() - 1);
	kprintf("tlb.sabotage: memory WILL be corrupted; boot without tlb.sabotage to end this\n");
	kprintf("tlb.sabotage: ****************************************************************\n");
}

static uint64_t counter_read(unsigned cpu, enum counter which)
{
	return atomic64_load(&shootdown_lines[cpu].counters[which], MO_RELAXED);
}

void shootdown_cpu_stats(unsigned cpu, struct shootdown_stats *stats)
{
	*stats = (struct shootdown_stats){0};
	if (cpu >= shootdown_line_count)
		return;
	for (unsigned i = 0; i < SHOOTDOWN_REASONS; i++)
		stats->requests[i] = counter_read(cpu, COUNT_REQUESTS + i);
	stats->pages = counter_read(cpu, COUNT_PAGES);
	stats->full_flushes = counter_read(cpu, COUNT_FULL_FLUSHES);
	stats->targets = counter_read(cpu, COUNT_TARGETS);
	stats->local_only = counter_read(cpu, COUNT_LOCAL_ONLY);
	stats->served = counter_read(cpu, COUNT_SERVED);
	stats->resends = counter_read(cpu, COUNT_RESENDS);
	stats->left_out = counter_read(cpu, COUNT_LEFT_OUT);
	stats->max_wait_ns = counter_read(cpu, COUNT_MAX_WAIT_NS);
	for (unsigned i = 0; i < SHOOTDOWN_WAIT_BUCKETS; i++)
		stats->waits[i] = counter_read(cpu, COUNT_WAITS + i);
}

static void stats_add(struct shootdown_stats *sum, const struct shootdown_stats *one)
{
	for (unsigned i = 0; i < SHOOTDOWN_REASONS; i++)
		sum->requests[i] += one->requests[i];
	sum->pages += one->pages;
	sum->full_flushes += one->full_flushes;
	sum->targets += one->targets;
	sum->local_only += one->local_only;
	sum->served += one->served;
	sum->resends += one->resends;
	sum->left_out += one->left_out;
	for (unsigned i = 0; i < SHOOTDOWN_WAIT_BUCKETS; i++)
		sum->waits[i] += one->waits[i];
	if (one->max_wait_ns > sum->max_wait_ns)
		sum->max_wait_ns = one->max_wait_ns;
}

void shootdown_stats(struct shootdown_stats *stats)
{
	struct shootdown_stats one;

	*stats = (struct shootdown_stats){0};
	for (unsigned cpu = 0; cpu < shootdown_line_count; cpu++) {
		shootdown_cpu_stats(cpu, &one);
		stats_add(stats, &one);
	}
}

static unsigned broken(void (*report)(const char *line), unsigned cpu, const char *what)
{
	char text[80];

	format(text, sizeof(text), "shootdown, cpu %u: %s", cpu, what);
	report(text);
	return 1;
}

static unsigned audit_line(unsigned cpu, void (*report)(const char *line))
{
	const struct shootdown_line *line = &shootdown_lines[cpu];
	uint64_t waiting = 0, asked = 0;
	unsigned found = 0;

	for (unsigned i = 0; i < shootdown_words(); i++) {
		waiting |= atomic64_load(&line->pending[i], MO_ACQUIRE);
		asked |= atomic64_load(&line->inbox[i], MO_ACQUIRE);
	}
	if (atomic32_load(&line->active, MO_ACQUIRE) != 0)
		found += broken(report, cpu, "its request is under way at rest");
	else if (waiting != 0)
		found += broken(report, cpu, "it waits for others without a request");
	if (asked != 0)
		found += broken(report, cpu, "a request waits for it at rest");
	return found;
}

unsigned shootdown_audit(void (*report)(const char *line))
{
	unsigned found = 0;

	for (unsigned cpu = 0; cpu < shootdown_line_count; cpu++)
		found += audit_line(cpu, report);
	return found + tlb_audit(report);
}
