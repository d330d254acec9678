/* SPDX-License-Identifier: BSD-2-Clause */
/* The command that shows what it costs to make CPUs forget, and how seldom they are asked. */
#include "arch/ipi.h"
#include "kernel/command.h"
#include "kernel/console.h"
#include "smp/shootdown.h"
#include "smp/smp.h"
#include "smp/tlb.h"
#include "vm/vm_kern_quarantine.h"

enum { BAR_MAX = 40 };

static unsigned long ul(uint64_t value)
{
	return (unsigned long)value;
}

static uint64_t requests_sum(const struct shootdown_stats *stats)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < SHOOTDOWN_REASONS; i++)
		sum += stats->requests[i];
	return sum;
}

static void show_requests(const struct shootdown_stats *stats)
{
	console_printf("immediate shootdowns, by reason\n");
	for (unsigned i = 0; i < SHOOTDOWN_REASONS; i++)
		console_printf("  %-10s %10lu\n", shootdown_reason_name(i), ul(stats->requests[i]));
	console_printf("  %-10s %10lu of %lu pages; %lu dropped everything\n", "in all",
		       ul(requests_sum(stats)), ul(stats->pages), ul(stats->full_flushes));
	console_printf("  asked %lu CPUs; left out %lu that idled; %lu asked nobody\n",
		       ul(stats->targets), ul(stats->left_out), ul(stats->local_only));
	console_printf("  %lu interrupt commands of all kinds, %lu sent again\n",
		       ul(arch_ipi_commands()), ul(stats->resends));
}

static uint64_t largest(const struct shootdown_stats *stats)
{
	uint64_t max = 0;

	for (unsigned i = 0; i < SHOOTDOWN_WAIT_BUCKETS; i++)
		max = stats->waits[i] > max ? stats->waits[i] : max;
	return max;
}

/* One row for each power of two that occurs, with a bar that compares it with the others. */
static void show_waits(const struct shootdown_stats *stats)
{
	static const char bar[BAR_MAX + 1] = "########################################";
	uint64_t max = largest(stats);

	if (max == 0)
		return;
	console_printf("how long those took that asked somebody; the longest %lu us\n",
		       ul(stats->max_wait_ns / 1000));
	for (unsigned i = 0; i < SHOOTDOWN_WAIT_BUCKETS; i++)
		if (stats->waits[i] != 0)
			console_printf("  from %12lu ns %10lu %.*s\n", 1ul << i,
				       ul(stats->waits[i]),
				       (int)(1 + stats->waits[i] * (BAR_MAX - 1) / max), bar);
}

static void show_generations(void)
{
	struct kmem_quarantine_stats waiting;
	struct tlb_stats stats;

	tlb_stats(&stats);
	kmem_quarantine_stats(&waiting);
	console_printf("deferred: generation %lu, passed %lu; %lu full flushes\n",
		       ul(tlb_generation_now()), ul(tlb_generation_known_passed()),
		       ul(stats.flushes));
	console_printf("  idled %lu times, %lu of which ended in a flush\n", ul(stats.lazy_entered),
		       ul(stats.lazy_flushes));
	console_printf("  quarantine: %lu pages wait, at most %lu of %lu; %lu went through%s\n",
		       ul(waiting.pages_now), ul(waiting.pages_max), ul(waiting.pages_limit),
		       ul(waiting.pages), kmem_quarantine_immediate() ? "; frees ask at once" : "");
}

static void show_cpu(unsigned cpu)
{
	struct shootdown_stats stats;
	struct tlb_stats flushes;

	shootdown_cpu_stats(cpu, &stats);
	tlb_cpu_stats(cpu, &flushes);
	console_printf("%4u %10lu %10lu %10lu %10lu %10lu %10lu %10lu us\n", cpu,
		       ul(requests_sum(&stats)), ul(stats.local_only), ul(stats.targets),
		       ul(stats.served), ul(flushes.flushes), ul(flushes.lazy_entered),
		       ul(stats.max_wait_ns / 1000));
}

int cmd_tlb(int argc, char **argv)
{
	struct shootdown_stats stats;

	if (argc != 1)
		return command_usage(argv);
	shootdown_stats(&stats);
	show_requests(&stats);
	show_waits(&stats);
	show_generations();
	console_printf("%4s %10s %10s %10s %10s %10s %10s %13s\n", "cpu", "requests", "alone",
		       "asked", "served", "flushes", "idled", "longest");
	for (unsigned cpu = 0; cpu < smp_cpu_count(); cpu++)
		if (smp_cpu_online(cpu))
			show_cpu(cpu);
	return 0;
}
