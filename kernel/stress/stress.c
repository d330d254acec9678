/* SPDX-License-Identifier: BSD-2-Clause */
/* The command stress: workers on all CPUs, progress, and a verdict. */
#include "kernel/stress/stress.h"

#include "arch/clock.h"
#include "kernel/command.h"
#include "kernel/console.h"
#include "kernel/kthread.h"
#include "lib/format.h"
#include "lib/string.h"
#include "smp/patience.h"
#include "smp/smp.h"
#include "vm/vm_audit.h"
#include "vm/vm_kern.h"
#include "vm/vm_page.h"

enum {
	DEFAULT_SECONDS = 60,
	SHOW_EVERY = 5,   /* seconds between two lines of progress */
	ERRORS_SHOWN = 8, /* the first ones; the others are counted */
	SHARE = 4,        /* all workers together hold at most one part in so many of free memory */
};

static struct stress_worker *workers[MAXCPU];
static struct kthread *threads[MAXCPU];
static unsigned worker_count;
static struct atomic32 stopped;
static struct atomic32 errors;

bool stress_stopped(void)
{
	return atomic32_load(&stopped, MO_RELAXED) != 0;
}

struct stress_worker *stress_worker_of(unsigned index)
{
	return workers[index];
}

void stress_error(const char *fmt, ...)
{
	char text[240];
	va_list args;

	if (atomic32_add(&errors, 1, MO_RELAXED) < ERRORS_SHOWN) {
		va_start(args, fmt);
		format_v(text, sizeof(text), fmt, args);
		va_end(args);
		console_printf("stress: ERROR: %s\n", text);
	}
	atomic32_store(&stopped, 1, MO_RELAXED);
}

/* --- Workers --- */

static void workers_free(void)
{
	for (unsigned i = 0; i < worker_count; i++)
		kmem_free(kernel_map, (vm_offset_t)workers[i], round_page(sizeof(*workers[i])));
	worker_count = 0;
}

static bool worker_add(unsigned cpu, uint64_t seed)
{
	struct stress_worker *worker =
	    (struct stress_worker *)kmem_alloc(kernel_map, round_page(sizeof(*worker)));

	if (worker == NULL)
		return false;
	worker->index = worker_count;
	worker->cpu = cpu;
	worker->random = seed + cpu * UINT64_C(0xd1342543de82ef95);
	spin_init(&worker->lock, "stress inbox", LOCK_RANK_KERNEL, 0);
	workers[worker_count++] = worker;
	return true;
}

static bool workers_make(uint64_t seed)
{
	struct cpuset online;
	uint64_t quota;

	worker_count = 0;
	smp_online_set(&online);
	CPUSET_FOREACH (cpu, &online) {
		if (!worker_add(cpu, seed)) {
			workers_free();
			return false;
		}
	}
	quota = ptoa(vm_page_free_count()) / SHARE / worker_count;
	for (unsigned i = 0; i < worker_count; i++) {
		workers[i]->count = worker_count;
		workers[i]->quota_bytes = quota;
	}
	return true;
}

static void worker_entry(void *arg)
{
	stress_worker_run((struct stress_worker *)arg);
}

static void workers_start(void)
{
	char name[THREAD_NAME_MAX];

	for (unsigned i = 0; i < worker_count; i++) {
		format(name, sizeof(name), "stress/%u", workers[i]->cpu);
		threads[i] = kthread_create(name, worker_entry, workers[i], workers[i]->cpu,
					    THREAD_PRIO_NORMAL);
		if (threads[i] == NULL)
			stress_error("no memory for the thread of cpu %u", workers[i]->cpu);
	}
}

static void workers_join(void)
{
	for (unsigned i = 0; i < worker_count; i++)
		if (threads[i] != NULL)
			kthread_join(threads[i]);
	for (unsigned i = 0; i < worker_count; i++)
		stress_worker_empty(workers[i]);
}

/* --- Progress and verdict --- */

struct totals {
	uint64_t steps, bytes, handed, refused;
};

static struct totals sum_up(void)
{
	struct totals totals = {0};

