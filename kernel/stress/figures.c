/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/stress/figures.h"

#include "arch/clock.h"
#include "arch/ipi.h"
#include "lib/string.h"
#include "smp/patience.h"
#include "smp/shootdown.h"
#include "smp/smp.h"
#include "smp/tlb.h"
#include "vm/pmap.h"
#include "vm/vm_kern_cache.h"
#include "vm/vm_kern_quarantine.h"
#include "vm/vm_magazine.h"
#include "vm/vm_phys.h"

/* The shell's thread only. */
static struct stress_figures figures;
static uint64_t at_begin[FIGURES], at_sample[FIGURES];
static uint64_t steps_at_sample[MAXCPU];
static uint64_t sample_ns;

static void read_workers(const struct stress_state *state, uint64_t *sum)
{
	for (unsigned i = 0; i < state->workers; i++) {
		const struct stress_worker *worker = stress_worker_of(i);

		sum[FIGURE_STEPS] += worker->steps;
		sum[FIGURE_BYTES] += worker->bytes;
		sum[FIGURE_HANDED] += worker->gone;
		sum[FIGURE_SHORT] += worker->short_of_memory;
	}
}

static void read_machine(uint64_t *sum)
{
	struct kmem_quarantine_stats quarantine;
	struct shootdown_stats stats;
	struct tlb_stats tlb;

	shootdown_stats(&stats);
	kmem_quarantine_stats(&quarantine);
	tlb_stats(&tlb);
	for (unsigned i = 0; i < SHOOTDOWN_REASONS; i++)
		sum[FIGURE_SHOOTDOWNS] += stats.requests[i];
	sum[FIGURE_PAGES_SHOT] = stats.pages;
	sum[FIGURE_FLUSHES] = stats.full_flushes;
	sum[FIGURE_TARGETS] = stats.targets;
	sum[FIGURE_IPIS] = arch_ipi_commands();
	sum[FIGURE_DEFERRED] = quarantine.ranges;
	sum[FIGURE_GENERATIONS] = tlb.begun;
	figures.quarantined = quarantine.pages_now;
	figures.quarantined_max = quarantine.pages_max;
	figures.shootdown_wait_ns = stats.max_wait_ns;
}

static void read_memory(void)
{
	struct vm_magazine_stats stats;

	figures.total = figures.free = 0;
	for (unsigned domain = 0; domain < vm_phys_domain_count(); domain++) {
		figures.total += vm_phys_total_pages(domain);
		figures.free += vm_phys_free_pages(domain);
	}
	figures.magazines = vm_magazine_depot_cached();
	for (unsigned cpu = 0; cpu < smp_cpu_count(); cpu++) {
		if (!smp_cpu_online(cpu))
			continue;
		vm_magazine_stats(cpu, &stats);
		figures.magazines += stats.cached;
	}
	figures.kmem_cached = kmem_cache_cached_pages();
	figures.tables = kernel_pmap->table_pages;
}

static void read_all(const struct stress_state *state, uint64_t *sum)
{
	memset(sum, 0, FIGURES * sizeof(*sum));
	read_workers(state, sum);
	read_machine(sum);
}

void figures_begin(const struct stress_state *state)
{
	memset(&figures, 0, sizeof(figures));
	memset(steps_at_sample, 0, sizeof(steps_at_sample));
	read_all(state, at_begin);
	memcpy(at_sample, at_begin, sizeof(at_sample));
	sample_ns = arch_clock_ns();
}

const struct stress_figures *figures_now(const struct stress_state *state)
{
	uint64_t sum[FIGURES];

	read_all(state, sum);
	for (unsigned i = 0; i < FIGURES; i++)
		figures.sum[i] = sum[i] - at_begin[i];
	read_memory();
	return &figures;
}

/* Differences are far below 2^64 / NS_PER_SECOND: counts of a second or so. */
static uint64_t per_second(uint64_t count, uint64_t ns)
{
	return ns < 1000 ? 0 : count * 1000000 / (ns / 1000);
}

void figures_sample(const struct stress_state *state)
{
	uint64_t now = arch_clock_ns(), ns = now - sample_ns, sum[FIGURES];

	read_all(state, sum);
	for (unsigned i = 0; i < FIGURES; i++)
		figures.rate[i] = per_second(sum[i] - at_sample[i], ns);
	memcpy(at_sample, sum, sizeof(at_sample));
	figures.cpu_rate_max = 0;
	for (unsigned i = 0; i < state->workers; i++) {
		uint64_t steps = stress_worker_of(i)->steps;

		figures.cpu_rate[i] = per_second(steps - steps_at_sample[i], ns);
		steps_at_sample[i] = steps;
		if (figures.cpu_rate[i] > figures.cpu_rate_max)
			figures.cpu_rate_max = figures.cpu_rate[i];
	}
	sample_ns = now;
}

struct stress_worst figures_worst(const struct stress_state *state, enum stress_timed what)
{
	struct stress_worst worst = {0, NULL, 0};

	for (unsigned i = 0; i < state->workers; i++)
		if (stress_worker_of(i)->worst[what].ns > worst.ns)
			worst = stress_worker_of(i)->worst[what];
	return worst;
}
