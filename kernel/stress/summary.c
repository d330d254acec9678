/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/stress/summary.h"

#include "arch/bootinfo.h"
#include "arch/system.h"
#include "kernel/console.h"
#include "kernel/stress/figures.h"
#include "kernel/stress/report.h"
#include "kernel/stress/scenario.h"
#include "kernel/version.h"
#include "lib/string.h"
#include "smp/patience.h"
#include "smp/smp.h"

#define RULE "--------------------------------------------------------------------------------\n"

void summary_begin(const struct stress_state *state)
{
	const struct stress_options *options = &state->options;

	if (options->seconds == 0)
		console_printf("stress: until it is ended, on %u CPUs, seed %lu\n", state->workers,
			       (unsigned long)options->seed);
	else
		console_printf("stress: %lu s on %u CPUs, seed %lu\n",
			       (unsigned long)options->seconds, state->workers,
			       (unsigned long)options->seed);
}

void stress_show_progress(const struct stress_state *state)
{
	const struct stress_figures *figures = figures_now(state);

	console_printf("stress: %lu s, pass %lu, %s: %lu steps, %lu MiB verified, "
		       "%lu items handed over, %lu shootdowns, %lu times short of memory\n",
		       (unsigned long)(state->elapsed_ns / NS_PER_SECOND),
		       (unsigned long)(state->passes + 1),
		       stress_programme_at(state->scenario)->scenario.name,
		       (unsigned long)figures->sum[FIGURE_STEPS],
		       (unsigned long)(figures->sum[FIGURE_BYTES] >> 20),
		       (unsigned long)figures->sum[FIGURE_HANDED],
		       (unsigned long)figures->sum[FIGURE_SHOOTDOWNS],
		       (unsigned long)figures->sum[FIGURE_SHORT]);
}

static void show_machine(const struct stress_state *state)
{
	const struct boot_info *info = arch_boot_info();

	console_printf(" kernel     Quire " QUIRE_VERSION "\n");
	console_printf(" machine    %s\n", arch_cpu_description());
	console_printf(" firmware   %s, started by %s\n", arch_firmware_description(),
		       info->loader[0] != '\0' ? info->loader : "no loader");
	console_printf(" size       %u of %u CPUs, %lu MiB in %u domain%s\n", state->workers,
		       smp_cpu_count(), (unsigned long)(info->ram_bytes >> 20), info->domain_count,
		       info->domain_count == 1 ? "" : "s");
}

/* --- What was done --- */

static void show_work(const struct stress_state *state, const struct stress_figures *figures)
{
	uint64_t ms = state->elapsed_ns / 1000000;

	console_printf(" time       %lu.%03lu s, %lu pass%s of %u scenario%s, seed %lu\n",
		       (unsigned long)(ms / 1000), (unsigned long)(ms % 1000),
		       (unsigned long)state->passes, state->passes == 1 ? "" : "es",
		       stress_programme_count(), stress_programme_count() == 1 ? "" : "s",
		       (unsigned long)state->options.seed);
	console_printf(" work       %lu steps, %lu MiB verified, %lu items handed over\n",
		       (unsigned long)figures->sum[FIGURE_STEPS],
		       (unsigned long)(figures->sum[FIGURE_BYTES] >> 20),
		       (unsigned long)figures->sum[FIGURE_HANDED]);
	console_printf(" memory     %lu times short\n", (unsigned long)figures->sum[FIGURE_SHORT]);
	console_printf(" TLBs       %lu shootdowns of %lu pages, %lu interrupts sent, "
		       "longest wait %lu us\n"
		       "            %lu frees deferred, %lu generations, at most %lu KiB in "
		       "quarantine\n",
		       (unsigned long)figures->sum[FIGURE_SHOOTDOWNS],
		       (unsigned long)figures->sum[FIGURE_PAGES_SHOT],
		       (unsigned long)figures->sum[FIGURE_IPIS],
		       (unsigned long)(figures->shootdown_wait_ns / 1000),
		       (unsigned long)figures->sum[FIGURE_DEFERRED],
		       (unsigned long)figures->sum[FIGURE_GENERATIONS],
		       (unsigned long)(figures->quarantined_max << 2));
}

static void show_worst(const struct stress_state *state, const char *what, enum stress_timed timed)
{
	struct stress_worst worst = figures_worst(state, timed);

	if (worst.name != NULL)
		console_printf(" longest    %s %lu us (%s, cpu %u)\n", what,
			       (unsigned long)(worst.ns / 1000), worst.name, worst.cpu);
}

static void show_errors(void)
{
	char text[STRESS_ERROR_MAX];
	uint32_t count = stress_error_count();

	for (unsigned i = 0; stress_error_text(i, text); i++)
		console_printf(" ERROR %u    %s\n", i + 1, text);
	if (count > STRESS_ERRORS_KEPT)
		console_printf(" and        %u more\n", count - STRESS_ERRORS_KEPT);
}

/* Green or red where there are colours. */
static void show_verdict(const struct stress_state *state, bool passed)
{
	const char *colour = passed ? "\033[0;7;32m" : "\033[0;7;31m";

	if (state->options.live)
		console_printf("%s  %s  \033[0m\n", colour, passed ? "PASS" : "FAIL");
	else
		console_printf(" %s\n", passed ? "PASS" : "FAIL");
}

/* Of a run that was not ended early what it was asked for, to the second. */
static uint64_t run_seconds(const struct stress_state *state)
{
	uint64_t asked = state->options.seconds, was = state->elapsed_ns / NS_PER_SECOND;

	return asked != 0 && was > asked ? asked : was;
}

void summary_end(const struct stress_state *state)
{
	const struct stress_figures *figures = figures_now(state);
	uint32_t errors = stress_error_count();

	console_printf(RULE);
	show_verdict(state, errors == 0);
	show_machine(state);
	show_work(state, figures);
	show_worst(state, "allocation", STRESS_MAKE);
	show_worst(state, "free", STRESS_DROP);
	show_worst(state, "act", STRESS_ACT);
	show_errors();
	console_printf(RULE);
	console_printf("stress: %s %lu s on %u CPUs: %lu steps, %lu MiB verified, "
		       "%lu items handed over, %u errors, seed %lu%s\n",
		       errors == 0 ? "PASS" : "FAIL", (unsigned long)run_seconds(state),
		       state->workers, (unsigned long)figures->sum[FIGURE_STEPS],
		       (unsigned long)(figures->sum[FIGURE_BYTES] >> 20),
		       (unsigned long)figures->sum[FIGURE_HANDED], errors,
		       (unsigned long)state->options.seed,
		       state->ended_by_key ? ", ended by a key" : "");
}
