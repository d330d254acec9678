/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Restartable stacks, step by step: what the instructions of the machine do, with a hook before
 * each. An interrupt is taken at hooks only, so between the look at the count of interrupts and
 * the store that commits there is none, as there is no hook.
 */
#include "arch/restart.h"

#include "arch/host/internal.h"
#include "lib/planted.h"

enum { SEQUENCE_POP, SEQUENCE_PUSH, SEQUENCES };

enum { PLACE_COUNT, PLACE_SLOT, PLACE_COMMIT, PLACES };

/* The interrupt that a probe has asked for. */
static void probe_run(struct host_cpu *self)
{
	struct host_probe probe = self->probe;
	bool irq_was_enabled = self->core.irq_enabled != 0;

	arch_sequence_probe_end();
	self->core.irq_enabled = 0;
	self->core.interrupts++;
	self->core.percpu->irq_depth++;
	probe.fn(probe.arg);
	self->core.percpu->irq_depth--;
	self->core.irq_enabled = irq_was_enabled;
}

/*
 * A place where an interrupt may come. Returns false when the sequence has to begin again, because
 * one came since `interrupts` was read.
 */
static bool step(struct host_cpu *self, unsigned sequence, unsigned place, uint64_t interrupts)
{
	arch_hook(ARCH_HOOK_RESTART, NULL);
	if (unlikely(self->probe.fn != NULL) && self->probe.sequence == sequence &&
	    self->probe.place == place)
		probe_run(self);
	if (likely(self->core.interrupts == interrupts) || place == PLACE_COUNT ||
	    self->restart_disabled || PLANTED(restart_not_sent_back))
		return true;
	self->restarts++;
	return false;
}

#define READ(type, field)      arch_shared_load(type, &(field).value, __ATOMIC_RELAXED)
#define WRITE(type, field, to) arch_shared_store(type, &(field).value, to, __ATOMIC_RELAXED)

void *host_stack_pop(struct arch_stack *stack)
{
	struct host_cpu *self = host_self();
	uint64_t interrupts;
	uint32_t count;
	void *item = NULL;

	for (;;) {
		(void)step(self, SEQUENCE_POP, PLACE_COUNT, 0);
		interrupts = self->core.interrupts;
		count = READ(uint32_t, stack->count);
		if (count == 0)
			return NULL;
		if (!step(self, SEQUENCE_POP, PLACE_SLOT, interrupts))
			continue;
		item = stack->slots[count - 1];
		if (step(self, SEQUENCE_POP, PLACE_COMMIT, interrupts))
			break;
	}
	/* The machine's instruction takes one off what is there now. */
	WRITE(uint32_t, stack->count, READ(uint32_t, stack->count) - 1);
	WRITE(uint64_t, stack->pops, READ(uint64_t, stack->pops) + 1);
	return item;
}

bool host_stack_push(struct arch_stack *stack, void *item)
{
	struct host_cpu *self = host_self();
	uint64_t interrupts;
	uint32_t count;

	for (;;) {
		(void)step(self, SEQUENCE_PUSH, PLACE_COUNT, 0);
		interrupts = self->core.interrupts;
		count = READ(uint32_t, stack->count);
		if (count >= READ(uint32_t, stack->capacity))
			return false;
		if (!step(self, SEQUENCE_PUSH, PLACE_SLOT, interrupts))
			continue;
		stack->slots[count] = item;
		if (step(self, SEQUENCE_PUSH, PLACE_COMMIT, interrupts))
			break;
	}
	WRITE(uint32_t, stack->count, READ(uint32_t, stack->count) + 1);
	return true;
}

/* --- For tests --- */

uint64_t arch_restarts(void)
{
	return host_self()->restarts;
}

void arch_restart_enable(bool on)
{
	host_self()->restart_disabled = !on;
}

unsigned arch_sequence_count(void)
{
	return SEQUENCES;
}

unsigned arch_sequence_places(unsigned sequence)
{
	CHECK_LT(sequence, SEQUENCES);
	return PLACES;
}

/* A machine with probes goes step by step. */
void arch_sequence_probe(unsigned sequence, unsigned place, void (*fn)(void *arg), void *arg)
{
	CHECK_LT(place, arch_sequence_places(sequence));
	host_self()->probe = (struct host_probe){fn, arg, sequence, place};
	host_machine->probes_used = true;
	host_hooks_update();
}

void arch_sequence_probe_end(void)
{
	host_self()->probe.fn = NULL;
}
