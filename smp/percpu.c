/* SPDX-License-Identifier: BSD-2-Clause */
#include "smp/percpu.h"

#include "lib/check.h"
#include "lib/string.h"

/* Written once, by the boot CPU while it is alone; so reading it is no shared access. */
bool percpu_ready;

/* The boot CPU needs its area before any allocator exists. */
static struct percpu boot_area;

/* Atomic, as a CPU that never came loses its area while others run. */
static struct atomic_ptr areas[MAXCPU];

struct percpu *percpu_of(unsigned cpu)
{
	if (cpu >= MAXCPU)
		return NULL;
	return (struct percpu *)atomic_ptr_load(&areas[cpu], MO_ACQUIRE);
}

void percpu_init(struct percpu *area, unsigned cpu)
{
	CHECK_LT(cpu, MAXCPU);
	CHECK_EQ((uintptr_t)area % CACHE_LINE, 0);
	area->arch.self = &area->arch;
	area->arch.cpu = cpu;
	/* Pairs with the acquire in percpu_of. */
	atomic_ptr_store(&areas[cpu], area, MO_RELEASE);
}

void percpu_forget(unsigned cpu)
{
	atomic_ptr_store(&areas[cpu], NULL, MO_RELEASE);
}

void percpu_init_boot(void)
{
	/* What the backend keeps there, and what has happened so far, moves along. */
	struct arch_percpu head = *arch_percpu();

	memset(areas, 0, sizeof(areas));
	memset(&boot_area, 0, sizeof(boot_area));
	boot_area.arch = head;
	percpu_init(&boot_area, 0);
	arch_percpu_install(&boot_area.arch);
	percpu_ready = true;
}
