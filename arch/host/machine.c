/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "arch/host/internal.h"

enum { DEFAULT_STEP_NS = 20, DEFAULT_QUIET_TICKS = 200000 };

struct host_machine *host_machine;
uint32_t host_hooks_armed;
__thread struct host_core *host_core;

struct host_cpu *host_cpu_of(unsigned cpu)
{
	CHECK(host_machine != NULL);
	CHECK_LT(cpu, host_machine->config.cpus);
	return &host_machine->cpus[cpu];
}

bool host_machine_exists(void)
{
	return host_machine != NULL;
}

const struct host_config *host_machine_config(void)
{
	CHECK(host_machine != NULL);
	return &host_machine->config;
}

/* 64 MiB from 1 MiB on, with 16 MiB missing in the middle. */
static void config_default_ranges(struct host_config *config)
{
	const vm_paddr_t mib = 1 << 20;

	config->range_count = 2;
	config->ranges[0].start = 1 * mib;
	config->ranges[0].end = 33 * mib;
	config->ranges[1].start = 49 * mib;
	config->ranges[1].end = 81 * mib;
}

static void config_complete(struct host_config *config)
{
	if (config->cpus == 0)
		config->cpus = 1;
	if (config->range_count == 0)
		config_default_ranges(config);
	if (config->cmdline == NULL)
		config->cmdline = "";
	if (config->step_ns == 0)
		config->step_ns = DEFAULT_STEP_NS;
	if (config->quiet_ticks_max == 0)
		config->quiet_ticks_max = DEFAULT_QUIET_TICKS;
}

static void config_check(const struct host_config *config)
{
	vm_paddr_t end = 0;

	CHECK_LE(config->cpus, MAXCPU);
	CHECK_LE(config->range_count, HOST_RANGES_MAX);
	for (unsigned i = 0; i < config->range_count; i++) {
		const struct host_range *range = &config->ranges[i];

		CHECK_EQ((range->start | range->end) & PAGE_MASK, 0);
		CHECK_LE(end, range->start);
		CHECK_LT(range->start, range->end);
		CHECK_LT(range->domain, MAXMEMDOM);
		end = range->end;
	}
	CHECK_LE(end, UINT64_C(1) << HOST_PHYS_BITS);
}

static void cpu_create(struct host_cpu *cpu, unsigned id, uint64_t seed)
{
	cpu->id = id;
	cpu->early_area.self = &cpu->early_area;
	cpu->early_area.cpu = id;
	cpu->core.percpu = &cpu->early_area;
	cpu->random = host_random_start(seed, id);
	cpu->wake_ns = HOST_NEVER;
	cpu->timer_next_ns = HOST_NEVER;
}

/* The caller becomes CPU 0, with interrupts disabled as at boot. */
static void cpus_create(struct host_machine *machine)
{
	struct host_cpu *boot;

	machine->cpus = calloc(machine->config.cpus, sizeof(*machine->cpus));
	CHECK(machine->cpus != NULL);
	for (unsigned i = 0; i < machine->config.cpus; i++)
		cpu_create(&machine->cpus[i], i, machine->config.seed);
	boot = &machine->cpus[0];
	boot->home = boot->flow = host_flow_adopt();
	boot->state = HOST_CPU_ACTIVE;
	boot->listening = 1;
	host_core = &boot->core;
}

static void controls_reset(void)
{
	host_irq_reset();
	host_ipi_reset();
	host_cache_reset();
	host_faults_reset();
	host_log_reset();
	host_console_reset();
	host_fault_handler_reset();
	host_oracle_enable(true);
}

void host_machine_create(const struct host_config *config)
{
	struct host_machine *machine;

	CHECK(host_machine == NULL);
	machine = calloc(1, sizeof(*machine));
	CHECK(machine != NULL);
	machine->config = *config;
	config_complete(&machine->config);
	config_check(&machine->config);
	machine->next_event = HOST_NEVER;

	controls_reset();
	host_ram_create(machine);
	host_reverse_create(&machine->reverse, machine->ram_end);
	host_tables_create(machine);
	cpus_create(machine);
	if (machine->config.mode == HOST_THREADS)
		machine->now_ns = host_real_ns();
	host_machine = machine;
	host_hooks_update();
}

void host_machine_destroy(void)
{
	struct host_machine *machine = host_machine;

	CHECK(machine != NULL);
	CHECK_EQ(host_self()->id, 0);
	CHECK(host_self()->flow == host_self()->home);
	__atomic_store_n(&host_hooks_armed, 0, __ATOMIC_RELAXED);
	if (host_is_threads())
		host_threads_stop_all();
	host_flows_destroy();
	controls_reset();
	for (unsigned i = 0; i < machine->config.cpus; i++)
		tlb_destroy(&machine->cpus[i].tlb);
	host_reverse_destroy(&machine->reverse);
	host_ram_destroy(machine);
	free(machine->boot);
	free(machine->cpus);
	free(machine);
	host_machine = NULL;
	host_core = NULL;
}

/* A hook has something to do when CPUs run in parallel, take turns by chance, or tick. */
static bool by_chance(const struct host_machine *machine)
{
	return machine->config.mode == HOST_THREADS || machine->config.switch_ppm != 0 ||
	       machine->config.speculate_ppm != 0 || machine->config.max_steps != 0 ||
	       machine->watch != NULL || machine->next_event != HOST_NEVER || machine->probes_used;
}

void host_hooks_update(void)
{
	const struct host_machine *machine = host_machine;
	uint32_t armed = by_chance(machine) ? HOST_ARMED_HOOKS : 0;

	if (machine->director != NULL)
		armed = machine->directed ? HOST_ARMED_HOOKS : 0;
	if (machine->directed && (machine->store_buffers || machine->watch_values))
		armed |= HOST_ARMED_SHARED;
	__atomic_store_n(&host_hooks_armed, armed, __ATOMIC_RELAXED);
}

void host_set_switch_ppm(uint32_t ppm)
{
	host_machine->config.switch_ppm = ppm;
	host_hooks_update();
}

void host_set_speculate_ppm(uint32_t ppm)
{
	host_machine->config.speculate_ppm = ppm;
	host_hooks_update();
}

void host_set_watch(void (*watch)(enum arch_hook_kind kind, const volatile void *where, void *ctx),
		    void *ctx)
{
	host_machine->watch = watch;
	host_machine->watch_ctx = ctx;
	host_hooks_update();
}

uint64_t host_steps(void)
{
	return host_machine->steps;
}

uint64_t host_trace(void)
{
	return host_machine->trace;
}

void host_latch_take(struct host_latch *latch)
{
	while (__atomic_exchange_n(&latch->held, 1, __ATOMIC_ACQUIRE) != 0)
		host_real_pause();
}

void host_latch_drop(struct host_latch *latch)
{
	__atomic_store_n(&latch->held, 0, __ATOMIC_RELEASE);
}

const struct boot_info *arch_boot_info(void)
{
	CHECK(host_machine != NULL);
	return host_machine->boot;
}

vm_paddr_t arch_mmu_kernel_root(void)
{
	CHECK(host_machine != NULL);
	return host_machine->root;
}

vm_offset_t arch_mmu_image_end(void)
{
	CHECK(host_machine != NULL);
	return host_machine->image_end;
}
