/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench/meter/samples.h"

#include "bench/meter/marker.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The median is that of the last samples; minimum, maximum and sum are those of all. */
enum { RECENT = 255, SIDES = 2, FORMAT_VERSION = 1 };

struct figure {
	uint64_t min;
	uint64_t max;
	uint64_t sum;
	uint64_t recent[RECENT];
};

struct slot {
	uint64_t samples;
	uint64_t unmatched;
	bool open;
	uint64_t start[SIDES][METRICS];
	struct figure figures[SIDES][METRICS];
};

static const char *const side_names[SIDES] = {"own", "sys"};
static const char *const metric_names[METRICS] = {
    [METRIC_INSNS] = "insns", [METRIC_LOCKED] = "locked", [METRIC_TRANSFERS] = "transfers",
    [METRIC_ICR] = "icr",     [METRIC_LOADS] = "loads",   [METRIC_STORES] = "stores",
};

struct counters samples_counters[SAMPLES_CPUS_MAX];
static struct slot *slots[SAMPLES_CPUS_MAX][METER_CASES];
static unsigned cpu_count;
static const char *report_file;
static pthread_mutex_t report_mutex = PTHREAD_MUTEX_INITIALIZER;

void samples_init(unsigned cpus, const char *file)
{
	cpu_count = cpus;
	report_file = file;
}

static void counters_read(unsigned cpu, uint64_t now[SIDES][METRICS])
{
	unsigned other, metric;

	memset(now, 0, sizeof(uint64_t[SIDES][METRICS]));
	for (other = 0; other < cpu_count; other++) {
		for (metric = 0; metric < METRICS; metric++) {
			uint64_t *counter = &samples_counters[other].count[metric];

			now[1][metric] += __atomic_load_n(counter, __ATOMIC_RELAXED);
		}
	}
	memcpy(now[0], samples_counters[cpu].count, sizeof(now[0]));
}

static struct slot *slot_get(unsigned cpu, unsigned index)
{
	struct slot *slot = slots[cpu][index];

	if (slot == NULL) {
		slot = calloc(1, sizeof(*slot));
		if (slot == NULL) {
			fputs("meter: out of memory for samples\n", stderr);
			abort();
		}
		__atomic_store_n(&slots[cpu][index], slot, __ATOMIC_RELEASE);
	}
	return slot;
}

void samples_begin(unsigned cpu, unsigned index)
{
	struct slot *slot = slot_get(cpu, index);

	slot->open = true;
	counters_read(cpu, slot->start);
}

static void figure_add(struct figure *figure, uint64_t value, uint64_t samples)
{
	if (samples == 0 || value < figure->min)
		figure->min = value;
	if (value > figure->max)
		figure->max = value;
	figure->sum += value;
	figure->recent[samples % RECENT] = value;
}

void samples_end(unsigned cpu, unsigned index)
{
	struct slot *slot = slot_get(cpu, index);
	uint64_t now[SIDES][METRICS];
	unsigned side, metric;

	if (!slot->open) {
		slot->unmatched++;
		return;
	}
	slot->open = false;
	counters_read(cpu, now);
	for (side = 0; side < SIDES; side++)
		for (metric = 0; metric < METRICS; metric++)
			figure_add(&slot->figures[side][metric],
				   now[side][metric] - slot->start[side][metric], slot->samples);
	__atomic_store_n(&slot->samples, slot->samples + 1, __ATOMIC_RELEASE);
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Of an even number, the lower of the two in the middle: a value that occurred. */
static uint64_t median(const struct figure *figure, uint64_t samples)
{
	size_t n = samples < RECENT ? (size_t)samples : RECENT;
	uint64_t sorted[RECENT];

	memcpy(sorted, figure->recent, n * sizeof(sorted[0]));
	qsort(sorted, n, sizeof(sorted[0]), compare);
	return n == 0 ? 0 : sorted[(n - 1) / 2];
}

static void print_slot(FILE *out, unsigned cpu, unsigned index, const struct slot *slot)
{
	uint64_t samples = __atomic_load_n(&slot->samples, __ATOMIC_ACQUIRE);
	unsigned side, metric;

	fprintf(out, "meter: case=%u cpu=%u samples=%lu unmatched=%lu", index, cpu, samples,
		slot->unmatched);
	for (side = 0; side < SIDES; side++) {
		for (metric = 0; metric < METRICS; metric++) {
			const struct figure *f = &slot->figures[side][metric];
			const char *s = side_names[side], *m = metric_names[metric];

			fprintf(out, " %s_%s_min=%lu %s_%s_med=%lu %s_%s_max=%lu %s_%s_sum=%lu", s,
				m, f->min, s, m, median(f, samples), s, m, f->max, s, m, f->sum);
		}
	}
	fputc('\n', out);
}

static void print_total(FILE *out, unsigned cpu)
{
	const struct counters *counters = &samples_counters[cpu];
	unsigned metric;

	fprintf(out, "meter: total cpu=%u", cpu);
	for (metric = 0; metric < METRICS; metric++)
		fprintf(out, " %s=%lu", metric_names[metric],
			__atomic_load_n(&counters->count[metric], __ATOMIC_RELAXED));
	fprintf(out, " untracked=%lu\n", counters->untracked);
}

static void print_all(FILE *out)
{
	unsigned cpu, index;

	fprintf(out, "meter: version=%d cpus=%u line=64 addresses=physical\n", FORMAT_VERSION,
		cpu_count);
	for (cpu = 0; cpu < cpu_count; cpu++)
		print_total(out, cpu);
	for (index = 0; index < METER_CASES; index++) {
		for (cpu = 0; cpu < cpu_count; cpu++) {
			struct slot *slot = __atomic_load_n(&slots[cpu][index], __ATOMIC_ACQUIRE);

			if (slot != NULL)
				print_slot(out, cpu, index, slot);
		}
	}
}

bool samples_report(void)
{
	FILE *out;
	bool good;

	pthread_mutex_lock(&report_mutex);
	out = fopen(report_file, "w");
	good = out != NULL;
	if (good) {
		print_all(out);
		good = ferror(out) == 0;
		good = fclose(out) == 0 && good;
	}
	pthread_mutex_unlock(&report_mutex);
	return good;
}
