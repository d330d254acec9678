/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sending interrupted sequences back, and stopping one at a chosen instruction.
 *
 * The table .quire_restart has an entry for each place into which the compiler put a sequence.
 * Its bounds are computed from it, so a sequence that is not in .text.restartable is found too;
 * it only makes the bounds wider, and the search more frequent.
 */
#include "arch/restart.h"

#include "arch/x86_64/cpu_local.h"
#include "arch/x86_64/regs.h"
#include "arch/x86_64/restart.h"
#include "lib/check.h"

/* Addresses of the first instruction and of the one that commits. */
struct sequence {
	uint64_t start, commit;
};

extern const struct sequence restart_table[], restart_table_end[]; /* quire.ld */

/* Written by the boot CPU while it is alone. */
struct restart_bounds restart_bounds;

/* Intel SDM vol. 3B 17.2: address 0 is enabled, for execution; what has matched. */
enum { DR7_EXECUTE_0 = 1 << 1, DR7_ALWAYS = 1 << 10, DR6_MATCH_0 = 1 << 0 };
#define DR6_NONE UINT64_C(0xffff0ff0)

void restart_init(void)
{
	uint64_t low = UINT64_MAX, high = 0;

	for (const struct sequence *s = restart_table; s < restart_table_end; s++) {
		CHECK_LT(s->start, s->commit);
		if (s->start < low)
			low = s->start;
		if (s->commit > high)
			high = s->commit;
	}
	if (high != 0)
		restart_bounds = (struct restart_bounds){low, high - low + 1};
}

void restart_rewind(struct trap_frame *frame)
{
	for (const struct sequence *s = restart_table; s < restart_table_end; s++) {
		if (frame->rip <= s->start || frame->rip > s->commit)
			continue;
		if (cpu_local()->restart_disabled)
			return;
		cpu_local()->restarts++;
		frame->rip = s->start;
		return;
	}
}

uint64_t arch_restarts(void)
{
	return cpu_local()->restarts;
}

void arch_restart_enable(bool on)
{
	cpu_local()->restart_disabled = !on;
}

/* --- Probes: an instruction breakpoint, which is taken before the instruction --- */

static void debug_registers_write(uint64_t address, uint64_t dr7)
{
	__asm__ volatile("movq %0, %%dr7" : : "r"((uint64_t)DR7_ALWAYS) : "memory");
	__asm__ volatile("movq %0, %%dr0" : : "r"(address) : "memory");
	__asm__ volatile("movq %0, %%dr6" : : "r"(DR6_NONE) : "memory");
	__asm__ volatile("movq %0, %%dr7" : : "r"(dr7 | DR7_ALWAYS) : "memory");
}

unsigned arch_sequence_count(void)
{
	return (unsigned)(restart_table_end - restart_table);
}

/* Every byte may begin an instruction; a breakpoint elsewhere is never met. */
unsigned arch_sequence_places(unsigned sequence)
{
	CHECK_LT(sequence, arch_sequence_count());
	return (unsigned)(restart_table[sequence].commit - restart_table[sequence].start + 1);
}

void arch_sequence_probe(unsigned sequence, unsigned place, void (*fn)(void *arg), void *arg)
{
	bool irq_was_enabled = arch_irq_save();
	struct cpu_local *local = cpu_local();

	CHECK_LT(place, arch_sequence_places(sequence));
	local->probe_fn = fn;
	local->probe_arg = arg;
	debug_registers_write(restart_table[sequence].start + place, DR7_EXECUTE_0);
	arch_irq_restore(irq_was_enabled);
}

void arch_sequence_probe_end(void)
{
	bool irq_was_enabled = arch_irq_save();

	debug_registers_write(0, 0);
	cpu_local()->probe_fn = NULL;
	arch_irq_restore(irq_was_enabled);
}

bool restart_handle_debug(void)
{
	struct cpu_local *local = cpu_local();
	void (*fn)(void *arg) = local->probe_fn;
	uint64_t dr6;

	__asm__ volatile("movq %%dr6, %0" : "=r"(dr6) : : "memory");
	if (fn == NULL || (dr6 & DR6_MATCH_0) == 0)
		return false;
	arch_sequence_probe_end();
	arch_percpu()->irq_depth++;
	fn(local->probe_arg);
	arch_percpu()->irq_depth--;
	return true;
}
