/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench/kernel: what memory operations cost in this kernel, by the command `bench`.
 *
 * Purpose. Figures that anybody can get again: counts between markers, which a plugin of the
 * emulator reads (bench/meter), and the CPU's own counter for machines without one.
 *
 * Vocabulary. A case is one kind of operation (bench/cases.h). A run is a case in one mode: alone,
 * with one CPU at work and the others idle, or all, with every CPU at work at once. A worker is
 * one CPU's thread in a run. A sample is many operations in a row, between two markers; a run
 * makes two samples that count nowhere, to warm up, and then those that do. The empty sample comes
 * first in each mode, and tells what the markers and the calls around a sample cost.
 *
 * What keeps a figure honest. Nothing but the operations and the loop around them stands between
 * markers: sizes and places are drawn before, contents are written and checked in a pass of their
 * own afterwards, workers meet outside. All choices come from one seed, which is printed. Where
 * memory changes hands it does so between samples, so that every sample is one piece.
 *
 * Failure. An allocation that fails ends its run: everything is freed, one line says so, and the
 * next run begins. Wrong contents are `bench: FAIL`, and the command fails.
 *
 * Locks. barrier_lock and problem_lock of the run, never together, nothing below them.
 *
 * Rejected: timing each operation (the clock costs more than a hit of a cache), and running all
 * cases in one long sample (nobody could tell them apart).
 */
#include "bench/kernel/bench.h"
#include "bench/meter/marker.h"
#include "kernel/command.h"
#include "kernel/console.h"
#include "lib/string.h"
#include "smp/smp.h"

static const struct bench_case *const families[] = {
    bench_cases_page,  bench_cases_zone,      bench_cases_malloc,
    bench_cases_kmem,  bench_cases_shootdown, bench_cases_handover,
    bench_cases_start, bench_cases_vmalloc,   bench_cases_llfree,
};

static const struct {
	unsigned index;
	const char *name;
	const char *operation;
} names[] = {
#define BENCH_CASE(index, id, name, operation) {index, name, operation},
    BENCH_CASES
#undef BENCH_CASE
};

struct tally {
	unsigned cases;   /* with at least one run that succeeded */
	unsigned skipped; /* runs */
	unsigned failed;  /* runs */
};

static bool sample_nothing(struct bench_worker *worker)
{
	(void)worker;
	return true;
}

static const struct bench_case empty_case = {
    .index = BENCH_INDEX_EMPTY,
    .modes = BENCH_BOTH,
    .ops = 1,
    .sample = sample_nothing,
};

static const struct bench_case *case_of(unsigned index)
{
	for (size_t i = 0; i < nitems(families); i++)
		for (const struct bench_case *test = families[i]; test->modes != 0; test++)
			if (test->index == index)
				return test;
	return NULL;
}

/* --- The command --- */

static void case_count(struct tally *tally, unsigned outcomes[BENCH_FAILED + 1])
{
	tally->cases += outcomes[BENCH_OK] != 0;
	tally->skipped += outcomes[BENCH_SHORT];
	tally->failed += outcomes[BENCH_FAILED];
}

/* One CPU has started the others: so many operations, in one sample. */
static void past_print(const struct bench_case *test, const char *name)
{
	unsigned long ticks = (unsigned long)test->past();

	console_printf("bench: case=%u name=%s mode=alone cpus=%u ops=%u samples=1 ticks_min=%lu "
		       "ticks_med=%lu ticks_max=%lu\n",
		       test->index, name, smp_online_count(), smp_online_count() - 1, ticks, ticks,
		       ticks);
}

static void case_run_modes(const struct bench_case *test, const char *name,
			   const struct bench_options *options, struct tally *tally)
{
	unsigned outcomes[BENCH_FAILED + 1] = {0};
	const char *why = test->unavailable != NULL ? test->unavailable() : NULL;

	if (why != NULL) {
		console_printf("bench: skipped case=%u name=%s: %s\n", test->index, name, why);
		tally->skipped++;
		return;
	}
	if (test->past != NULL) {
		past_print(test, name);
		tally->cases++;
		return;
	}
	for (unsigned mode = BENCH_ALONE; mode <= BENCH_ALL; mode <<= 1)
		if ((test->modes & options->modes & mode) != 0)
			outcomes[bench_case_run(test, name, options, mode)]++;
	case_count(tally, outcomes);
}

