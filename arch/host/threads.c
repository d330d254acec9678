/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPUs as threads of the host. An idle one waits on the word of its pending interrupts: a futex
 * and not a condition variable, because the thread sanitizer would take the latter's lock for an
 * order between all CPUs that ever woke this one.
 */
#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "arch/host/internal.h"

/* An idle CPU looks around this often even if nobody woke it. */
#define IDLE_MAX_NS UINT64_C(50000000)

/* Hooks between two looks at the clock: it costs more than a hook. */
enum { HOOKS_PER_CLOCK = 32 };

static void futex_wait(uint32_t *word, uint64_t ns)
{
	struct timespec timeout = {(time_t)(ns / 1000000000), (long)(ns % 1000000000)};

	syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, 0, &timeout, NULL, 0);
}

void host_threads_wake(struct host_cpu *cpu)
{
	syscall(SYS_futex, &cpu->core.pending, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
}

/* CPU 0 is the thread that stops the others. */
static void leave_if_told(struct host_cpu *self)
{
	while (__atomic_load_n(&host_machine->frozen, __ATOMIC_RELAXED) &&
	       __atomic_load_n(&host_machine->frozen, __ATOMIC_RELAXED) != self->id + 1)
		usleep(1000);
	if (self->has_thread && __atomic_load_n(&host_machine->stopping, __ATOMIC_RELAXED)) {
		struct host_flow *flow = self->flow;

		self->flow = self->base;
		host_flow_switch(flow, self->base, true);
	}
}

void host_threads_hook(struct host_cpu *self)
{
	leave_if_told(self);
	if (++self->polls % HOOKS_PER_CLOCK == 0)
		host_events_fire(self, host_real_ns());
	if (host_chance(self, host_machine->config.speculate_ppm))
		host_mmu_speculate(self);
	if (host_chance(self, host_machine->config.switch_ppm))
		host_real_pause();
}

void host_threads_relax(struct host_cpu *self)
{
	leave_if_told(self);
	host_events_fire(self, host_real_ns());
	host_real_pause();
}

void host_threads_idle(struct host_cpu *self)
{
	bool halted = self->state == HOST_CPU_HALTED;

	for (;;) {
		uint64_t now = host_real_ns(), next;

		leave_if_told(self);
		host_events_fire(self, now);
		if (__atomic_load_n(&self->core.pending, __ATOMIC_ACQUIRE) != 0 && !halted)
			return;
		next = host_events_next(self);
		futex_wait(&self->core.pending,
			   next > now && next - now < IDLE_MAX_NS ? next - now : IDLE_MAX_NS);
	}
}

static void *thread_main(void *arg)
{
	struct host_cpu *cpu = arg;

	host_core = &cpu->core;
	cpu->base = host_flow_adopt();
	host_cpu_start_flow(cpu);
	host_flow_switch(cpu->base, cpu->home, true);
	return NULL;
}

void host_threads_start(struct host_cpu *cpu)
{
	cpu->has_thread = true;
	if (pthread_create(&cpu->thread, NULL, thread_main, cpu) != 0)
		panic("host machine: no thread for CPU %u", cpu->id);
}

void host_threads_stop_all(void)
{
	__atomic_store_n(&host_machine->stopping, 1, __ATOMIC_RELAXED);
	for (unsigned i = 1; i < host_machine->config.cpus; i++) {
		struct host_cpu *cpu = &host_machine->cpus[i];

		if (!cpu->has_thread)
			continue;
		host_threads_wake(cpu);
		pthread_join(cpu->thread, NULL);
	}
}
