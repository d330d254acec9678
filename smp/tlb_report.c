/* SPDX-License-Identifier: BSD-2-Clause */
/* What the generations tell people: statistics, audit. */
#include "lib/format.h"
#include "smp/smp.h"
#include "smp/tlb.h"
#include "smp/tlb_private.h"

static uint64_t counter_read(unsigned cpu, enum tlb_counter which)
{
	return atomic64_load(&tlb_lines[cpu].counters[which], MO_RELAXED);
}

void tlb_cpu_stats(unsigned cpu, struct tlb_stats *stats)
{
	*stats = (struct tlb_stats){0};
	stats->begun = tlb_generations_begun();
	if (cpu >= tlb_line_count)
		return;
	stats->flushes = counter_read(cpu, TLB_COUNT_FLUSHES);
	stats->lazy_entered = counter_read(cpu, TLB_COUNT_LAZY_ENTERED);
	stats->lazy_flushes = counter_read(cpu, TLB_COUNT_LAZY_FLUSHES);
}

void tlb_stats(struct tlb_stats *stats)
{
	struct tlb_stats one;

	*stats = (struct tlb_stats){0};
	stats->begun = tlb_generations_begun();
	for (unsigned cpu = 0; cpu < tlb_line_count; cpu++) {
		tlb_cpu_stats(cpu, &one);
		stats->flushes += one.flushes;
		stats->lazy_entered += one.lazy_entered;
		stats->lazy_flushes += one.lazy_flushes;
	}
}

static unsigned broken(void (*report)(const char *line), unsigned cpu, const char *what)
{
	char text[96];

	format(text, sizeof(text), "tlb, cpu %u: %s", cpu, what);
	report(text);
	return 1;
}

static unsigned audit_line(unsigned cpu, void (*report)(const char *line))
{
	uint32_t state = atomic32_load(&tlb_lines[cpu].state, MO_ACQUIRE);
	uint64_t seen = atomic64_load(&tlb_lines[cpu].seen, MO_ACQUIRE);
	unsigned found = 0;

	if (state != 0 && state != TLB_LAZY && state != (TLB_LAZY | TLB_STALE))
		found += broken(report, cpu, "neither active nor lazy");
	if ((int64_t)(tlb_generation_now() - seen) < 0)
		found += broken(report, cpu, "has seen a generation that has not begun");
	if (state == 0 && smp_cpu_online(cpu) &&
	    (int64_t)(seen - tlb_generation_known_passed()) < 0)
		found += broken(report, cpu, "is active and behind a generation that has passed");
	return found;
}

unsigned tlb_audit(void (*report)(const char *line))
{
	unsigned found = 0;

	if (tlb_lines == NULL)
		return 0;
	if ((int64_t)(tlb_generation_now() - tlb_generation_known_passed()) < 0)
		found += broken(report, 0, "a generation has passed that has not begun");
	for (unsigned cpu = 0; cpu < tlb_line_count; cpu++)
		found += audit_line(cpu, report);
	return found;
}