	for (unsigned i = 0; i < worker_count; i++) {
		totals.steps += workers[i]->steps;
		totals.bytes += workers[i]->bytes;
		totals.handed += workers[i]->gone;
		totals.refused += workers[i]->short_of_memory;
	}
	return totals;
}

static void show_progress(uint64_t second, uint64_t seconds)
{
	struct totals totals = sum_up();

	console_printf("stress: %lu of %lu s: %lu steps, %lu MiB verified, %lu items handed over, "
		       "%lu times short of memory\n",
		       (unsigned long)second, (unsigned long)seconds, (unsigned long)totals.steps,
		       (unsigned long)(totals.bytes >> 20), (unsigned long)totals.handed,
		       (unsigned long)totals.refused);
}

/* The workers work meanwhile; ends early when one of them found an error. */
static void wait_for_end(uint64_t seconds)
{
	uint64_t start = arch_clock_ns(), shown = 0, second;

	while (!stress_stopped()) {
		thread_sleep_ns(100000000);
		second = (arch_clock_ns() - start) / NS_PER_SECOND;
		if (second >= seconds)
			break;
		if (second >= shown + SHOW_EVERY) {
			shown = second;
			show_progress(second, seconds);
		}
	}
	atomic32_store(&stopped, 1, MO_RELAXED);
}

static void report_audit(const char *line)
{
	stress_error("audit: %s", line);
}

static int verdict(uint64_t seconds, uint64_t seed)
{
	struct totals totals = sum_up();
	uint32_t found = atomic32_load(&errors, MO_RELAXED);

	console_printf("stress: %s %lu s on %u CPUs: %lu steps, %lu MiB verified, "
		       "%lu items handed over, %u errors, seed %lu\n",
		       found == 0 ? "PASS" : "FAIL", (unsigned long)seconds, worker_count,
		       (unsigned long)totals.steps, (unsigned long)(totals.bytes >> 20),
		       (unsigned long)totals.handed, found, (unsigned long)seed);
	return found != 0;
}

static int stress_run(uint64_t seconds, uint64_t seed)
{
	int status;

	atomic32_store(&stopped, 0, MO_RELAXED);
	atomic32_store(&errors, 0, MO_RELAXED);
	if (!workers_make(seed)) {
		console_printf("quire: stress: no memory for the workers\n");
		return 1;
	}
	console_printf("stress: %lu s on %u CPUs, seed %lu\n", (unsigned long)seconds, worker_count,
		       (unsigned long)seed);
	workers_start();
	wait_for_end(seconds);
	workers_join();
	vm_audit(report_audit);
	status = verdict(seconds, seed);
	workers_free();
	return status;
}

/* --- Arguments --- */

static void show_choice(const char *name, const char *help)
{
	console_printf("  %-10s %s\n", name, help);
}

static int refuse(char **argv, const char *word)
{
	console_printf("quire: %s: \"%s\" is neither a number of seconds, seed=N nor one of\n",
		       argv[0], word);
	stress_list(show_choice);
	return 1;
}

static bool is_number(const char *word)
{
	return word[0] >= '0' && word[0] <= '9';
}

int cmd_stress(int argc, char **argv)
{
	uint64_t seconds = DEFAULT_SECONDS, seed = arch_cycles();
	bool chosen = false;

	stress_select_all();
	for (int i = 1; i < argc; i++) {
		if (is_number(argv[i])) {
			if (!command_number(argv, argv[i], &seconds))
				return 1;
		} else if (str_begins(argv[i], "seed=")) {
			if (!command_number(argv, argv[i] + strlen("seed="), &seed))
				return 1;
		} else {
			if (!chosen)
				stress_select_none();
			chosen = true;
			if (!stress_select(argv[i]))
				return refuse(argv, argv[i]);
		}
	}
	if (seconds == 0) {
		console_printf("quire: %s: the number of seconds is at least 1\n", argv[0]);
		return 1;
	}
	stress_select_end();
	stress_zones_make();
	return stress_run(seconds, seed);
}
