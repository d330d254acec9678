/* SPDX-License-Identifier: BSD-2-Clause */
/* Noted in ticks: the first phases end before anybody knows how long a tick is. */
#include "arch/phase.h"

#include "arch/cpu.h"
#include "arch/x86_64/clock.h"

static struct {
	const char *name;
	uint64_t end; /* ticks */
} ends[ARCH_PHASES_MAX];
static unsigned count;
static uint64_t first_tick;

void phase_begin(void)
{
	first_tick = arch_cycles();
}

void arch_phase_end(const char *name)
{
	if (count == ARCH_PHASES_MAX)
		return;
	ends[count].name = name;
	ends[count].end = arch_cycles();
	count++;
}

unsigned arch_phases(struct arch_phase *phases)
{
	uint64_t start = first_tick;

	for (unsigned i = 0; i < count; i++) {
		phases[i] =
		    (struct arch_phase){ends[i].name, clock_ticks_to_ns(ends[i].end - start)};
		start = ends[i].end;
	}
	return count;
}

uint64_t arch_phase_before_ns(void)
{
	return clock_ticks_to_ns(first_tick);
}
