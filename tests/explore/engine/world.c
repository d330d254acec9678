/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine for a scenario, brought up as far as the scenario asks, and its CPUs: each waits idle,
 * interrupts on, until the next round begins, and goes back to that when run() has returned. So a
 * CPU that has nothing to do answers interrupts and can be interrupted, as an idle one does.
 */
#include <sys/mman.h>

#include "arch/cpu.h"
#include "arch/host/flow.h"
#include "kernel/sched/sleepq.h"
#include "kernel/sched/thread.h"
#include "lib/check.h"
#include "smp/call.h"
#include "smp/percpu.h"
#include "smp/shootdown.h"
#include "smp/smp.h"
#include "tests/explore/engine/engine.h"
#include "vm/vm.h"
#include "vm/vm_fault.h"
#include "vm/vm_kern.h"

enum { STACK_SIZE = 256 * 1024, STEPS_MAX = 1000000 };

#define START_TIMEOUT_NS (UINT64_C(60) * 1000000000)

static const struct explore_scenario *scenario;
static uint32_t round_number; /* (a) */
static struct thread *idle_threads[EXPLORE_CPUS_MAX];
static uint64_t idle_switches; /* of all of them, after the last rest */
static bool round_is_rest;
static uint32_t resting[EXPLORE_CPUS_MAX]; /* (a) its own thread is about to sleep */
static uint32_t arrived;                   /* (a) CPUs that have come to their loop */
static uint32_t returned; /* (a) CPUs that have finished this round, CPU 0 left out */

static void *memory_alloc(size_t bytes)
{
	void *memory =
	    mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static void memory_free(void *memory, size_t bytes)
{
	munmap(memory, bytes);
}

/* Blocks that traces call by name. */
static void *shootdown_alloc(size_t bytes)
{
	static const char *const names[] = {"shootdown lines", "generation lines"};
	static unsigned blocks;
	void *memory = memory_alloc(bytes);

	if (memory != NULL && blocks < nitems(names))
		explore_name(memory, bytes, names[blocks++]);
	return memory;
}

static void *smp_alloc(size_t bytes)
{
	static const char *const names[] = {"area of cpu 1", "area of cpu 2", "area of cpu 3",
					    "area of cpu 4", "area of cpu 5", "area of cpu 6",
					    "area of cpu 7"};
	static unsigned areas;
	void *memory = memory_alloc(bytes);

	if (memory != NULL && bytes == sizeof(struct percpu) && areas < nitems(names))
		explore_name(memory, bytes, names[areas++]);
	return memory;
}

static void *stack_alloc(size_t *size)
{
	*size = STACK_SIZE;
	return memory_alloc(STACK_SIZE);
}

/* Without a hook: it is no step of the scenario. */
static void irq_set(bool on)
{
	host_core->irq_enabled = on;
}

static void round_await(uint32_t seen)
{
	irq_set(false);
	while (__atomic_load_n(&round_number, __ATOMIC_ACQUIRE) == seen) {
		host_order_release(&arrived); /* what interrupts did meanwhile: see settle */
		arch_cpu_idle();
	}
	host_order_acquire(&round_number);
	irq_set(true);
}

static void round_leave(void)
{
	host_order_release(&returned);
	if (__atomic_add_fetch(&returned, 1, __ATOMIC_RELEASE) == scenario->cpus - 1)
		host_cpu_wake(0);
}

/*
 * Where an idle thread stands is state that outlives a schedule: it goes on from where it was
 * switched away from, by itself or by an interrupt. A rest makes that the same for all: every CPU's
 * own thread sleeps, the CPU idles, and an interrupt ends both. CPU 1 wakes CPU 0.
 */
static void rest_sleep(unsigned cpu)
{
	sleepq_prepare(&resting[cpu], "rest");
	__atomic_store_n(&resting[cpu], 1, __ATOMIC_RELEASE);
	sleepq_commit(SLEEP_FOREVER);
	resting[cpu] = 0;
}

static void rest_end(unsigned cpu)
{
	while (!__atomic_load_n(&resting[cpu], __ATOMIC_ACQUIRE) ||
	       host_cpu_state(cpu) != HOST_CPU_IDLE)
		arch_cpu_relax();
	wakeup(&resting[cpu]);
}

static void rest(unsigned cpu)
{
	if (cpu == 0)
		for (unsigned i = 1; i < scenario->cpus; i++)
			rest_end(i);
	rest_sleep(cpu);
	if (cpu == 1)
		rest_end(0);
}

static void round_body(unsigned cpu)
{
	if (round_is_rest)
		rest(cpu);
	else
		scenario->run(cpu);
}

static void cpu_loop(void *arg)
{
	(void)arg;
	__atomic_add_fetch(&arrived, 1, __ATOMIC_RELEASE);
	for (uint32_t seen = 0;; seen++) {
		round_await(seen);
		round_body(arch_cpu_id());
		round_leave();
	}
}

void world_run_all(void)
{
	unsigned others = scenario->cpus - 1;

	__atomic_store_n(&returned, 0, __ATOMIC_RELAXED);
	host_order_release(&round_number);
	__atomic_add_fetch(&round_number, 1, __ATOMIC_RELEASE);
	for (unsigned i = 1; i <= others; i++)
		host_cpu_wake(i);
	irq_set(true);
	round_body(0);
	irq_set(false);
	while (__atomic_load_n(&returned, __ATOMIC_ACQUIRE) != others)
		arch_cpu_idle();
	host_order_acquire(&returned);
	irq_set(true);
}

static uint64_t idle_switches_now(void)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < scenario->cpus; i++)
		sum += idle_threads[i]->switches;
	return sum;
}

