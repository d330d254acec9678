/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The module: runs the chosen cases when it is loaded, and prints. Parameters: quick=1 for few
 * samples, cases=NAME,... (names of bench/cases.h, or families) for some instead of all, and
 * cpu_start_us=N (case_start.c).
 */
#include <linux/cpumask.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/utsname.h>

#include "bench/meter/marker.h"
#include "bench/peers/linux/module/harness.h"
#include "bench/peers/linux/module/symbols.h"

enum { CASES_NAMED_MAX = 64 };

static bool quick;
module_param(quick, bool, 0);
static char *cases[CASES_NAMED_MAX];
static unsigned int cases_named;
module_param_array(cases, charp, &cases_named, 0);

static const struct bench_case *const tables[] = {
    page_cases,  item_cases,    kmem_cases,   shootdown_cases,    handover_cases,
    start_cases, vmalloc_cases, llfree_cases, trace_malloc_cases, trace_zone_cases,
};

static bool covers(const char *wanted, const char *name)
{
	size_t length = strlen(wanted);

	return strncmp(wanted, name, length) == 0 && (name[length] == '\0' || name[length] == '.');
}

static bool is_chosen(const char *name)
{
	for (unsigned int i = 0; i < cases_named; i++)
		if (covers(cases[i], name))
			return true;
	return cases_named == 0;
}

struct tally {
	unsigned int cases;   /* with at least one run that succeeded */
	unsigned int skipped; /* runs, or cases that cannot run here */
	unsigned int failed;  /* runs */
};

static void run_modes(const struct bench_case *what, struct tally *tally)
{
	unsigned int modes = what->modes != 0 ? what->modes : BENCH_ALONE | BENCH_ALL;
	const char *why = what->unavailable != NULL ? what->unavailable() : NULL;
	unsigned int good = 0;
	int error;

	if (why != NULL) {
		pr_info("bench: skipped case=%u name=%s: %s\n", what->index,
			bench_case_name(what->index), why);
		tally->skipped++;
		return;
	}
	for (unsigned int mode = BENCH_ALONE; mode <= BENCH_ALL; mode <<= 1) {
		if ((modes & mode) == 0)
			continue;
		error = bench_run_case(what, mode, quick);
		good += error == 0;
		tally->skipped += error == -ENOMEM;
		tally->failed += error != 0 && error != -ENOMEM;
	}
	tally->cases += good != 0;
}

static void run_table(const struct bench_case *what, struct tally *tally)
{
	for (; what->sample != NULL; what++)
		if (is_chosen(bench_case_name(what->index)))
			run_modes(what, tally);
}

static int __init bench_init(void)
{
	struct tally tally = {0}, of_empty = {0};

	if (!symbols_find())
		return -ENOENT;
	/* Switches the meter on. */
	METER_MARK(METER_PRINT, 0);
	pr_info("bench: start cpus=%u build=linux-%s seed=%u\n", num_online_cpus(),
		init_utsname()->release, BENCH_SEED);
	run_modes(empty_cases, &of_empty);
	for (unsigned int i = 0; i < ARRAY_SIZE(tables); i++)
		run_table(tables[i], &tally);
	METER_MARK(METER_PRINT, 0);
	pr_info("bench: done cases=%u seed=%u skipped=%u failed=%u\n", tally.cases, BENCH_SEED,
		tally.skipped, tally.failed + of_empty.failed + of_empty.skipped);
	return 0;
}

static void __exit bench_exit(void)
{
}

module_init(bench_init);
module_exit(bench_exit);
MODULE_DESCRIPTION("memory benchmark with markers for a meter");
/* "Dual": what is exported to GPL modules only is open to it. */
MODULE_LICENSE("Dual BSD/GPL");
