/* SPDX-License-Identifier: BSD-2-Clause */
/* One schedule, from putting everything back to the last question. */
#include "arch/cpu.h"
#include "lib/check.h"
#include "smp/tlb_private.h"
#include "tests/explore/engine/engine.h"

/* Enough for an estimate of the length, few enough to cost nothing. */
enum { CALIBRATION_SCHEDULES = 8 };

/* Seeds of these schedules, so that none is run twice. */
#define CALIBRATION_SEED UINT64_C(0xca11b7a7e0000000)

struct schedule schedule_now;
bool schedule_has_plain;

static uint64_t length_estimate = 1;
static unsigned (*chooser)(unsigned n) = strategy_choose;
static bool sequential;

void schedule_set_chooser(unsigned (*choose)(unsigned n))
{
	chooser = choose;
}

static void call(const char *phase, void (*fn)(void))
{
	schedule_now.phase = phase;
	if (fn != NULL)
		fn();
}

uint64_t schedule_run_directed(uint64_t seed, bool store_buffers)
{
	const struct explore_scenario *scenario = schedule_now.scenario;

	schedule_now.seed = seed;
	schedule_now.tried = true;
	world_rest();
	host_rewind(seed);
	tlb_set_generation(FIRST_GENERATION); /* TLBs are empty: everybody has flushed */
	memory_restore();
	schedule_now.running = true;
	sequential = !store_buffers;
	call("reset", scenario->reset);
	schedule_now.phase = "run";
	schedule_now.in_run = true;
	host_set_store_buffers(store_buffers);
	host_direct_activate(true);
	world_run_all();
	schedule_now.in_run = false;
	host_direct_activate(false);
	host_set_store_buffers(false);
	world_settle();
	call("check", scenario->check);
	schedule_now.running = false;
	return host_trace();
}

uint64_t schedule_run(const struct strategy *strategy, uint64_t seed)
{
	schedule_now.strategy = strategy;
	strategy_begin(strategy, schedule_now.scenario, seed, length_estimate);
	return schedule_run_directed(
	    seed, (strategy_extras(strategy, schedule_now.scenario) & STRATEGY_TSO) != 0);
}

void schedule_calibrate(void)
{
	const struct strategy *random = strategy_find("random");
	uint64_t longest = 1;

	for (unsigned i = 0; i < CALIBRATION_SCHEDULES; i++) {
		schedule_run(random, CALIBRATION_SEED + i);
		if (host_steps() > longest)
			longest = host_steps();
	}
	length_estimate = longest;
}

static void nmi_entry(void)
{
	schedule_now.scenario->nmi();
}

void schedule_nmi(unsigned cpu)
{
	if (host_nmi(cpu, nmi_entry) && trace_on())
		trace_event(cpu, "non-maskable interrupt sent");
}

/* --- What scenarios call --- */

static bool in_run(void)
{
	return host_machine_config()->mode == HOST_THREADS ||
	       (schedule_now.running && schedule_now.in_run);
}

void explore_step(void)
{
	CHECK(in_run());
	arch_hook(ARCH_HOOK_ATOMIC, NULL);
}

unsigned explore_choose(unsigned n)
{
	CHECK_NE(n, 0);
	CHECK(in_run());
	if (host_machine_config()->mode == HOST_THREADS)
		return (unsigned)host_random(n);
	return chooser(n);
}

bool explore_is_sc(void)
{
	return sequential;
}