void world_rest(void)
{
	if (idle_threads[0] == NULL || scenario->cpus == 1 || idle_switches == idle_switches_now())
		return;
	round_is_rest = true;
	world_run_all();
	round_is_rest = false;
	world_settle();
	idle_switches = idle_switches_now();
}

/* --- Bringing up --- */

static void start_bare(void)
{
	irq_set(true);
	for (unsigned i = 1; i < scenario->cpus; i++)
		host_cpu_run(i, cpu_loop, NULL);
}

static void ap_main_smp(void)
{
	irq_set(true);
	cpu_loop(NULL);
}

static void ap_main_sched(void)
{
	struct thread *idle = memory_alloc(sizeof(*idle));

	CHECK(idle != NULL);
	idle_threads[arch_cpu_id()] = idle;
	sched_init_cpu(idle);
	sched_idle();
}

static void start_cpus(void (*ap_main)(void))
{
	static const struct smp_provider provider = {smp_alloc, memory_free, stack_alloc,
						     memory_free};

	smp_start(&provider, ap_main, START_TIMEOUT_NS);
	CHECK_EQ(smp_online_count(), scenario->cpus);
}

static void start_threads(void)
{
	for (unsigned i = 1; i < scenario->cpus; i++) {
		struct thread *thread = memory_alloc(sizeof(*thread));
		void *stack = memory_alloc(STACK_SIZE);

		CHECK(thread != NULL && stack != NULL);
		thread_create(thread, "explore", cpu_loop, NULL, i, THREAD_PRIO_NORMAL, stack,
			      STACK_SIZE);
		thread_start(thread);
	}
}

static void start_sched(void)
{
	struct thread *boot = memory_alloc(sizeof(*boot)), *idle = memory_alloc(sizeof(*idle));
	void *stack = memory_alloc(STACK_SIZE);

	CHECK(boot != NULL && idle != NULL && stack != NULL);
	idle_threads[0] = idle;
	sched_init_boot_cpu(boot, idle, stack, STACK_SIZE);
	arch_irq_enable();
}

static void start_world(void)
{
	static const struct vm_kern_map_sizes sizes;

	if (scenario->world == EXPLORE_BARE) {
		start_bare();
		return;
	}
	smp_init();
	if (scenario->world == EXPLORE_VM) {
		vm_init();
		arch_fault_set_handler(vm_fault_kernel);
	} else {
		shootdown_init(scenario->cpus, shootdown_alloc);
	}
	if (scenario->world == EXPLORE_SMP) {
		arch_irq_enable();
		start_cpus(ap_main_smp);
		return;
	}
	start_sched();
	if (scenario->world == EXPLORE_VM)
		vm_kern_maps_init(&sizes);
	start_cpus(ap_main_sched);
	start_threads();
}

static bool is_quiet(unsigned cpu)
{
	return host_cpu_state(cpu) == HOST_CPU_IDLE && host_irq_waiting(cpu) == 0;
}

void world_settle(void)
{
	while (__atomic_load_n(&arrived, __ATOMIC_ACQUIRE) != scenario->cpus - 1)
		arch_cpu_relax();
	for (unsigned i = 1; i < scenario->cpus; i++)
		while (!is_quiet(i))
			arch_cpu_relax();
	host_order_acquire(&arrived);
}

void world_create(const struct explore_scenario *wanted, enum host_mode mode)
{
	struct host_config config = {.max_steps = STEPS_MAX};

	scenario = wanted;
	config.ranges[0].start = 1 << 20;
	config.ranges[0].end = 33 << 20;
	config.range_count = 1;
	if (scenario->configure != NULL)
		scenario->configure(&config);
	config.cpus = scenario->cpus;
	config.mode = mode;
	config.seed = 1;
	host_machine_create(&config);
	start_world();
	world_settle();
	if (scenario->create != NULL)
		scenario->create();
	world_settle();
	memory_snapshot();
}