static void case_run_numbered(size_t i, const struct bench_options *options, struct tally *tally)
{
	const struct bench_case *test = case_of(names[i].index);

	if (test != NULL) {
		case_run_modes(test, names[i].name, options, tally);
		return;
	}
	console_printf("bench: FAIL case=%u name=%s: nobody has written it\n", names[i].index,
		       names[i].name);
	tally->failed++;
}

static const char *build_name(void)
{
#ifdef QUIRE_DEBUG
	return "debug";
#else
	return "release";
#endif
}

static int bench_run_chosen(const struct bench_options *options)
{
	struct tally tally = {0}, of_empty = {0};

	/* The meter counts from its first marker on. */
	METER_MARK(METER_PRINT, 0);
	console_printf("bench: start cpus=%u build=%s seed=%lu\n", smp_online_count(), build_name(),
		       (unsigned long)options->seed);
	case_run_modes(&empty_case, "empty", options, &of_empty);
	for (size_t i = 0; i < nitems(names); i++)
		if (bench_options_chosen(options, names[i].name))
			case_run_numbered(i, options, &tally);
	bench_account_print_metadata();
	tally.failed += of_empty.failed + of_empty.skipped;
	console_printf("bench: done cases=%u seed=%lu skipped=%u failed=%u\n", tally.cases,
		       (unsigned long)options->seed, tally.skipped, tally.failed);
	METER_MARK(METER_PRINT, 0);
	return tally.failed != 0;
}

static int bench_list(const struct bench_options *options)
{
	for (size_t i = 0; i < nitems(names); i++)
		if (bench_options_chosen(options, names[i].name))
			console_printf("  %3u %-20s %s\n", names[i].index, names[i].name,
				       names[i].operation);
	return 0;
}

static int bench_help(void)
{
	console_printf(
	    "Usage: bench [SWITCH...] [CASE...]\n"
	    "  --list            name the cases, and what one operation of each is\n"
	    "  --quick           fewer samples with fewer operations\n"
	    "  --mode alone|all  one CPU at work, or all at once (default: both in turn)\n"
	    "  --samples N       samples of each case (default: %u, quick: %u)\n"
	    "  --seed N          another choice of random sizes and places (default: 1)\n"
	    "A name stands for itself and for all that begin with it: kmem, kmem.16.\n",
	    BENCH_SAMPLES, BENCH_SAMPLES_QUICK);
	return 0;
}

/* The first word that asks for no case at all, or NULL. */
static const char *unknown_name(const struct bench_options *options)
{
	for (int i = 0; i < options->name_count; i++) {
		bool known = false;

		for (size_t n = 0; n < nitems(names); n++)
			known = known || bench_name_covers(options->names[i], names[n].name);
		if (!known)
			return options->names[i];
	}
	return NULL;
}

static int cmd_bench(int argc, char **argv)
{
	struct bench_options options;
	const char *word = "";
	const char *problem = bench_options_parse(&options, argc, argv, &word);

	if (problem != NULL) {
		console_printf("quire: bench: \"%s\" is %s (try bench --help)\n", word, problem);
		return 1;
	}
	if (options.help)
		return bench_help();
	word = unknown_name(&options);
	if (word != NULL) {
		console_printf("quire: bench: no case has the name \"%s\" (try bench --list)\n",
			       word);
		return 1;
	}
	return options.list ? bench_list(&options) : bench_run_chosen(&options);
}

static const struct command bench_command = {
    "bench",
    "[CASE...]",
    "measure what memory operations cost; --quick, and others by --help",
    cmd_bench,
};
COMMAND_REGISTER(bench_command);
