/* SPDX-License-Identifier: BSD-2-Clause */
#include "smp/patience.h"

#include "arch/clock.h"
#include "arch/cpu.h"

/* The clock is read once in so many turns: it costs more than a turn. */
enum { TURNS_PER_LOOK = 256 };

/* No verdict before so many turns: some ten milliseconds of a CPU that really ran. */
enum { TURNS_MIN = 1 << 16 };

void patience_start(struct patience *patience, uint64_t warn_ns, uint64_t limit_ns)
{
	patience->warn_ns = warn_ns;
	patience->limit_ns = limit_ns;
	patience->start_ns = 0;
	patience->next_warn_ns = 0;
	patience->turns = 0;
}

static enum patience_verdict patience_look(struct patience *patience)
{
	uint64_t now = arch_clock_ns();

	if (patience->start_ns == 0) {
		patience->start_ns = now;
		patience->next_warn_ns = now + patience->warn_ns;
	}
	if (patience->turns < TURNS_MIN)
		return PATIENCE_WAIT;
	if (now - patience->start_ns >= patience->limit_ns)
		return PATIENCE_OUT;
	if (now < patience->next_warn_ns)
		return PATIENCE_WAIT;
	patience->next_warn_ns = now + patience->warn_ns;
	return PATIENCE_WARN;
}

enum patience_verdict patience_turn(struct patience *patience)
{
	arch_cpu_relax();
	if (++patience->turns % TURNS_PER_LOOK != 0)
		return PATIENCE_WAIT;
	return patience_look(patience);
}

uint64_t patience_waited_ns(const struct patience *patience)
{
	return patience->start_ns == 0 ? 0 : arch_clock_ns() - patience->start_ns;
}
