/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/phases.h"

#include "arch/phase.h"
#include "lib/format.h"
#include "lib/panic.h"

#define NS_PER_MS_UL 1000000ul

enum { LINE_MAX = 240 };

static unsigned long ms(uint64_t ns)
{
	return (ns + NS_PER_MS_UL / 2) / NS_PER_MS_UL;
}

void phases_print(void)
{
	struct arch_phase phases[ARCH_PHASES_MAX];
	unsigned count = arch_phases(phases);
	char line[LINE_MAX] = "";
	uint64_t sum = 0;
	size_t at = 0;

	for (unsigned i = 0; i < count; i++) {
		sum += phases[i].ns;
		if (at < sizeof(line))
			at += format(line + at, sizeof(line) - at, "%s %s %lu", i == 0 ? ":" : ",",
				     phases[i].name, ms(phases[i].ns));
	}
	kprintf("boot: %lu ms%s; %lu ms from the reset to the kernel\n", ms(sum), line,
		ms(arch_phase_before_ns()));
}
