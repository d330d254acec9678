/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A probe marks itself on its CPU, makes the access, and when that faults the handler, which runs
 * on the same stack, jumps back to the mark instead of returning to the access. Preemption is off
 * in between, so a fault at that address on that CPU is the probe's.
 */
#include "kernel/fault_probe.h"

#include "arch/fault.h"
#include "lib/string.h"
#include "lib/trace.h"
#include "smp/preempt.h"
#include "vm/vm_fault.h"

struct probe {
	vm_offset_t va;
	void *mark[5]; /* as __builtin_setjmp wants it */
	char *why;
};

static struct probe *probes[MAXCPU]; /* each CPU's own, while it probes */

static bool fault_handler(const struct arch_fault *fault, char *why, size_t why_size)
{
	struct probe *probe = probes[arch_cpu_id()];

	bool resolved = vm_fault_kernel(fault, why, why_size);

	trace(TRACE_FAULT, fault->va, resolved);
	if (resolved)
		return true;
	if (probe == NULL || fault->va != probe->va || in_interrupt())
		return false;
	str_copy(probe->why, FAULT_WHY_MAX, why);
	__builtin_longjmp(probe->mark, 1);
}

void fault_probe_init(void)
{
	arch_fault_set_handler(fault_handler);
}

static void probe_access(vm_offset_t va, enum fault_access access)
{
	volatile uint8_t *byte = (volatile uint8_t *)va;

	switch (access) {
	case FAULT_READ:
		(void)*byte;
		break;
	case FAULT_WRITE:
		*byte = *byte;
		break;
	case FAULT_EXECUTE:
		((void (*)(void))va)();
		break;
	}
}

/* Not inlined: whatever the compiler keeps in registers here ends with this function. */
static __attribute__((noinline)) bool probe_try(struct probe *probe, enum fault_access access)
{
	if (__builtin_setjmp(probe->mark) != 0)
		return false;
	probe_access(probe->va, access);
	return true;
}

bool fault_probe(vm_offset_t va, enum fault_access access, char why[FAULT_WHY_MAX])
{
	struct probe probe = {.va = va, .why = why};
	bool done;

	why[0] = '\0';
	preempt_disable();
	probes[arch_cpu_id()] = &probe;
	done = probe_try(&probe, access);
	probes[arch_cpu_id()] = NULL;
	preempt_enable();
	return done;
}
